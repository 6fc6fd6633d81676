import type { CommandDefinition } from '../../command-definition.ts';

/** The options of `run`. */
export interface RunOptions {
  session?: string;
  checkpoints: 'git' | 'none';
  files: boolean;
  diffs: boolean;
  label?: string[];
  requireServer?: boolean;
  takeOver?: boolean;
  /** For the process that passes on late output: the streams and their descriptors. */
  lateOutput?: string;
  /** False: what is a secret by its form is told as it is. */
  redactsByItself?: boolean;
}

/** `run`: any program as a session. */
export const runDefinition: CommandDefinition = {
  name: 'run',
  summary: 'Run a program as a session: watched, halted, rolled back',
  arguments: [
    { name: 'command', kind: 'program' },
    { name: 'args', kind: 'file', isOptional: true, isRepeatable: true },
  ],
  examples: ['run -- npm test', 'run --checkpoints git -- ./migrate.sh', 'run -s nightly -- make all'],
  passThrough: true,
  options: [
    { flags: '-s, --session <id>', summary: 'the name of the session (one is made)', kind: 'text' },
    {
      flags: '--checkpoints <kind>',
      summary: 'git: snapshots of the work tree, to roll back to',
      kind: 'text',
      choices: ['git', 'none'],
      default: 'none',
    },
    { flags: '--label <text>', summary: 'what to find it by in the list of sessions (repeatable)', kind: 'text', isRepeatable: true },
    { flags: '--take-over', summary: 'take the session from another run that is attached to it' },
    { flags: '--no-files', summary: 'changes of files do not become events' },
    { flags: '--no-diffs', summary: 'of changed files only the names are told' },
    { flags: '--require-server', summary: 'do not run the program without a server' },
    {
      flags: '--redact <pattern>',
      summary: 'tell no text that matches (RE2; repeatable)',
      kind: 'text',
      isRepeatable: true,
    },
    { flags: '--no-redact', summary: 'redact only what --redact names, not tokens and keys', valueName: 'redactsByItself' },
    { flags: '--late-output <streams>', summary: 'pass on what a program that has ended left behind', kind: 'text', isHidden: true },
  ],
  notes: [
    '',
    'Output, exit code and signals are those of COMMAND. Without a server it starts',
    'one, which ends when nobody uses it. COMMAND finds SHANNON_DASH_URL and',
    '_SESSION: emit, gate, decide and checkpoint use them.',
  ],
};
