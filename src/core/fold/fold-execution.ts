import type { SessionEvent } from '../protocol/event.ts';
import { errorTextOf, numberOf, percentOf, textField, valueOf } from './fold-values.ts';
import { isEnded, isLive, type SessionState } from '../protocol/session-state.ts';

/** `execution:*`: status, task, progress and the gate. */
export function foldExecution(state: SessionState, event: SessionEvent): Partial<SessionState> {
  const { data, timestamp } = event;
  const by = textField(data, 'initiated_by');
  switch (event.type) {
    case 'execution:started':
      return {
        // A program that starts while it is halted waits at the gate: starting does not open it.
        status: state.halt === null ? 'running' : state.status,
        started_at: timestamp,
        ended_at: null,
        // That of the run before is not this one's.
        orchestrator: isEnded(state.status) && state.orchestrator?.attached === false ? null : state.orchestrator,
        task: textField(data, 'task') ?? state.task,
        plan_id: textField(data, 'plan_id') ?? state.plan_id,
        total_steps: numberOf(data, 'total_steps') ?? state.total_steps,
        progress: null,
        message: null,
        result: null,
        error: null,
      };
    case 'execution:progress':
      return { progress: percentOf(data, 'progress') ?? state.progress, message: textField(data, 'message') ?? state.message };
    case 'execution:completed':
      return {
        status: 'completed',
        halt: null,
        ended_at: timestamp,
        progress: 100,
        result: valueOf(data, 'result'),
        error: null,
      };
    case 'execution:failed':
      return { status: 'failed', halt: null, ended_at: timestamp, error: errorTextOf(data, 'error') };
    case 'execution:halting':
      if (!isLive(state.status) || state.status === 'halted' || state.status === 'halting') return {};
      return {
        status: 'halting',
        halt: { reason: textField(data, 'reason'), command_id: textField(data, 'command_id'), by, since: timestamp, from: state.status },
      };
    case 'execution:halted':
      if (!isLive(state.status)) return {};
      return {
        status: 'halted',
        halt: {
          reason: textField(data, 'reason') ?? state.halt?.reason ?? null,
          command_id: textField(data, 'command_id') ?? state.halt?.command_id ?? null,
          by: by ?? state.halt?.by ?? null,
          since: timestamp,
          from: state.halt?.from ?? state.status,
        },
      };
    case 'execution:resumed':
      // Only a new start brings a finished session back.
      return isLive(state.status) ? { status: 'running', halt: null } : {};
    case 'execution:rollback':
      return { rollback: { checkpoint_id: textField(data, 'checkpoint_id'), steps: numberOf(data, 'steps'), by, at: timestamp } };
    case 'execution:redirect':
      return {
        redirect: {
          target_skill: textField(data, 'target_skill'),
          target_path: textField(data, 'target_path'),
          instructions: textField(data, 'instructions'),
          by,
          at: timestamp,
        },
      };
    default:
      return {};
  }
}
