import type { CommandState } from '../../../core/protocol/session-state.ts';
import { safeLine } from '../../../core/text/safe-text.ts';
import { queuePlace } from '../../../view/text/queue-place.ts';
import { durationSince } from '../../../view/text/numbers.ts';
import type { Invocation } from '../../invocation.ts';
import { request, serverNowMs } from '../../server-access/server-request.ts';
import { tableLines, type Cell } from '../../terminal/table.ts';
import type { CommandsOptions } from './definition.ts';

/** Lists the commands of a session, the newest first. */
export async function listCommands(session: string, { options, settings, output }: Invocation<CommandsOptions>): Promise<void> {
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
  const isWaiting = ledger.commands.some(({ status }) => status === 'queued');
  const queue = isWaiting ? await request(settings, 'session', { path: { id: session } }) : undefined;
  const rows = ledger.commands.map((command) => [
    safeLine(command.command_type, 20),
    { text: command.status, tone: toneOf(command) },
    safeLine(command.by ?? '-', 30),
    safeLine(command.acknowledged_by ?? command.delivered_to ?? '-', 30),
    durationSince(command.created_at, nowMs),
    safeLine(command.command_id, 128),
    safeLine([queue && queuePlace(queue, command), toldOf(command)].filter((each) => each !== undefined && each !== '').join('; '), 80),
  ]);
  for (const line of await tableLines(['COMMAND', 'STATUS', 'BY', 'DONE BY', 'AGE', 'ID', ''], rows, output)) output.line(line);
  if (ledger.total > ledger.commands.length) output.note(`and ${ledger.total - ledger.commands.length} older: --limit ${ledger.total}`);
}

/** Why it ended so, else what it was sent with. */
function toldOf({ error, parameters }: CommandState): string {
  return error ?? (Object.keys(parameters).length === 0 ? '' : JSON.stringify(parameters));
}

function toneOf({ status }: CommandState): NonNullable<Cell['tone']> {
  if (status === 'applied') return 'good';
  if (status === 'cancelled') return 'plain';
  return status === 'queued' || status === 'delivered' ? 'warn' : 'bad';
}
