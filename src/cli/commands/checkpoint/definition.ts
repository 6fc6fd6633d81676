import type { CommandDefinition } from '../../command-definition.ts';

/** The options of `checkpoint`. */
export interface CheckpointOptions {
  label?: string;
  id?: string;
  list?: boolean;
  prune?: boolean;
}

/** `checkpoint`: a place to roll back to; the kept ones are listed and removed. */
export const checkpointDefinition: CommandDefinition = {
  name: 'checkpoint',
  summary: 'Make a place to roll back to, and print its id',
  examples: [
    'checkpoint --label "before migration"',
    'send ROLLBACK --checkpoint "$(shannon-dash checkpoint)" --dry-run',
    'checkpoint --list',
  ],
  options: [
    { flags: '--label <text>', summary: 'what it is', kind: 'text' },
    { flags: '--id <id>', summary: 'its id (one is made)', kind: 'text' },
    { flags: '--list', summary: 'what is kept of this work tree (-s: of a session)', conflicts: ['prune', 'label', 'id'] },
    { flags: '--prune', summary: 'remove that of sessions that are gone (-s: of one)', conflicts: ['label', 'id'] },
    { flags: '-s, --session <id>', summary: 'the session (default: the only live one)', kind: 'session' },
  ],
  notes: [
    '',
    'Under run --checkpoints git it is done when the files are saved (at most 30 s).',
    'A session is gone when its server does not know it any more, when nobody used',
    'its checkpoints for 30 days, or when the work tree is no more.',
  ],
};
