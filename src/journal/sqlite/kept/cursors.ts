import type { Cursor } from '../../../core/protocol/event.ts';
import type { NewestEvents } from '../newest-events.ts';
import type { SqliteDatabase } from '../database/sqlite-database.ts';
import type { WriteBack } from '../write-back.ts';

interface CursorParts {
  database: SqliteDatabase;
  writes: WriteBack;
  sessions: ReadonlyMap<string, NewestEvents>;
}

/** Saves the cursors of a reader, of the sessions that are there with the same history. */
export function saveCursors({ database, writes, sessions }: CursorParts, reader: string, cursors: ReadonlyMap<string, Cursor>): void {
  const known = [...cursors].flatMap(([sessionId, { epoch, seq }]) => {
    const session = sessions.get(sessionId);
    return session?.head.epoch === epoch && session.refusal === undefined ? [{ session, seq }] : [];
  });
  for (const { session, seq } of known) writes.moveThrough(session, seq);
  database.saveCursors(reader, new Map(known.flatMap(({ session: { key }, seq }) => (key === undefined ? [] : [[key, seq]]))));
}

/** The cursors of a reader, by the ids of sessions. */
export function loadCursors({ database, sessions }: CursorParts, reader: string): Map<string, Cursor> | undefined {
  const seqs = database.loadCursors(reader);
  if (seqs === undefined) return undefined;
  const cursors = new Map<string, Cursor>();
  for (const { key, head } of sessions.values()) {
    const seq = key === undefined ? undefined : seqs.get(key);
    if (seq !== undefined) cursors.set(head.session_id, { epoch: head.epoch, seq });
  }
  return cursors;
}
