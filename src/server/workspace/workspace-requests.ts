import type { EventFilter } from '../../core/event-filter.ts';
import type { Cursor } from '../../core/protocol/event.ts';
import type { JournalEvent, ReadRange } from '../../journal/journal.ts';

/** How an edge publishes. */
export interface PublishOptions {
  /** Throws where the connection may not publish to the session. */
  checkSession?: (sessionId: string) => void;
  /** Called with the session before anything is written, once it is known that the caller may. */
  onSession?: (sessionId: string) => void;
  /** Whether the sender waits for the acknowledgement. */
  wantsAnswer: boolean;
}

/** The history of a session, to be read piece by piece. */
export interface SessionHistory {
  epoch: string;
  /** The newest event when the history was asked for. */
  seq: number;
  read(range: ReadRange): Promise<JournalEvent[]>;
  /** To be called once nothing more is read. */
  close(): void;
}

export interface WatchOptions {
  /** Where to go on. Without an epoch, it is a place in the history of today. */
  after?: { epoch?: string | undefined; seq: number } | undefined;
  filter: EventFilter;
  /** Called with the place where the subscription starts, before anything is delivered. */
  onJoined?: (cursor: Cursor) => void;
}
