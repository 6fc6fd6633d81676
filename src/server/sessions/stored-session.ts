import type { SessionState } from '../../core/protocol/session-state.ts';
import { isReplay } from '../../core/recording/replay-of.ts';
import type { SessionHead } from '../../journal/journal.ts';
import { briefOf, type SessionBrief } from './session-brief.ts';

/** What of a session stays in memory always. */
export interface StoredSession {
  head: SessionHead;
  /** The fold at `head.seq`; undefined while it is not in memory. */
  state: SessionState | undefined;
  /** What the session's brief follows from while its state is not in memory. It stands at its first event until the session is folded once. */
  briefState: SessionState;
  snapshotSeq: number;
  loading: Promise<SessionState> | undefined;
  /** Another server has written to it since, and nobody here has asked for that yet: `head` and all that is known of it are of before. */
  isBehind: boolean;
}

/** Whether what happened in a session did not happen in another one, of which it is a replay. */
export function isOfItsOwn({ head }: StoredSession): boolean {
  return !isReplay(head);
}

/** Whether memory has a session as the journal has it. */
export function isCurrent({ head, state, briefState, isBehind }: StoredSession): boolean {
  return !isBehind && (state ?? briefState).seq === head.seq;
}

/** What analytics take of a session: its whole state, or what memory has of it. */
export function rolledUp({ state, briefState }: StoredSession): SessionState {
  return state ?? briefState;
}

/** The short form of a session: what lists show of it. */
export function brief({ state, briefState }: StoredSession): SessionBrief {
  return briefOf(state ?? briefState);
}
