import type { SessionGapMessage, SessionStateMessage } from '../../../core/protocol/messages.ts';
import type { JournalEvent } from '../../../journal/journal.ts';
import type { Delivery } from './delivery.ts';

/** The messages about a session that are not events of it. Filters do not apply to them. */
export type SessionMessage =
  | { name: 'session:state'; payload: SessionStateMessage }
  | { name: 'session:gap'; payload: SessionGapMessage }
  | { name: 'session:created' | 'session:deleted'; payload: { session_id: string; timestamp: string } };

/** A reader of sessions: a Socket.IO client, an SSE or NDJSON stream. Its methods throw nothing but what `read` or `message` throws. */
export interface Watcher {
  /** New events, live. */
  deliver(delivery: Delivery): void;
  /** Sends events of the past: it reads them once there is room. Resolves when they are written, with false when the reader is gone. */
  replay(read: () => Promise<readonly JournalEvent[]>): Promise<boolean>;
  tell(message: SessionMessage): void;
  /** The same for a message that may be large. */
  tellPaced(message: () => Promise<SessionMessage | undefined>): Promise<boolean>;
  /** Resolves once little data waits for the reader. */
  drained(): Promise<void>;
  /** Cuts the reader, which reconnects with its cursor. */
  cut(): void;
}

/** A watcher's place in one session, or in all of them. */
export interface Subscription {
  readonly sessionId: string | undefined;
  /** Resolves once the states that it begins with are written. */
  readonly joined: Promise<void>;
  close(): void;
}
