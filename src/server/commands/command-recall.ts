import { isFinal, parseCommand, type CommandRequest, type ResendRequest } from '../../core/protocol/command.ts';
import { ShannonDashError } from '../../core/protocol/errors.ts';
import type { CommandState } from '../../core/protocol/session-state.ts';
import { timestampNow } from '../../core/timestamp.ts';
import type { LedgerParts } from './ledger-parts.ts';
import { step } from './rules/command-step.ts';

/** Who takes a command back. */
export interface Canceller {
  by: string;
  from: CommandState['from'];
}

/**
 * Takes a command back that waits for an orchestrator. One that an orchestrator was attached for since it was sent stays: that
 * program may be carrying it out, and the ledger would say otherwise. Both that attachment and this end stand in the journal, which
 * takes one after the other, whichever servers write them.
 * @param check throws where the caller may not
 * @throws ShannonDashError NOT_FOUND, CONFLICT, and what `check` throws
 */
export function cancelCommand(
  { mutex, writer, history }: LedgerParts,
  { sessionId, commandId }: { sessionId: string; commandId: string },
  { by, from }: Canceller,
  check: (command: CommandState) => void,
): Promise<CommandState> {
  return mutex.run(sessionId, () =>
    writer.write(sessionId, async () => {
      const command = await history.get(sessionId, commandId);
      check(command);
      // The answer was lost, and it was sent again.
      if (command.status === 'cancelled' && command.cancelled_by === by) return { events: [], result: command };
      const refused = keptBy(command);
      if (refused !== undefined) throw new ShannonDashError('CONFLICT', refused, { status: command.status });
      const fields = { cancelled_by: by, error: `Taken back by ${by}` };
      const end = step(command, 'cancelled', { ...fields, ...(from === undefined ? {} : { cancelled_from: from }) });
      return { events: [end], result: { ...command, ...fields, status: 'cancelled', updated_at: timestampNow() } };
    }),
  );
}

/** Why a command cannot be taken back. */
function keptBy({ command_id, status, offered_to, delivered_to }: CommandState): string | undefined {
  if (status === 'delivered') return `Command ${command_id} was delivered already: ${delivered_to ?? 'its orchestrator'} has it`;
  if (isFinal(status)) return `Command ${command_id} has ended already: ${status}`;
  return offered_to === null ? undefined : `Command ${command_id} was sent to ${offered_to}, which may be carrying it out`;
}

/**
 * A command that ended without being applied, to be sent again.
 * @param check throws where the caller may not
 * @throws ShannonDashError NOT_FOUND, CONFLICT, GONE, and what `check` throws
 */
export async function sentAgain(
  { history }: LedgerParts,
  { session_id, resend_of, ...fields }: ResendRequest,
  check: (command: CommandState) => void,
): Promise<CommandRequest> {
  const command = await history.get(session_id, resend_of);
  check(command);
  const { command_type, status } = command;
  if (!isFinal(status)) throw new ShannonDashError('CONFLICT', `Command ${resend_of} has not ended: it is ${status}`, { status });
  if (status === 'applied') throw new ShannonDashError('CONFLICT', `Command ${resend_of} was applied: there is nothing to send again`);
  const parameters = await history.sentParameters(session_id, resend_of);
  if (parameters === undefined)
    throw new ShannonDashError('GONE', `Retention has taken what command ${resend_of} was sent with: send it anew`);
  return parseCommand({ ...parameters, ...fields, session_id, type: command_type });
}
