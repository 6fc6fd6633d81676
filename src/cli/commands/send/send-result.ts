import { z } from 'zod';
import type { CommandStatus } from '../../../core/protocol/command-status.ts';
import { isFinal, type CommandResult, type CommandType } from '../../../core/protocol/command.ts';
import { isWireCode, ShannonDashError } from '../../../core/protocol/errors.ts';
import { check } from '../../../core/json/parse.ts';
import { safeLine } from '../../../core/text/safe-text.ts';
import { shownDuration } from '../../settings/duration.ts';
import { exitCodes } from '../../exit-codes.ts';
import { Failure, failureOf } from '../../failure.ts';

/** The state of a session once a command is applied. */
const outcomes: Record<CommandType, string> = {
  HALT: 'halted',
  RESUME: 'running',
  ROLLBACK: 'rolled back',
  REDIRECT: 'redirected',
  DECISION: 'decided',
  INJECT: 'put in',
  STOP: 'ended',
};

/** What may still happen after a timeout. */
const pending: Record<CommandType, string> = {
  HALT: 'may still halt',
  RESUME: 'may still go on',
  ROLLBACK: 'may still roll back',
  REDIRECT: 'may still take the new way',
  DECISION: 'may still take the choice',
  INJECT: 'may still take it in',
  STOP: 'may still end',
};

type Wait = 'applied' | 'delivered' | 'queued';

/** Whether a command has come as far as was waited for; one that ended otherwise has come as far as it will. */
export function reached(status: CommandStatus, wait: Wait): boolean {
  return isFinal(status) || wait === 'queued' || (wait === 'delivered' && status === 'delivered');
}

/** `HALT applied by run-7f3a in 14 ms (halted)`. */
export function resultLine(
  { command_type, status, acknowledged_by, attached, elapsed_ms, session_id, result }: CommandResult,
  isDryRun = false,
): string {
  if (status !== 'applied') return `${command_type} ${status} for ${safeLine(session_id)} in ${shownDuration(elapsed_ms)}`;
  // Without an orchestrator the server only closes the gate: it cannot say that a program stands still.
  const outcome = isDryRun
    ? 'dry run: nothing was changed'
    : !attached && acknowledged_by === 'server'
      ? `${outcomes[command_type]}; no program is attached`
      : `${outcomes[command_type]}${command_type === 'HALT' ? goingOn(result) : ''}`;
  return `${command_type} applied by ${safeLine(acknowledged_by ?? 'server', 128)} in ${shownDuration(elapsed_ms)} (${outcome})`;
}

/** What goes on although an agent is halted: calls that had begun before, and what it has left in the background. */
function goingOn(result: unknown): string {
  const { data } = check(standstill, result);
  const names = data === undefined ? [] : [...data.in_flight.map(({ tool_name }) => tool_name), ...data.background];
  if (names.length === 0) return '';
  const more = names.length > shownNames ? ` and ${names.length - shownNames} more` : '';
  return `; still going on: ${safeLine(names.slice(0, shownNames).join(', '), 200)}${more}`;
}

/** The result of a HALT by the server, for a coding agent. */
const standstill = z.object({ in_flight: z.array(z.object({ tool_name: z.string() })), background: z.array(z.string()) });
const shownNames = 5;

/** The JSON form: the wire's result, with `ok` for what was waited for. */
export function resultDocument(result: CommandResult, ok: boolean): object {
  const { success: _, ...fields } = result;
  return { ok, ...fields };
}

/** Why the command did not come as far as was waited for; undefined when it did. */
export function failureOfResult(result: CommandResult, { wait, timeoutMs }: { wait: Wait; timeoutMs: number }): Failure | undefined {
  const { status, command_type, session_id, attached, error, code } = result;
  const more = `all of it: shannon-dash commands -s ${session_id}`;
  if (status === 'rejected') {
    const known = code !== undefined && isWireCode(code) ? code : 'CONFLICT';
    return failureOf(new ShannonDashError(known, error ?? `${command_type} was rejected`));
  }
  if (status === 'failed')
    return new Failure('CONFLICT', `${command_type} failed in ${session_id}: ${error ?? 'no reason was given'}`, {
      hints: [more],
      exitCode: exitCodes.refused,
    });
  if (status === 'expired')
    return new Failure('TIMEOUT', `${command_type} expired: ${error ?? 'it was not delivered in time'}`, {
      hints: [more],
      exitCode: exitCodes.refused,
    });
  if (status === 'cancelled') {
    const hints = [more];
    return new Failure('CONFLICT', `${command_type} was cancelled: ${error ?? 'somebody took it back'}`, {
      hints,
      exitCode: exitCodes.refused,
    });
  }
  if (reached(status, wait)) return undefined;
  if (!attached && status === 'queued') {
    return new Failure('TIMEOUT', `no program is attached to ${session_id}; ${command_type} waits for one`, { hints: [more] });
  }
  return new Failure('TIMEOUT', `no acknowledgement from ${session_id} in ${shownDuration(timeoutMs)}; it ${pending[command_type]}`, {
    hints: ['look: shannon-dash stats'],
  });
}
