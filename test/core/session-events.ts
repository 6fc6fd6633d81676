import type { SessionEvent } from '../../src/core/protocol/event.ts';
import { foldAll } from '../../src/core/fold/fold.ts';
import { initialState, type SessionState } from '../../src/core/protocol/session-state.ts';

const start = Date.parse('2026-01-01T00:00:00.000Z');

/** The time of the event with this `seq` in a list made by `eventsOf`: a second apart. */
export function timeOf(seq: number): string {
  return new Date(start + seq * 1_000).toISOString();
}

/** Events as a journal would hold them, a second apart. */
export function eventsOf(given: readonly (readonly [type: string, data?: Record<string, unknown>])[], after = 0): SessionEvent[] {
  return given.map(([type, data], at) => {
    const seq = after + at + 1;
    return { session_id: 's', seq, id: `e${seq}`, type, timestamp: timeOf(seq), data: data ?? {} };
  });
}

/** The state of a session that is only created. */
export function createdState(): SessionState {
  return initialState({ session_id: 's', created_at: timeOf(0) });
}

/** The state after these events. */
export function stateAfter(...given: readonly (readonly [type: string, data?: Record<string, unknown>])[]): SessionState {
  return foldAll(createdState(), eventsOf(given));
}
