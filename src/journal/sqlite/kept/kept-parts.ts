import type { SqliteDatabase } from '../database/sqlite-database.ts';
import type { NewestEvents } from '../newest-events.ts';
import type { WriteBack } from '../write-back.ts';

/** What is needed to write something beside the events, in several turns of the event loop. */
export interface KeptParts {
  database: SqliteDatabase;
  writes: WriteBack;
  isOpen: () => boolean;
  /** Whether the session can still be written. */
  isThere: (session: NewestEvents) => boolean;
  /** Turns what the database throws into an error of the journal. */
  guarded: <Result>(work: () => Result) => Result;
}

/** @param parts of the journal's keeper */
export function keptPartsOf(
  { database, writes, sessions }: Pick<KeptParts, 'database' | 'writes'> & { sessions: ReadonlyMap<string, NewestEvents> },
  isOpen: KeptParts['isOpen'],
  guarded: KeptParts['guarded'],
): KeptParts {
  const isThere = (session: NewestEvents) => isOpen() && sessions.get(session.head.session_id) === session && session.refusal === undefined;
  return { database, writes, isOpen, isThere, guarded };
}
