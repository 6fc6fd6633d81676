import { randomBytes } from 'node:crypto';
import type { DatabaseSync } from 'node:sqlite';
import { OpenRefusal } from '../open-refusal.ts';
import { newEpoch } from '../../stamping.ts';
import { applicationId } from './application-id.ts';

const schemaVersion = 7;

/**
 * Events lie in chunks: some that follow each other in a session, the JSON of one a line. That is a tenth of the rows,
 * and of the time, that one row for each would take. Ids that the journal made itself say their own place; only those
 * of producers are kept apart. In `aside` is what could not be put where it belongs.
 */
const schema = `
  CREATE TABLE meta (key TEXT PRIMARY KEY, value TEXT NOT NULL) STRICT, WITHOUT ROWID;
  CREATE TABLE sessions (
    key INTEGER PRIMARY KEY AUTOINCREMENT, session_id TEXT NOT NULL UNIQUE, epoch TEXT NOT NULL, created_at TEXT NOT NULL, origin TEXT NOT NULL
  ) STRICT;
  CREATE TABLE chunks (place INTEGER PRIMARY KEY, json TEXT NOT NULL, sum INTEGER) STRICT;
  CREATE TABLE event_ids (session INTEGER NOT NULL, id TEXT NOT NULL, seq INTEGER NOT NULL, PRIMARY KEY (session, id)) STRICT, WITHOUT ROWID;
  CREATE TABLE aside (session_id TEXT PRIMARY KEY, head TEXT NOT NULL, lines TEXT NOT NULL) STRICT, WITHOUT ROWID;
`;

/** Apart from the sessions, so that a start reads neither events nor snapshots. */
const headsAndSnapshots = `
  CREATE TABLE heads (session INTEGER PRIMARY KEY, seq INTEGER NOT NULL, updated_at TEXT NOT NULL, sum INTEGER NOT NULL) STRICT;
  CREATE TABLE snapshots (session INTEGER PRIMARY KEY, seq INTEGER NOT NULL, version INTEGER NOT NULL, json TEXT NOT NULL, sum INTEGER) STRICT;
`;

/** How far readers have come that keep their place. A row for session 0 says that one of this name has been there. */
const cursors = `
  CREATE TABLE cursors (
    reader TEXT NOT NULL, session INTEGER NOT NULL, seq INTEGER NOT NULL, PRIMARY KEY (reader, session)
  ) STRICT, WITHOUT ROWID;
`;

/** What blocks of events are, in few pages: who looks for a rare type or a time reads no others. And earlier states, packed. */
const blocksAndRungs = `
  CREATE TABLE blocks (
    place INTEGER PRIMARY KEY, through INTEGER NOT NULL, earliest TEXT NOT NULL, latest TEXT NOT NULL, types TEXT, sum INTEGER NOT NULL
  ) STRICT;
  CREATE TABLE rungs (place INTEGER PRIMARY KEY, version INTEGER NOT NULL, sum INTEGER NOT NULL, state BLOB NOT NULL) STRICT;
`;

/** The states at the places up to which retention has taken the events of sessions. */
const bases = `
  CREATE TABLE bases (session INTEGER PRIMARY KEY, seq INTEGER NOT NULL, version INTEGER NOT NULL, sum INTEGER NOT NULL, state BLOB NOT NULL) STRICT;
`;

/** What brings a journal of the version before to this one. */
const migrations: Partial<Record<number, string>> = {
  2: `
    ALTER TABLE chunks ADD COLUMN sum INTEGER;
    ALTER TABLE sessions ADD COLUMN snapshot_sum INTEGER;
    CREATE TABLE aside (session_id TEXT PRIMARY KEY, head TEXT NOT NULL, lines TEXT NOT NULL) STRICT, WITHOUT ROWID;
    INSERT INTO meta (key, value) VALUES ('commits', '0'), ('open', '0');
  `,
  3: `
    ${headsAndSnapshots}
    INSERT INTO snapshots (session, seq, version, json, sum)
      SELECT key, snapshot_seq, snapshot_version, snapshot, snapshot_sum FROM sessions WHERE snapshot IS NOT NULL;
    ALTER TABLE sessions DROP COLUMN snapshot;
    ALTER TABLE sessions DROP COLUMN snapshot_seq;
    ALTER TABLE sessions DROP COLUMN snapshot_version;
    ALTER TABLE sessions DROP COLUMN snapshot_sum;
  `,
  4: cursors,
  5: blocksAndRungs,
  6: bases,
};

const pageBytes = 16 * 1_024;
/** Pages after which SQLite writes its WAL back: 2 MiB in about 8 ms, in which nobody is answered. Its own 1,000 pages take 50. */
export const checkpointPages = 128;

/** Takes the lock that keeps a second server out. @throws SQLite's error, BUSY if there is one */
export function takeLock(database: DatabaseSync, isNew = false): void {
  // One writer: the lock is taken once and held.
  database.exec('PRAGMA locking_mode = EXCLUSIVE');
  // Events come many at a time: large pages take fewer system calls. And retention can give free pages back to the disk: in a file
  // of an older version, whose pages stay, they are used again.
  if (isNew) database.exec(`PRAGMA page_size = ${pageBytes}; PRAGMA auto_vacuum = INCREMENTAL`);
  database.exec('BEGIN IMMEDIATE');
}

/** Makes the tables of a file that has none, or brings them up to date; behind `takeLock`. @throws OpenRefusal, SQLite's errors */
export function prepareTables(database: DatabaseSync, fsync: boolean): void {
  const isNew = database.prepare('SELECT count(*) AS tables FROM sqlite_schema').all()[0]?.['tables'] === 0;
  if (isNew) {
    // Before the mode is WAL, so that the head of the file itself says from its first moment on whose it is.
    database.exec(schema + headsAndSnapshots + cursors + blocksAndRungs + bases);
    database.exec(`PRAGMA application_id = ${applicationId}; PRAGMA user_version = ${schemaVersion}`);
    const insert = database.prepare('INSERT INTO meta (key, value) VALUES (?, ?)');
    const meta = { epoch: newEpoch(), secret: randomBytes(32).toString('base64url'), deletions: '0', commits: '0', open: '0' };
    for (const [key, value] of Object.entries(meta)) insert.run(key, value);
  } else {
    migrate(database);
  }
  database.exec('COMMIT');
  database.exec('PRAGMA journal_mode = WAL');
  database.exec(`PRAGMA synchronous = ${fsync ? 'FULL' : 'NORMAL'}`);
  database.exec(`PRAGMA wal_autocheckpoint = ${checkpointPages}; PRAGMA cache_size = -16000; PRAGMA temp_store = MEMORY`);
  // What is deleted is overwritten: nothing of it stays in the file.
  database.exec('PRAGMA secure_delete = ON');
}

/** Brings the tables up to date, within a transaction. @returns the version that they had @throws OpenRefusal, SQLite's errors */
export function migrate(database: DatabaseSync): number {
  let before: number | undefined;
  for (;;) {
    const version = Number(database.prepare('PRAGMA user_version').all()[0]?.['user_version']);
    before ??= version;
    if (version === schemaVersion) return before;
    const migration = migrations[version];
    if (migration === undefined) throw unknownFormat(version);
    database.exec(`${migration}; PRAGMA user_version = ${version + 1}`);
  }
}

function unknownFormat(version: number): OpenRefusal {
  return version > schemaVersion
    ? new OpenRefusal('newer', `a newer shannon-dash has written it (format ${version}, this one reads up to ${schemaVersion})`)
    : new OpenRefusal('failed', `it has format ${version}, which no release has written`);
}
