import type { CommandDefinition } from '../../command-definition.ts';
import type { CommandFlags } from './command-flags.ts';

/** The options of `send`: the command's fields, and how it is sent. */
export interface SendOptions extends CommandFlags {
  all?: boolean;
  id?: string;
  wait?: 'applied' | 'delivered' | 'queued';
  yes?: boolean;
}

/** `send`: a command for a session. */
export const sendDefinition: CommandDefinition = {
  name: 'send',
  summary: 'Send HALT, RESUME, ROLLBACK, REDIRECT, DECISION or INJECT',
  arguments: [{ name: 'type', kind: 'command-type' }],
  examples: ['send HALT --reason "lunch"', 'send DECISION --decision d-19 --choice migrate', 'send ROLLBACK --steps 2 --dry-run'],
  options: [
    { flags: '-s, --session <id>', summary: 'the session (default: the live one)', kind: 'session' },
    { flags: '--all', summary: 'every live session' },
    { flags: '--reason <text>', summary: 'HALT: why', kind: 'text', onlyWith: ['HALT'] },
    { flags: '--steps <n>', summary: 'ROLLBACK: how far, or to where', kind: 'whole-number', onlyWith: ['ROLLBACK'] },
    { flags: '--checkpoint <id>', summary: 'ROLLBACK: how far, or to where', kind: 'checkpoint', onlyWith: ['ROLLBACK'] },
    { flags: '--force', summary: 'ROLLBACK: though files changed since', onlyWith: ['ROLLBACK'] },
    { flags: '--skill <name>', summary: 'REDIRECT, INJECT: which skill', kind: 'skill', onlyWith: ['REDIRECT', 'INJECT'] },
    { flags: '--path <path>', summary: 'REDIRECT: where to, and what to do there', kind: 'file', onlyWith: ['REDIRECT'] },
    { flags: '--instructions <text>', summary: 'REDIRECT: where to, and what to do there', kind: 'text', onlyWith: ['REDIRECT'] },
    { flags: '--decision <id>', summary: 'DECISION: which, and what', kind: 'decision', onlyWith: ['DECISION'] },
    { flags: '--choice <id>', summary: 'DECISION: which, and what', kind: 'choice', onlyWith: ['DECISION'] },
    { flags: '--comment <text>', summary: 'DECISION: why', kind: 'text', onlyWith: ['DECISION'] },
    {
      flags: '-p, --param <key=value>',
      summary: 'INJECT: a parameter (repeatable)',
      kind: 'text',
      isRepeatable: true,
      onlyWith: ['INJECT'],
    },
    {
      flags: '--position <where>',
      summary: 'INJECT: next, end or an index',
      kind: 'text',
      suggestions: ['next', 'end'],
      onlyWith: ['INJECT'],
    },
    { flags: '--id <id>', summary: 'the same id again is the same command', kind: 'command' },
    {
      flags: '--wait <state>',
      summary: 'applied (default), delivered or queued',
      kind: 'text',
      choices: ['applied', 'delivered', 'queued'],
    },
    { flags: '--yes', summary: 'ROLLBACK: do not ask', onlyWith: ['ROLLBACK'] },
    { flags: '--dry-run', summary: 'say what would happen, and do nothing' },
  ],
};
