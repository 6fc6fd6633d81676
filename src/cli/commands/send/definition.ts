import type { CommandFlags } from './command-flags.ts';
import { collect, option, wholeNumber, type Program } from '../../program.ts';

/** What to wait for; what is asked for beyond the command itself. */
export interface SendOptions extends CommandFlags {
  all?: boolean;
  id?: string;
  wait?: 'applied' | 'delivered' | 'queued';
  yes?: boolean;
}

/** `send`: a command for a session. */
export function registerSend(program: Program): void {
  program.add<SendOptions>({
    usage: 'send <type>',
    summary: 'Send HALT, RESUME, ROLLBACK, REDIRECT, DECISION or INJECT',
    examples: ['send HALT --reason "lunch"', 'send DECISION --decision d-19 --choice migrate', 'send ROLLBACK --steps 2 --dry-run'],
    options: [
      option('-s, --session <id>', 'the session (default: the live one)'),
      option('--all', 'every live session'),
      option('--reason <text>', 'HALT: why'),
      option('--steps <n>', 'ROLLBACK: how far, or to where', wholeNumber),
      option('--checkpoint <id>', 'ROLLBACK: how far, or to where'),
      option('--force', 'ROLLBACK: though files changed since'),
      option('--skill <name>', 'REDIRECT, INJECT: which skill'),
      option('--path <path>', 'REDIRECT: where to, and what to do there'),
      option('--instructions <text>', 'REDIRECT: where to, and what to do there'),
      option('--decision <id>', 'DECISION: which, and what'),
      option('--choice <id>', 'DECISION: which, and what'),
      option('--comment <text>', 'DECISION: why'),
      option('-p, --param <key=value>', 'INJECT: a parameter (repeatable)', collect),
      option('--position <where>', 'INJECT: next, end or an index'),
      option('--id <id>', 'the same id again is the same command'),
      option('--wait <state>', 'applied (default), delivered or queued').choices(['applied', 'delivered', 'queued']),
      option('--yes', 'ROLLBACK: do not ask'),
      option('--dry-run', 'say what would happen, and do nothing'),
    ],
    run: async (invocation) => {
      const { send } = await import('./sending.ts');
      return send(invocation);
    },
  });
}
