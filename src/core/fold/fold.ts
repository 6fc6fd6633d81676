import { receivedAt, type SessionEvent } from '../protocol/event.ts';
import { todaysSpelling } from '../protocol/event-spellings.ts';
import { isKnownType, type KnownEventType } from '../protocol/event-table.ts';
import { foldAgent } from './fold-agent.ts';
import { foldCommand } from './fold-command.ts';
import { foldDecisionMade, foldDecisionPoint } from './fold-decision.ts';
import { foldExecution } from './fold-execution.ts';
import { lengthMs, numberOf, sum, textField, withItem } from './fold-values.ts';
import { foldLost, foundAgain, isSignOfLife, lostWhereRecordingEnds, withNothingRunning } from './fold-lost.ts';
import { foldMessage } from './fold-message.ts';
import { foldOrchestrator } from './fold-orchestrator.ts';
import { foldSkill } from './fold-skill.ts';
import { foldTool } from './fold-tool.ts';
import { foldUsage } from './fold-usage.ts';
import { foldWaiting, withoutWaiting } from './fold-waiting.ts';
import { foldLimits } from '../protocol/limits.ts';
import { foldRollup } from '../rollup/fold-rollup.ts';
import { isLive, type FileState, type SessionState, type ValidationState } from '../protocol/session-state.ts';

/**
 * Raised whenever the form of the state or the meaning of an event changes: snapshots of another version are folded anew.
 * A test holds the fold of all kinds of events against it.
 */
export const foldVersion = 18;

/**
 * Changes of the state by one event; what is not named stays. Events may come in any order and, from the compatibility
 * channel, with any `data`: a part that makes no sense is left out, never thrown at.
 */
type Folder = (state: SessionState, event: SessionEvent) => Partial<SessionState> | undefined;

const folders: Record<KnownEventType, Folder> = {
  'execution:started': foldExecution,
  'execution:progress': foldExecution,
  'execution:completed': foldExecution,
  'execution:failed': foldExecution,
  'execution:lost': foldLost,
  'execution:halting': foldExecution,
  'execution:halted': foldExecution,
  'execution:resumed': foldExecution,
  'execution:rollback': foldExecution,
  'execution:redirect': foldExecution,
  'skill:started': foldSkill,
  'skill:progress': foldSkill,
  'skill:completed': foldSkill,
  'skill:failed': foldSkill,
  'skill:injected': foldSkill,
  'file:created': (state, event) => foldFile(state, event, 'created'),
  'file:modified': (state, event) => foldFile(state, event, 'modified'),
  'file:deleted': (state, event) => foldFile(state, event, 'deleted'),
  'file:changed': foldFiles,
  'decision:point': foldDecisionPoint,
  'decision:made': foldDecisionMade,
  'validation:started': foldValidation,
  'validation:output': foldValidation,
  'validation:result': foldValidation,
  'agent:spawned': foldAgent,
  'agent:progress': foldAgent,
  'agent:completed': foldAgent,
  'agent:waiting': foldWaiting,
  'message:user': foldMessage,
  'message:assistant': foldMessage,
  'tool:started': foldTool,
  'tool:completed': foldTool,
  'tool:failed': foldTool,
  'usage:reported': foldUsage,
  'checkpoint:created': foldCheckpoint,
  'checkpoint:saved': foldCheckpointSaved,
  'checkpoint:failed': unfolded,
  'process:output': unfolded,
  'process:screen': unfolded,
  'run:files-let-go': unfolded,
  'run:marked': foldMarked,
  'journal:lost': unfolded,
  'command:queued': foldCommand,
  'command:delivered': foldCommand,
  'command:applied': foldCommand,
  'command:failed': foldCommand,
  'command:rejected': foldCommand,
  'command:expired': foldCommand,
  'command:cancelled': foldCommand,
  'orchestrator:attached': foldOrchestrator,
  'orchestrator:detached': foldOrchestrator,
};

/** The session's state after one more event. Pure: the given state is not touched, parts that did not change are shared. */
export function fold(state: SessionState, event: SessionEvent): SessionState {
  const seen = asFolded(event);
  const at = seen.timestamp;
  const folder = isKnownType(seen.type) ? folders[seen.type] : unfolded;
  const before = withoutWaiting(state.lost !== null && isSignOfLife(seen.type) ? foundAgain(state) : state, seen);
  const next: SessionState = { ...before, ...folder(before, seen), seq: event.seq, updated_at: at };
  if (startsSession(event.type)) {
    if (next.status === 'created') next.status = 'running';
    // Started while the gate was closed: a HALT that fails gives back `running`, not `created`.
    if (next.halt?.from === 'created') next.halt = { ...next.halt, from: 'running' };
    next.started_at ??= at;
  }
  const last = lostWhereRecordingEnds(next);
  const after = isLive(last.status) ? last : { ...last, ...withNothingRunning(last, last.ended_at ?? at) };
  after.rollup = foldRollup(state, after, seen);
  return after;
}

/** Whether the state takes anything of the data of an event of this type. All that it takes of others is that there was one, and when. */
export function readsData(type: string): boolean {
  const { type: today } = todaysSpelling({ type, data: {} });
  return isKnownType(today) && folders[today] !== unfolded;
}

/** Whether an event of whose data the state takes nothing changes no more of it than `seq` and `updated_at`. */
export function isSettled({ status, lost, halt, started_at }: SessionState): boolean {
  return status !== 'created' && lost === null && halt?.from !== 'created' && started_at !== null;
}

