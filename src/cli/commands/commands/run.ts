import { newId } from '../../../core/ids.ts';
import { limits } from '../../../core/protocol/limits.ts';
import { safeLine } from '../../../core/text/safe-text.ts';
import { exitCodes } from '../../exit-codes.ts';
import { usageFailure } from '../../failure.ts';
import type { Invocation } from '../../invocation.ts';
import { withReachedJournal } from '../../server-access/journal-reader.ts';
import { lookedAtSession } from '../../server-access/live-sessions.ts';
import { request } from '../../server-access/server-request.ts';
import type { Output } from '../../terminal/output.ts';
import type { Settings } from '../../settings/settings.ts';
import { failureOfResult, resultDocument, resultLine } from '../send/send-result.ts';
import type { CommandsOptions, LedgerAction } from './definition.ts';
import { listCommands } from './listing.ts';

/** The program waits so much longer than the server, so that the server's answer counts. */
const graceMs = 2_000;

/** Lists the commands of a session, sends one again or takes one back. */
export async function commandLedger(invocation: Invocation<CommandsOptions>): Promise<number> {
  const { args, output } = invocation;
  const [action, id] = args as [LedgerAction?, string?];
  if (action !== undefined && id === undefined) {
    throw usageFailure(`commands ${action} needs the id of a command`, 'see all: shannon-dash commands');
  }
  const settings = await withReachedJournal(invocation.settings, output);
  const session = await lookedAtSession(settings, { orLatest: true });
  const place = { path: { id: session, command: id ?? '' } };
  if (action === 'resend') return resend(place, settings, output);
  if (action === 'cancel') return cancel(place, settings, output);
  await listCommands(session, { ...invocation, settings });
  return exitCodes.ok;
}

type Place = { path: { id: string; command: string } };

/** @throws Failure when it was not applied */
async function resend(place: Place, settings: Settings, output: Output): Promise<number> {
  const timeoutMs = settings.timeoutMs ?? limits.commandTimeoutMs;
  const body = { command_id: newId(), timeout_ms: timeoutMs };
  const result = await request(settings, 'resendCommand', { ...place, body }, { timeoutMs: timeoutMs + graceMs, output });
  const failure = failureOfResult(result, { wait: 'applied', timeoutMs });
  if (output.isJson) output.document(resultDocument(result, failure === undefined));
  if (failure !== undefined) throw failure;
  if (!output.isJson) output.line(resultLine(result));
  return exitCodes.ok;
}

async function cancel(place: Place, settings: Settings, output: Output): Promise<number> {
  const { command } = await request(settings, 'cancelCommand', place, { output });
  if (output.isJson) output.document({ ok: true, session_id: place.path.id, command });
  else output.line(`cancelled ${safeLine(command.command_type, 20)} ${safeLine(command.command_id, 128)}: no program has had it`);
  return exitCodes.ok;
}
