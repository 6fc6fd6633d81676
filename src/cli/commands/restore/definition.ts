import type { CommandDefinition } from '../../command-definition.ts';

/** The options of `restore`. */
export interface RestoreCommandOptions {
  checkpoint?: string;
  yes?: boolean;
  dryRun?: boolean;
  force?: boolean;
}

/** `restore`: a work tree as a run had it, after that run has ended. */
export const restoreDefinition: CommandDefinition = {
  name: 'restore',
  summary: 'Roll the files of a run back that has ended',
  arguments: [{ name: 'session', kind: 'session' }],
  examples: ['restore migration --dry-run', 'restore migration --checkpoint start --yes'],
  options: [
    { flags: '--checkpoint <id>', summary: 'to where (default: the newest one)', kind: 'checkpoint' },
    { flags: '--dry-run', summary: 'say what would change, and change nothing' },
    { flags: '--force', summary: 'though another run works there' },
    { flags: '--yes', summary: 'do not ask' },
  ],
  notes: [
    '',
    'The files as they are now are kept as a checkpoint too, so that it can be undone.',
    'What is kept: shannon-dash checkpoint --list -s SESSION',
  ],
};