/** Everything but commands, orchestrators, marks and the gate, which a session that is only created can have too. */
function startsSession(type: string): boolean {
  return !/^(?:command|orchestrator):|^execution:(?:halting|halted|lost)$|^run:marked$/.test(type);
}

/** Journalled, delivered and shown, without a part in the state. */
function unfolded(): undefined {
  return undefined;
}

/** The event as the folders take it: in today's spelling, an object for its `data`, the server's time for its `timestamp`. */
function asFolded(event: SessionEvent): SessionEvent {
  const data: unknown = event.data;
  const hasObject = typeof data === 'object' && data !== null;
  const seen =
    hasObject && event.received_at === undefined ? event : { ...event, timestamp: receivedAt(event), data: hasObject ? event.data : {} };
  return todaysSpelling(seen);
}

/** Folds events in their order. */
export function foldAll(state: SessionState, events: Iterable<SessionEvent>): SessionState {
  let next = state;
  for (const event of events) next = fold(next, event);
  return next;
}

function foldFile(state: SessionState, { data, timestamp }: SessionEvent, change: FileState['change']): Partial<SessionState> | undefined {
  const path = textField(data, 'path');
  if (path === null) return undefined;
  const at = state.files.findLastIndex((each) => each.path === path);
  const known = state.files[at];
  const isNew = known === undefined || known.change === 'deleted';
  const file: FileState = {
    path,
    change: change === 'modified' && !isNew ? known.change : change,
    lines_added: sum(known?.lines_added ?? 0, numberOf(data, 'lines_added') ?? 0),
    lines_removed: sum(known?.lines_removed ?? 0, numberOf(data, 'lines_removed') ?? 0),
    changes: (known?.changes ?? 0) + 1,
    agent_id: textField(data, 'agent_id') ?? known?.agent_id ?? null,
    updated_at: timestamp,
  };
  return withItem(state, 'files', at, file, () => true);
}

/** Many files at once. */
function foldFiles(state: SessionState, event: SessionEvent): Partial<SessionState> {
  let next = state;
  for (const change of ['created', 'modified', 'deleted'] as const) {
    const paths = event.data[change];
    if (!Array.isArray(paths)) continue;
    for (const path of paths) {
      next = { ...next, ...foldFile(next, { ...event, data: { path: path as unknown, agent_id: event.data['agent_id'] } }, change) };
    }
  }
  return { files: next.files, let_go: next.let_go };
}

function foldMarked(state: SessionState, { data }: SessionEvent): Partial<SessionState> {
  const marked = (mark: 'archived' | 'pinned') => (typeof data[mark] === 'boolean' ? data[mark] : state[mark]);
  return { archived: marked('archived'), pinned: marked('pinned') };
}

function foldValidation(state: SessionState, { type, data, timestamp }: SessionEvent): Partial<SessionState> | undefined {
  const checkName = textField(data, 'check_name') ?? state.validations.findLast((each) => each.status === 'running')?.check_name ?? null;
  if (checkName === null) return undefined;
  const at = state.validations.findLastIndex((each) => each.check_name === checkName);
  const known = type === 'validation:started' ? undefined : state.validations[at];
  let check: ValidationState = known ?? {
    check_name: checkName,
    status: 'running',
    command: textField(data, 'command'),
    message: null,
    exit_code: null,
    lines: [],
    started_at: timestamp,
    ended_at: null,
    duration_ms: null,
  };
  if (check.status === 'lost') check = { ...check, status: 'running', ended_at: null };
  if (type === 'validation:output') {
    const line = { stream: data['type'] === 'stderr' ? ('stderr' as const) : ('stdout' as const), line: textField(data, 'line') ?? '' };
    check = { ...check, lines: [...check.lines.slice(1 - foldLimits.validationLines), line] };
  }
  if (type === 'validation:result') {
    check = {
      ...check,
      status: data['success'] === true ? 'passed' : 'failed',
      message: textField(data, 'message'),
      exit_code: numberOf(data, 'exit_code'),
      ended_at: timestamp,
      duration_ms: lengthMs(data, check.started_at, timestamp),
    };
  }
  return withItem(state, 'validations', at, check, (each) => each.status !== 'running');
}

function foldCheckpoint(state: SessionState, { data, timestamp, seq }: SessionEvent): Partial<SessionState> | undefined {
  const checkpointId = textField(data, 'checkpoint_id');
  if (checkpointId === null) return undefined;
  const files = data['files'];
  const checkpoint = {
    checkpoint_id: checkpointId,
    label: textField(data, 'label'),
    step: numberOf(data, 'step'),
    files: Array.isArray(files) ? files.length : numberOf(data, 'files'),
    created_at: timestamp,
    seq,
  };
  const at = state.checkpoints.findLastIndex((each) => each.checkpoint_id === checkpointId);
  return withItem(state, 'checkpoints', at, checkpoint, () => true);
}

/** The snapshot is there, and says how many files it holds. */
function foldCheckpointSaved(state: SessionState, { data }: SessionEvent): Partial<SessionState> | undefined {
  const checkpointId = textField(data, 'checkpoint_id');
  const at = state.checkpoints.findLastIndex((each) => each.checkpoint_id === checkpointId);
  const known = state.checkpoints[at];
  const files = numberOf(data, 'files');
  return known === undefined || files === null ? undefined : withItem(state, 'checkpoints', at, { ...known, files }, () => true);
}
