import type { CommandDefinition } from '../../command-definition.ts';

/** The options of `audit`. */
export interface AuditOptions {
  session?: string;
  since?: string;
  by?: string;
  limit?: number;
}

/** `audit`: the commands of all sessions. */
export const auditDefinition: CommandDefinition = {
  name: 'audit',
  summary: 'Who commanded what, in all sessions, newest last',
  examples: ['audit', "audit --session 'ci-*' --since 24h", 'audit --by ana --json'],
  options: [
    { flags: '--session <glob>', summary: 'only sessions such as ci-*', kind: 'text', isNoSetting: true },
    { flags: '--since <time>', summary: 'sent since then: 24h, 2026-01-31T08:00:00Z', kind: 'text' },
    { flags: '--by <name>', summary: 'only what this sender has sent', kind: 'text' },
    { flags: '--limit <count>', summary: 'at most so many, the newest (100)', kind: 'whole-number' },
  ],
  notes: ['', 'From the ledgers of the sessions that there are. It needs a token of an admin,', "or none for the server's own user."],
};
