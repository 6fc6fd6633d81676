import type { CommandStatus } from '../protocol/command-status.ts';
import { isFinal, commandTypes, type CommandType } from '../protocol/command.ts';
import type { SessionEvent } from '../protocol/event.ts';
import { offeredTo } from './executor.ts';
import { errorTextOf, objectOf, smallValue, textField, valueOf, withItem } from './fold-values.ts';
import { foldLimits } from '../protocol/limits.ts';
import type { CommandState, SessionState } from '../protocol/session-state.ts';

/** `command:*`: the ledger. A final status is never left again; a HALT that ends without effect gives the status back. */
export function foldCommand(state: SessionState, { type, data, timestamp }: SessionEvent): Partial<SessionState> | undefined {
  const commandId = textField(data, 'command_id');
  const status = type.slice('command:'.length) as CommandStatus;
  const commandType = commandTypes.find((each) => each === data['command_type']);
  const at = state.commands.findLastIndex((each) => each.command_id === commandId);
  const known = state.commands[at];
  if (commandId === null || commandType === undefined || (known !== undefined && isFinal(known.status))) return undefined;
  const offered = known?.offered_to ?? (status === 'queued' ? offeredTo(state, commandType) : null);
  const command = { ...nextCommand(known, { commandId, commandType, status, timestamp, data }), offered_to: offered };
  return {
    ...withItem(state, 'commands', at, command, (each) => isFinal(each.status)),
    ...(isFinal(status) && status !== 'applied' && state.status === 'halting' && state.halt?.command_id === commandId
      ? { status: state.halt.from, halt: null }
      : {}),
  };
}

interface Step {
  commandId: string;
  commandType: CommandType;
  status: CommandStatus;
  timestamp: string;
  data: Record<string, unknown>;
}

function nextCommand(
  known: CommandState | undefined,
  { commandId, commandType, status, timestamp, data }: Step,
): Omit<CommandState, 'offered_to'> {
  const parameters = known?.parameters ?? objectOf(data, 'parameters');
  const from = known?.from ?? originIn(data);
  return {
    command_id: commandId,
    command_type: commandType,
    status,
    by: textField(data, 'by') ?? known?.by ?? null,
    ...(from === undefined ? {} : { from }),
    // An unfinished command keeps its parameters whole: they are what an orchestrator gets when it attaches.
    parameters: smallParameters(parameters, isFinal(status) ? foldLimits.valueChars : foldLimits.parametersChars),
    result: valueOf(data, 'result'),
    error: errorTextOf(data, 'error'),
    acknowledged_by: textField(data, 'acknowledged_by') ?? known?.acknowledged_by ?? null,
    delivered_to: textField(data, 'delivered_to') ?? known?.delivered_to ?? null,
    for_instance: textField(data, 'for_instance') ?? known?.for_instance ?? null,
    resend_of: textField(data, 'resend_of') ?? known?.resend_of ?? null,
    cancelled_by: textField(data, 'cancelled_by'),
    created_at: known?.created_at ?? timestamp,
    updated_at: timestamp,
  };
}

function originIn(data: Record<string, unknown>): CommandState['from'] {
  const from = objectOf(data, 'from');
  const [role, address] = [textField(from, 'role'), textField(from, 'address')];
  return role === null || address === null ? undefined : { role, address };
}

function smallParameters(parameters: Record<string, unknown>, maxChars: number): Record<string, unknown> {
  const small = smallValue(parameters, maxChars);
  return typeof small === 'string' ? { truncated: small } : parameters;
}
