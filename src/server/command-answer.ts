import { isFinal, type CommandRequest, type CommandResult } from '../core/command.ts';
import { errorBody } from '../core/errors.ts';
import type { CommandState } from '../core/session-state.ts';
import { timestampNow } from '../core/timestamp.ts';

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
    ...(message === undefined ? {} : { message }),
    ...(command.error === null ? {} : { error: command.error }),
    ...(isAnswer ? {} : { code: command.status === 'rejected' ? 'CONFLICT' : command.status.toUpperCase() }),
    ...(command.result === null ? {} : { result: command.result }),
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
    error: text,
    code,
    elapsed_ms: elapsedMs(startedAt),
    timestamp,
  };
}

export function elapsedMs(startedAt: number): number {
  return Math.round((performance.now() - startedAt) * 1_000) / 1_000;
}

/** What the status does not say. */
function messageOf({ status, delivered_to, acknowledged_by }: CommandState, sessionId: string, hasExecutor: boolean): string | undefined {
  if (status === 'queued') {
    return hasExecutor
      ? `Queued: the orchestrator of ${sessionId} has not acknowledged it yet`
      : `Queued: no orchestrator is attached to ${sessionId}; it gets the command when one attaches`;
  }
  if (status === 'delivered') return `Delivered: ${delivered_to ?? 'the orchestrator'} has it and has not said yet that it is done`;
  if (status === 'applied' && acknowledged_by === 'server') {
    return hasExecutor
      ? 'It was so already'
      : `No orchestrator is attached to ${sessionId}: the server keeps this, and who attaches finds it so`;
  }
  return undefined;
}
