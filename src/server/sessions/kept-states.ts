import type { z } from 'zod';
import { foldVersion } from '../../core/fold/fold.ts';
import { lostWhereRecordingEnds } from '../../core/fold/fold-lost.ts';
import { initialState, sessionState, type SessionState } from '../../core/protocol/session-state.ts';
import type { Journal, SessionHead, Snapshot } from '../../journal/journal.ts';

export interface KeptStatesParts {
  journal: Journal;
  onProblem: (error: unknown) => void;
}

/**
 * A state of a session that the journal has kept, from which its history is folded on: the newest one through an event, else the one
 * from which on retention has left the history, else that before the first event.
 */
export async function keptState(head: SessionHead, through: number, { journal, onProblem }: KeptStatesParts): Promise<SessionState> {
  const { session_id, cut } = head;
  const initial = stateBefore(head);
  const snapshot = await journal.loadSnapshot(session_id, { version: foldVersion, through: Math.min(through, head.seq) });
  if (snapshot !== undefined && snapshot.seq >= (cut ?? 0)) {
    const state = stateOf(snapshot, initial);
    if (state !== undefined) return state;
    onProblem(new Error(`The snapshot of ${session_id} is no state: its history is folded anew`));
  }
  if (cut === undefined) return initial;
  const base = await journal.loadBase(session_id);
  // It may have been cut further meanwhile.
  return (
    (base && (base.version === foldVersion ? stateOf(base, initial) : stateOfOther(base, initial))) ?? { ...initial, seq: base?.seq ?? cut }
  );
}

/** The state before the first event. */
export function stateBefore({ session_id, created_at, skills, metadata, imported }: SessionHead): SessionState {
  return lostWhereRecordingEnds(initialState({ session_id, created_at, skills, metadata, imported }));
}

/** A state as the journal keeps it. */
export function snapshotOf(state: SessionState): Snapshot {
  return { seq: state.seq, version: foldVersion, json: JSON.stringify(state) };
}

/** The state in a snapshot; undefined if it is none, or has not the parts that a state has now. */
function stateOf({ seq, json }: Snapshot, initial: SessionState): SessionState | undefined {
  const found = objectIn(json);
  if (found === undefined) return undefined;
  const isLike = ([key, value]: [string, unknown]) =>
    value === null || (typeof found[key] === typeof value && Array.isArray(found[key]) === Array.isArray(value));
  const isState = found['seq'] === seq && found['session_id'] === initial.session_id && Object.entries(initial).every(isLike);
  return isState ? (found as unknown as SessionState) : undefined;
}

/** The state that another version of the fold has left, which nothing can fold anew: all parts of it, and all items of its lists, that fit today. */
function stateOfOther({ seq, json }: Snapshot, initial: SessionState): SessionState | undefined {
  const found = objectIn(json);
  if (found === undefined) return undefined;
  const parts = Object.entries(sessionState.shape).flatMap(([key, schema]) => {
    const part = partOf(schema, found[key]);
    return part === undefined ? [] : [[key, part]];
  });
  return { ...initial, ...(Object.fromEntries(parts) as Partial<SessionState>), session_id: initial.session_id, seq };
}

function partOf(schema: z.ZodType, value: unknown): unknown {
  const { data, success } = schema.safeParse(value);
  if (success || !Array.isArray(value)) return data;
  return value.filter((item) => schema.safeParse([item]).success);
}

function objectIn(json: string): Record<string, unknown> | undefined {
  try {
    const value: unknown = JSON.parse(json);
    return typeof value === 'object' && value !== null ? (value as Record<string, unknown>) : undefined;
  } catch {
    return undefined;
  }
}
