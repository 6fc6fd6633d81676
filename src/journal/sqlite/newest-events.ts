import type { JournalEvent, SessionHead } from '../journal.ts';
import { eventFromJson } from '../stamping.ts';
import type { Block } from './database/blocks.ts';

/** A session, and those of its events that the database has yet to get: the newest ones, through `head.seq`. */
export interface NewestEvents {
  /** Its number in the database; undefined while the database does not have it. */
  key: number | undefined;
  head: SessionHead;
  /** The JSON of each. */
  waiting: string[];
  /** The `seq` of those whose producer gave an id. */
  waitingIds: Map<string, number>;
  /** The newest events that the database has, as far as they make no whole block yet. */
  block?: Block | undefined;
  /** Why it takes no more events: a clause. */
  refusal?: string | undefined;
}

/** The newest event that the database has. */
export function databaseSeq({ head, waiting }: NewestEvents): number {
  return head.seq - waiting.length;
}

/** One of those that the database has yet to get. */
export function waitingEvent(session: NewestEvents, seq: number): JournalEvent {
  return eventFromJson(session.head.session_id, seq, session.waiting[seq - databaseSeq(session) - 1] ?? '');
}
