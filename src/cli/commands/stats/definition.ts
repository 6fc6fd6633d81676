import type { CommandDefinition } from '../../command-definition.ts';

/** The options of `stats`. */
export interface StatsOptions {
  watch?: boolean;
}

/** `stats`: how the server and its sessions are. */
export const statsDefinition: CommandDefinition = {
  name: 'stats',
  summary: 'How the server and its sessions are',
  examples: ['stats', 'stats -w', 'stats --json'],
  options: [{ flags: '-w, --watch', summary: 'every second anew' }],
};
