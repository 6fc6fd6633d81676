import type { EventFilter } from '../../core/event-filter.ts';
import type { Cursor } from '../../core/protocol/event.ts';
import type { SessionState } from '../../core/protocol/session-state.ts';
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
  /** It is a recording: what it tells happened elsewhere, or long ago. */
  isImported: boolean;
  /** The newest event that retention has taken away by now; 0: none. */
  cut(): number;
  read(range: ReadRange): Promise<JournalEvent[]>;
  /** To be called once nothing more is read. */
  close(): void;
}

/** A state, the history that it is of, and where that begins. */
export type StateAnswer = SessionState & { epoch: string; first_available?: number };

/** Where a history begins of which retention has taken something, for an answer. */
export function firstAvailable({ cut }: { cut?: number | undefined }): { first_available?: number } {
  return cut === undefined || cut === 0 ? {} : { first_available: cut + 1 };
}

export interface WatchOptions {
  /** Where to go on. Without an epoch, it is a place in the history of today. */
  after?: { epoch?: string | undefined; seq: number } | undefined;
  filter: EventFilter;
  /** Called with the place where the subscription starts, before anything is delivered. */
  onJoined?: (cursor: Cursor) => void;
}
