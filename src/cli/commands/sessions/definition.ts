import type { CommandDefinition } from '../../command-definition.ts';

/** The options of `sessions`. */
export interface SessionsOptions {
  live?: boolean;
  limit?: number;
}

/** `sessions`: what there is to watch. */
export const sessionsDefinition: CommandDefinition = {
  name: 'sessions',
  summary: 'List the sessions, those that changed last first',
  examples: ['sessions', 'sessions --live', "sessions --json | jq -r '.sessions[].session_id'"],
  options: [
    { flags: '--live', summary: 'only those that have not ended' },
    { flags: '--limit <count>', summary: 'at most so many (20)', kind: 'whole-number' },
  ],
};
