import type { CommandStatus } from '../../../core/protocol/command-status.ts';
import { isFinal, type CommandRequest } from '../../../core/protocol/command.ts';
import { commandStepId } from '../../../core/ids.ts';
import type { CommandState, SessionState } from '../../../core/protocol/session-state.ts';
import { timestampNow } from '../../../core/timestamp.ts';
import type { NewEvent } from '../../../journal/journal.ts';

/** A step of a command's life, as it is journalled. */
export type Step = Pick<NewEvent, 'type' | 'data' | 'id' | 'isIdNew'>;

/** The commands that have not ended, oldest first. */
export function unfinished(state: SessionState): CommandState[] {
  return state.commands.filter((command) => !isFinal(command.status));
}

/** A command that was just taken. */
export function newCommand(
  commandId: string,
  { type, fields }: CommandRequest,
  { by, from }: Pick<CommandState, 'by' | 'from'>,
  { forInstance, resendOf = null }: { forInstance: string | null; resendOf?: string | null | undefined },
): CommandState {
  return {
    command_id: commandId,
    command_type: type,
    status: 'queued',
    by,
    ...(from === undefined ? {} : { from }),
    parameters: fields,
    result: null,
    error: null,
    acknowledged_by: null,
    delivered_to: null,
    for_instance: forInstance,
    offered_to: null,
    resend_of: resendOf,
    cancelled_by: null,
    created_at: timestampNow(),
    updated_at: timestampNow(),
  };
}

/** The data of the `execution:halting` that a HALT begins with. */
export function haltData({ command_id, by, parameters }: CommandState): Record<string, unknown> {
  return { ...parameters, command_id, initiated_by: by };
}

/**
 * A step of a command. The journal takes each once, by its id; a command ends once, whichever way. It may be delivered to
 * several instances one after the other, each with a step of its own: what one says never stands in the way of another.
 */
export function step(command: CommandState, status: CommandStatus, fields: Record<string, unknown> = {}): Step {
  const { command_id, command_type, by, from, parameters, for_instance, resend_of } = command;
  const isFirst = status === 'queued' || status === 'rejected';
  const first = { ...(from === undefined ? {} : { from }), parameters, ...(resend_of === null ? {} : { resend_of }) };
  const whom = status === 'queued' && for_instance !== null ? { for_instance } : {};
  return {
    type: `command:${status}`,
    id: commandStepId(
      command_id,
      isFinal(status) ? 'final' : status === 'delivered' ? `delivered:${String(fields['delivered_to'])}` : status,
    ),
    data: { command_id, command_type, by, ...(isFirst ? first : {}), ...whom, ...fields },
  };
}
