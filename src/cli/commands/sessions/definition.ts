import { sessionStatuses, type SessionStatus } from '../../../core/protocol/known-words.ts';
import type { CommandDefinition } from '../../command-definition.ts';

/** What can be done with sessions, beside listing them. */
const sessionActions = ['show', 'archive', 'unarchive', 'pin', 'unpin', 'rm'] as const;
export type SessionAction = (typeof sessionActions)[number];

/** The options of `sessions`. */
export interface SessionsOptions {
  live?: boolean;
  status?: SessionStatus;
  failed?: boolean;
  since?: string;
  search?: string;
  limit?: number;
  watch?: boolean;
  yes?: boolean;
  archived?: boolean;
}

/** `sessions`: what there is to watch, and what there was. */
export const sessionsDefinition: CommandDefinition = {
  name: 'sessions',
  summary: 'List the sessions, tell all of one, put away what is over',
  arguments: [
    { name: 'action', kind: 'text', choices: sessionActions, isOptional: true },
    { name: 'session', kind: 'session', isOptional: true, isRepeatable: true },
  ],
  examples: ['sessions --failed --since 2d', 'sessions show run-7f3a', "sessions --json | jq -r '.sessions[].session_id'"],
  options: [
    { flags: '--live', summary: 'only those that have not ended' },
    {
      flags: '--status <status>',
      summary: 'only those with this status',
      kind: 'text',
      choices: sessionStatuses,
    },
    { flags: '--failed', summary: 'only those that failed or were lost' },
    { flags: '--since <time>', summary: 'only those that changed since: 2h, 3d, 2026-01-31', kind: 'text' },
    { flags: '--search <text>', summary: 'only with this in name, task, folder, branch, user, labels', kind: 'text' },
    { flags: '--archived', summary: 'also those that were put away' },
    { flags: '--limit <count>', summary: 'at most so many (20)', kind: 'whole-number' },
    { flags: '-w, --watch', summary: 'every second anew' },
    { flags: '--yes', summary: 'rm: do not ask', onlyWith: ['rm'] },
  ],
  notes: [
    '',
    'A session can be named by the beginning of its name; show without a name takes',
    'the one that is live, or the last. archive puts sessions away: the list leaves',
    'them out; rm deletes them with all their events; pin keeps them from being',
    'removed by the rules of serve --retain.',
  ],
};
