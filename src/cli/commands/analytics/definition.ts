import { analyticsKeys, type AnalyticsKey } from '../../../core/rollup/analytics-keys.ts';
import type { CommandDefinition } from '../../command-definition.ts';

/** The options of `analytics`. */
export interface AnalyticsOptions {
  by?: AnalyticsKey;
  since?: string;
  until?: string;
  csv?: boolean;
}

/** `analytics`: what all sessions add up to. */
export const analyticsDefinition: CommandDefinition = {
  name: 'analytics',
  summary: 'What all sessions add up to: runs, failures, time, tokens, cost',
  examples: ['analytics', 'analytics --by folder --since 30d', 'analytics --by skill --csv > skills.csv'],
  options: [
    {
      flags: '--by <key>',
      summary: 'a row for each day, folder, agent, skill, model (day)',
      kind: 'text',
      choices: analyticsKeys,
      isNoSetting: true,
    },
    { flags: '--since <time>', summary: 'from that day on: 30d, 2026-01-31', kind: 'text' },
    { flags: '--until <time>', summary: 'up to that day', kind: 'text' },
    { flags: '--csv', summary: 'the rows as CSV', conflicts: ['json'] },
  ],
  notes: ['', 'Days are whole and by UTC. Lengths of time are within 1 %.'],
};
