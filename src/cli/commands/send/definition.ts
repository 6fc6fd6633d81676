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
  summary: 'Send HALT, RESUME, STOP, ROLLBACK, REDIRECT, DECISION or INJECT',
  arguments: [
    { name: 'type', kind: 'command-type' },
    { name: 'session', kind: 'session', isOptional: true },
  ],
  examples: ['send HALT --reason "lunch"', 'send DECISION --decision d-19 --choice migrate', 'send ROLLBACK --steps 2 --dry-run'],
  forms: [
    { value: 'HALT', verb: 'halt', summary: 'Halt a session until it is resumed', examples: ['halt', 'halt build --reason "lunch"'] },
    { value: 'RESUME', verb: 'resume', summary: 'Let a halted session go on', examples: ['resume', 'resume build'] },
    {
      value: 'STOP',
      verb: 'stop',
      summary: 'End the program of a session, with all that it has started',
      examples: ['stop build', 'stop build --grace 30s --reason "wrong branch"'],
    },
    {
      value: 'ROLLBACK',
      verb: 'rollback',
      summary: 'Put the files of a session back to a checkpoint, after asking',
      examples: ['rollback build --dry-run', 'rollback build --steps 2', 'rollback build --checkpoint before-tests'],
    },
    {
      value: 'REDIRECT',
      verb: 'redirect',
      summary: 'Send a session after another goal',
      examples: ['redirect build --skill fix-tests', 'redirect build --path src/api --instructions "only this folder"'],
    },
    {
      value: 'INJECT',
      verb: 'inject',
      summary: 'Put a skill into the plan of a session',
      examples: ['inject build --skill lint', 'inject build --skill lint -p files=12 --position end'],
    },
    {
      value: 'DECISION',
      verb: 'answer',
      summary: 'Answer what a session asks; without --decision the only open question',
      examples: ['answer build --choice yes', 'answer build --decision d-19 --choice migrate'],
    },
  ],
  options: [
    { flags: '-s, --session <id>', summary: 'the session (default: the live one)', kind: 'session' },
    { flags: '--all', summary: 'every live session' },
    { flags: '--reason <text>', summary: 'HALT, STOP: why', kind: 'text', onlyWith: ['HALT', 'STOP'] },
    { flags: '--grace <time>', summary: 'STOP: until it is ended by force (10s)', kind: 'duration', onlyWith: ['STOP'] },
    { flags: '--steps <n>', summary: 'ROLLBACK: how far, or to where', kind: 'whole-number', onlyWith: ['ROLLBACK'] },
    { flags: '--checkpoint <id>', summary: 'ROLLBACK: how far, or to where', kind: 'checkpoint', onlyWith: ['ROLLBACK'] },
    { flags: '--force', summary: 'ROLLBACK: though files changed since', isRare: true, onlyWith: ['ROLLBACK'] },
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
    { flags: '--yes', summary: 'ROLLBACK, STOP: do not ask', onlyWith: ['ROLLBACK', 'STOP'] },
    { flags: '--dry-run', summary: 'say what would happen, and do nothing' },
  ],
};
