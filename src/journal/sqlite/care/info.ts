import { realpathSync, statSync } from 'node:fs';
import { resolve as resolvePath } from 'node:path';
import type { DatabaseSync } from 'node:sqlite';
import { readLog } from '../commit-log-text.ts';
import { applicationId } from '../database/application-id.ts';
import { checkpointPages, migrate, takeLock } from '../database/sqlite-schema.ts';
import { sqliteCodeOf } from '../database/sqlite-codes.ts';
import { KeptWal } from '../files/companion-files.ts';
import { claimJournalFile, takenBy } from '../files/sqlite-file.ts';
import { OpenRefusal } from '../open-refusal.ts';
import { fileBytes } from './file-bytes.ts';
import { openDatabase } from './open-database.ts';

/** What there is to know of a journal that no server has. */
export interface JournalInfo {
  path: string;
  /** Of its files together. */
  size_bytes: number;
  /** Of these: what holds nothing any more. */
  free_bytes: number;
  /** The version of its tables. */
  format: number;
  sessions: number;
  events: number;
  created_at: string | null;
  updated_at: string | null;
  /** Commits that a sudden end has left in the log: the next server takes them over. */
  waiting_commits: number;
}

/** Looks at a journal that no server has, and leaves it as it is. @throws OpenRefusal, SQLite's errors */
export async function infoOfJournal(given: string): Promise<JournalInfo> {
  const path = realpathSync(resolvePath(given));
  return locked(path, (database) => {
    database.exec('BEGIN IMMEDIATE');
    const format = migrate(database);
    const [sums] = database
      .prepare(
        `SELECT count(*) AS sessions, coalesce(sum(heads.seq - coalesce(bases.seq, 0)), 0) AS events, min(created_at) AS created_at, max(updated_at) AS updated_at
         FROM sessions LEFT JOIN heads ON heads.session = sessions.key LEFT JOIN bases ON bases.session = sessions.key`,
      )
      .all() as unknown as Pick<JournalInfo, 'sessions' | 'events' | 'created_at' | 'updated_at'>[];
    const commits = Number(database.prepare(`SELECT value FROM meta WHERE key = 'commits'`).all()[0]?.['value'] ?? 0);
    const pragma = (name: string) => Number(Object.values(database.prepare(`PRAGMA ${name}`).all()[0] ?? {})[0]);
    const free_bytes = pragma('freelist_count') * pragma('page_size');
    database.exec('ROLLBACK');
    const waiting = readLog(fileBytes(`${path}-log`)).commits.filter(({ number }) => number === undefined || number > commits);
    return { path, size_bytes: sizeOf(path), free_bytes, format, ...(sums as NonNullable<typeof sums>), waiting_commits: waiting.length };
  });
}

/**
 * Writes a journal that no server has anew, without what is free in it. What a sudden end has left in its log stays there.
 * @throws OpenRefusal, SQLite's errors; then it is as it was
 */
export async function compactJournal(given: string): Promise<{ path: string; before: number; after: number }> {
  const path = realpathSync(resolvePath(given));
  const before = sizeOf(path);
  await locked(path, (database, written) => {
    database.exec(
      `PRAGMA wal_autocheckpoint = ${checkpointPages}; PRAGMA secure_delete = ON; PRAGMA auto_vacuum = INCREMENTAL; VACUUM; PRAGMA wal_checkpoint(TRUNCATE)`,
    );
    written();
  });
  return { path, before, after: sizeOf(path) };
}

/**
 * Forgets the states that a journal keeps so that they need not be folded again, and with them the rollups for analytics: the next
 * server folds every session from its events.
 * @throws OpenRefusal, SQLite's errors; then it is as it was
 */
export async function forgetStates(given: string): Promise<{ path: string; sessions: number }> {
  const path = realpathSync(resolvePath(given));
  const sessions = await locked(path, (database, written) => {
    database.exec('PRAGMA secure_delete = ON; BEGIN IMMEDIATE');
    migrate(database);
    const forgotten = Number(database.prepare('SELECT count(*) AS states FROM snapshots').all()[0]?.['states']);
    database.exec('DELETE FROM snapshots; DELETE FROM rungs; COMMIT; PRAGMA wal_checkpoint(TRUNCATE)');
    written();
    return forgotten;
  });
  return { path, sessions };
}

/** Works with the tables while no server can open them. What lies beside them stays as it is, unless `work` says that it has written all. */
async function locked<Result>(path: string, work: (database: DatabaseSync, written: () => void) => Result): Promise<Result> {
  const { isNew, release } = claimJournalFile(path, applicationId);
  const wal = new KeptWal(path);
  let database: DatabaseSync | undefined;
  let isWritten = false;
  try {
    // SQLite would begin a database in it, which no journal is.
    if (isNew) throw new OpenRefusal('damaged', 'it is empty');
    database = await openDatabase(path);
    takeLock(database);
    // The lock stays.
    database.exec('COMMIT');
    return work(database, () => (isWritten = true));
  } catch (error) {
    const code = sqliteCodeOf(error);
    throw code === 5 || code === 6 ? takenBy(path, error) : error;
  } finally {
    database?.close();
    if (!isWritten) wal.putBack();
    release();
  }
}

function sizeOf(path: string): number {
  return ['', '-wal', '-log'].reduce((sum, ending) => sum + (statSync(path + ending, { throwIfNoEntry: false })?.size ?? 0), 0);
}
