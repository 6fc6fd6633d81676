import { commandStatuses, type CommandStatus } from '../../../core/protocol/command.ts';
import type { CommandState } from '../../../core/protocol/session-state.ts';
import type { Cell } from '../../terminal/table.ts';
import { option, wholeNumber, type Invocation, type Program } from '../../program.ts';

interface CommandsOptions {
  status?: CommandStatus;
  limit?: number;
}

/** `commands`: who commanded what, and what came of it. */
export function registerCommands(program: Program): void {
  program.add<CommandsOptions>({
    usage: 'commands',
    summary: 'What was commanded, by whom, and what came of it',
    examples: ['commands', 'commands -s run-7f3a --status delivered', 'commands --limit 5 --json'],
    options: [
      option('-s, --session <id>', 'the session (default: the only live one, or the last)'),
      option('--status <status>', `only ${commandStatuses.join(', ')}`).choices(commandStatuses),
      option('--limit <count>', 'at most so many, the newest (20)', wholeNumber),
    ],
    run: listCommands,
  });
}

async function listCommands({ options, settings, output }: Invocation<CommandsOptions>): Promise<void> {
  const [{ request, serverNowMs }, { chooseSession }, { tableLines }, { safeLine }, { durationSince }] = await Promise.all([
    import('../../server-access/server-request.ts'),
    import('../../server-access/live-sessions.ts'),
    import('../../terminal/table.ts'),
    import('../../../core/text/safe-text.ts'),
    import('../../../view/text/numbers.ts'),
  ]);
  const session = await chooseSession(settings, { orLatest: true });
  const query = { limit: options.limit ?? 20, status: options.status };
  const ledger = await request(settings, 'commands', { path: { id: session }, query });
  if (output.isJson) {
    output.document({ session_id: session, ...ledger });
    return;
  }
  if (ledger.total === 0) {
    output.note(`nobody has sent ${session} a command${options.status === undefined ? '' : ` that is ${options.status}`}`);
    return;
  }
  const nowMs = serverNowMs(ledger);
  const rows = ledger.commands.map((command) => [
    safeLine(command.command_type, 20),
    { text: command.status, tone: toneOf(command) },
    safeLine(command.by ?? '-', 30),
    safeLine(command.acknowledged_by ?? command.delivered_to ?? '-', 30),
    durationSince(command.created_at, nowMs),
    safeLine(command.command_id, 128),
    safeLine(command.error ?? (Object.keys(command.parameters).length === 0 ? '' : JSON.stringify(command.parameters)), 80),
  ]);
  for (const line of tableLines(['COMMAND', 'STATUS', 'BY', 'DONE BY', 'AGE', 'ID', ''], rows, output)) output.line(line);
  if (ledger.total > ledger.commands.length) output.note(`and ${ledger.total - ledger.commands.length} older: --limit ${ledger.total}`);
}

function toneOf({ status }: CommandState): NonNullable<Cell['tone']> {
  if (status === 'applied') return 'good';
  return status === 'queued' || status === 'delivered' ? 'warn' : 'bad';
}
