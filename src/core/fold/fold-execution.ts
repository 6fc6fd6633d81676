import type { SessionEvent } from '../protocol/event.ts';
import { clipped, errorTextOf, numberOf, objectOf, percentOf, textField, valueOf, type Data } from './fold-values.ts';
import { limits } from '../protocol/limits.ts';
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
        archived: false,
        exit_code: null,
        ...placeOf(state, data),
        user: textField(data, 'user') ?? state.user,
        labels: labelsOf(data) ?? state.labels,
      };
    case 'execution:progress':
      return {
        progress: percentOf(data, 'progress') ?? state.progress,
        message: textField(data, 'message') ?? state.message,
        task: textField(data, 'task') ?? state.task,
        ...placeOf(state, data),
      };
    case 'execution:completed':
      return {
        status: 'completed',
        halt: null,
        ended_at: timestamp,
        progress: 100,
        result: valueOf(data, 'result'),
        error: null,
        exit_code: numberOf(objectOf(data, 'result'), 'exit_code'),
      };
    case 'execution:failed':
      return {
        status: 'failed',
        halt: null,
        ended_at: timestamp,
        error: errorTextOf(data, 'error'),
        exit_code: numberOf(data, 'exit_code'),
      };
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

/** What an event says of the place of a session. */
function placeOf(state: SessionState, data: Data): Pick<SessionState, 'folder' | 'branch' | 'model'> {
  return {
    folder: textField(data, 'folder') ?? state.folder,
    branch: textField(data, 'branch') ?? state.branch,
    model: textField(data, 'model') ?? state.model,
  };
}

function labelsOf({ labels }: Data): string[] | undefined {
  if (!Array.isArray(labels)) return undefined;
  return labels
    .filter((each): each is string => typeof each === 'string' && each !== '')
    .slice(0, limits.labels)
    .map((each) => clipped(each));
}
