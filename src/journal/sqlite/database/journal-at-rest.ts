import { statSync } from 'node:fs';
import { pathToFileURL } from 'node:url';
import type { DatabaseSync } from 'node:sqlite';
import { applicationId } from './application-id.ts';

/** A session as the journal's file has it. `status` and `task` are null where no snapshot tells them. */
export interface SessionAtRest {
  session_id: string;
  updated_at: string;
  status: string | null;
  task: string | null;
}

/** A longer snapshot is not looked into for a list: it would cost more time than its status is worth. */
const longestListedChars = 256 * 1_024;

/**
 * Opens a journal's file to look at what is in it, and leaves no trace: no lock, no file beside it, no change. A server that has the
 * journal, or starts meanwhile, does not notice. So nothing of its write-ahead log is seen, and what is seen may be a moment of a
 * write: good for a shell's completions, and for nothing that has to be right.
 * @returns undefined where there is no journal of ours
 */
export async function openJournalAtRest(path: string): Promise<JournalAtRest | undefined> {
  // A named pipe or a device would hold up whoever opens it.
  if (statSync(path, { throwIfNoEntry: false })?.isFile() !== true) return undefined;
  const { DatabaseSync } = await import('node:sqlite');
  const url = pathToFileURL(path);
  url.searchParams.set('immutable', '1');
  const database = new DatabaseSync(url, { readOnly: true });
  if (database.prepare('PRAGMA application_id').get()?.['application_id'] === applicationId) return new JournalAtRest(database);
  database.close();
  return undefined;
}

/** What a journal's file holds. Every method throws SQLite's own errors. */
export class JournalAtRest {
  readonly #database: DatabaseSync;

  constructor(database: DatabaseSync) {
    this.#database = database;
  }

  /** Those that changed last first. */
  sessions(limit: number): SessionAtRest[] {
    const isListed = `length(snapshots.json) <= ${longestListedChars} AND json_valid(snapshots.json)`;
    const rows = this.#database
      .prepare(
        `SELECT sessions.session_id, heads.updated_at,
           CASE WHEN snapshots.seq = heads.seq AND ${isListed} THEN json_extract(snapshots.json, '$.status') END AS status,
           CASE WHEN ${isListed} THEN json_extract(snapshots.json, '$.task') END AS task
         FROM heads JOIN sessions ON sessions.key = heads.session LEFT JOIN snapshots ON snapshots.session = heads.session
         ORDER BY heads.updated_at DESC LIMIT ?`,
      )
      .all(limit);
    return rows as unknown as SessionAtRest[];
  }

  /** The JSON of the state that was saved last of a session. */
  snapshot(session: string): string | undefined {
    const row = this.#database
      .prepare('SELECT json FROM snapshots JOIN sessions ON sessions.key = snapshots.session WHERE session_id = ?')
      .get(session);
    return typeof row?.['json'] === 'string' ? row['json'] : undefined;
  }

  close(): void {
    this.#database.close();
  }
}
