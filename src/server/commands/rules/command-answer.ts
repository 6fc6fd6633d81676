import { isFinal, type CommandRequest, type CommandResult } from '../../../core/protocol/command.ts';
import { errorBody } from '../../../core/protocol/error-answer.ts';
import type { CommandState } from '../../../core/protocol/session-state.ts';
import { timestampNow } from '../../../core/timestamp.ts';

/** Where a command stands, for whoever sent it. */
export function answerOf(
  command: CommandState,
  { sessionId, hasExecutor, startedAt }: { sessionId: string; hasExecutor: boolean; startedAt: number },
): CommandResult {
  const isAnswer = command.status === 'applied' || !isFinal(command.status);
  const message = messageOf(command, sessionId, hasExecutor);
  return {
    success: isAnswer,
    command_type: command.command_type,
    command_id: command.command_id,
    session_id: sessionId,
    status: command.status,
    ...(command.acknowledged_by === null ? {} : { acknowledged_by: command.acknowledged_by }),
    attached: hasExecutor,
    ...(message === undefined ? {} : { message }),
    ...(command.error === null ? {} : { error: command.error }),
    ...(isAnswer ? {} : { code: command.status === 'rejected' ? 'CONFLICT' : command.status.toUpperCase() }),
    ...(command.result === null ? {} : { result: command.result }),
    ...askedFor(command),
    elapsed_ms: elapsedMs(startedAt),
    timestamp: timestampNow(),
  };
}

/** The answer of one session of many that did not take the command. */
export function refusedAnswer(sessionId: string, request: CommandRequest, error: unknown, startedAt: number): CommandResult {
  const { success, error: text, code, timestamp } = errorBody(error);
  return {
    success,
    command_type: request.type,
    command_id: request.command_id ?? '',
    session_id: sessionId,
    status: 'rejected',
    attached: false,
    error: text,
    code,
    elapsed_ms: elapsedMs(startedAt),
    timestamp,
  };
}

export function elapsedMs(startedAt: number): number {
  return Math.round((performance.now() - startedAt) * 1_000) / 1_000;
}

/** What was asked for, under the names that a client shows without looking into the ledger. */
function askedFor({ command_type, parameters }: CommandState): Partial<CommandResult> {
  const { steps, target_skill, target_path, decision_id, choice, skill_name, position } = parameters;
  switch (command_type) {
    case 'ROLLBACK':
      return steps === undefined ? {} : { steps };
    case 'REDIRECT':
      return { target: target_skill ?? target_path };
    case 'DECISION':
      return { decision_id, choice };
    case 'INJECT':
      return { skill_name, position };
    default:
      return {};
  }
}

/** What the status does not say. */
function messageOf({ command_type, status, delivered_to }: CommandState, sessionId: string, hasExecutor: boolean): string | undefined {
  if (status === 'queued') {
    return hasExecutor
      ? `Queued: the orchestrator of ${sessionId} has not acknowledged it yet`
      : `Queued: no orchestrator is attached to ${sessionId}; it gets the command when one attaches`;
  }
  if (status === 'delivered') return `Delivered: ${delivered_to ?? 'the orchestrator'} has it and has not said yet that it is done`;
  if (status !== 'applied') return undefined;
  // These two texts are part of the protocol; `acknowledged_by` and `attached` say who did it.
  if (command_type === 'HALT') return 'Execution halted successfully';
  if (command_type === 'RESUME') return 'Execution resumed successfully';
  return undefined;
}
