import type { SessionState } from '../core/protocol/session-state.ts';
import type { LogLine } from './log/log-lines.ts';
import type { Style } from './style.ts';

/** What is said of the connection. */
interface ConnectionView {
  status: 'connecting' | 'live' | 'reconnecting' | 'closed';
  /** Failed attempts since the last time it was live. */
  attempt: number;
  /** When the next attempt starts, in milliseconds since 1970; null while none is planned. */
  retryAt: number | null;
  /** Of the last ping. */
  latencyMs: number | null;
  /** Why it is not live. */
  error: string | null;
}

/** One session in the overview. */
export interface SessionSummary {
  state: SessionState;
  eventsPerSecond: number;
  /** The events of each of the last seconds, the latest last. */
  lastSeconds?: (seconds: number) => readonly number[];
}

/** What is known and shown, on any screen: the same model gives the same words. */
export interface ViewModel {
  style: Style;
  /** Now by this machine's clock; `style.nowMs` is told by the server's, and may stand still. */
  wallMs: number;
  url: string;
  isReadonly: boolean;
  connection: ConnectionView;
  lastEventMs: number | null;
  /** Events still to come after a reconnect. */
  catchingUp: { from: number; to: number } | null;
  /** Events that were never seen, since when that is known. */
  missed: { events: number | null; sinceMs: number } | null;
  eventsPerSecond: number;
  /** The session on screen: of now, or of a moment of its history. */
  state: SessionState | undefined;
  /** The session as it is now, also while history is on screen. */
  live: SessionState | undefined;
  sessions: readonly SessionSummary[];
  lines: readonly LogLine[];
  /** Events that overload has kept out of the log. */
  notShown: number;
  globs: readonly string[];
}
