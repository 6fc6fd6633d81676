import type { Cursor, SessionEvent } from '../../core/protocol/event.ts';
import type { SessionGapMessage } from '../../core/protocol/messages.ts';
import type { SessionState } from '../../core/protocol/session-state.ts';
import type { ConnectionState, ConnectOptions } from '../connection/connection.ts';

export interface WatchOptions extends ConnectOptions {
  /** Absent: every session. */
  session?: string | undefined;
  /** Where to begin in the session's history: after this place, or at its first event. Absent: with what comes now. */
  after?: Cursor | 'start' | undefined;
  /** Globs over the type, as `skill:*`. With them no state is kept: a fold of some events would be a lie. */
  eventTypes?: string[] | undefined;
}

/** What happened, in the order in which it happened. */
export type WatchUpdate =
  /** The state as a whole: at the beginning, after a gap, when the session is created. */
  | { kind: 'state'; session_id: string; state: SessionState; epoch: string }
  /** Events of one session in order, and the state after the last of them (undefined where none is kept). */
  | { kind: 'events'; session_id: string; events: SessionEvent[]; state: SessionState | undefined }
  /** Events between the cursor and the `state` that follows are not to be had any more. */
  | { kind: 'gap'; gap: SessionGapMessage }
  | { kind: 'connection'; connection: ConnectionState }
  | { kind: 'created'; session_id: string }
  | { kind: 'deleted'; session_id: string };

/**
 * Follows one session, or all of them. Of one session every event is seen once and in order, over reconnects and restarts
 * of the server. Of all sessions, what happened while the connection was away is seen in their states only.
 *
 * `for await (const event of watcher)` takes the events, one loop at a time; it ends with `close`, and throws when the
 * server refuses the watcher for good. When 10,000 events wait for the loop, no more are fetched until half are taken.
 */
export interface Watcher extends AsyncIterable<SessionEvent>, AsyncDisposable {
  /** Null: every session. */
  readonly session: string | null;
  /** The session's state now; undefined before it exists, with `eventTypes`, and for every session. */
  readonly state: SessionState | undefined;
  /** The states known, by session id; those that changed last stand last. */
  readonly states: ReadonlyMap<string, SessionState>;
  /** Where to go on from later; undefined before the session exists, and for every session. */
  readonly cursor: Cursor | undefined;
  readonly connection: ConnectionState;
  /** A listener that is added at once after `await connectWatcher(...)` misses nothing. */
  onUpdate(listener: (update: WatchUpdate) => void): () => void;
  close(): Promise<void>;
}
