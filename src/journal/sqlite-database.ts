import { randomBytes } from 'node:crypto';
import type { DatabaseSync, StatementSync } from 'node:sqlite';
import { receivedAt } from '../core/event.ts';
import type { SessionOrigin } from '../core/session-state.ts';
import type { JournalEvent, SessionHead, Snapshot } from './journal.ts';
import { eventFromJson, newEpoch, seqOfServerMadeId } from './stamping.ts';

/** Marks a SQLite file as a journal of ours (`PRAGMA application_id`): "ShDa". */
export const applicationId = 0x53684461;
const schemaVersion = 2;

/**
 * Events lie in chunks: some that follow each other in a session, the JSON of one a line. That is a tenth of the rows,
 * and of the time, that one row for each would take. Ids that the journal made itself say their own place; only those
 * of producers are kept apart.
 */
const schema = `
  CREATE TABLE meta (key TEXT PRIMARY KEY, value TEXT NOT NULL) STRICT, WITHOUT ROWID;
  CREATE TABLE sessions (
    key INTEGER PRIMARY KEY AUTOINCREMENT, session_id TEXT NOT NULL UNIQUE, epoch TEXT NOT NULL, created_at TEXT NOT NULL, origin TEXT NOT NULL,
    snapshot_seq INTEGER, snapshot_version INTEGER, snapshot TEXT
  ) STRICT;
  CREATE TABLE chunks (place INTEGER PRIMARY KEY, json TEXT NOT NULL) STRICT;
  CREATE TABLE event_ids (session INTEGER NOT NULL, id TEXT NOT NULL, seq INTEGER NOT NULL, PRIMARY KEY (session, id)) STRICT, WITHOUT ROWID;
`;

/** A chunk lies at the place of its first event: the upper bits are the session's key, the lower 32 the `seq`. */
const placesPerSession = 2 ** 32;
const pageBytes = 16 * 1_024;
/** Pages after which SQLite writes its WAL back: 2 MiB in about 8 ms, in which nobody is answered. Its own 1,000 pages take 50. */
const checkpointPages = 128;
/** Characters of JSON in one chunk; a single event may be larger. */
const chunkChars = 64 * 1_024;
/** Chunks read between two looks at the event loop, so that a rare filter over a long history holds up nobody. */
const scanChunks = 16;

type Row = Record<string, string | number | null>;

/** A session as the database has it. */
export interface StoredHead {
  key: number;
  head: SessionHead;
}

/** The events of a session that the database has yet to get: the newest ones, through `head.seq`. */
export interface NewestEvents extends StoredHead {
  /** The JSON of each. */
  unsettled: string[];
  /** The `seq` of those whose producer gave an id. */
  unsettledIds: Map<string, number>;
}

/** Opens or makes the file, and takes the lock that keeps a second server out. @throws SQLite's errors, or why this is no journal */
export async function openSqliteDatabase(path: string, fsync: boolean): Promise<SqliteDatabase> {
  const { DatabaseSync } = await import('node:sqlite');
  const file = new DatabaseSync(path, { timeout: 0 });
  try {
    prepareTables(file, fsync);
    return new SqliteDatabase(file);
  } catch (error) {
    file.close();
    throw error;
  }
}

/** The tables of a journal: the only place with SQL. Everything is done at once and throws SQLite's own errors. */
export class SqliteDatabase {
  readonly epoch: string;
  readonly secret: string;
  #deletions: number;
  readonly #database: DatabaseSync;
  readonly #statements: ReturnType<typeof prepareStatements>;

  constructor(database: DatabaseSync) {
    this.#database = database;
    this.#statements = prepareStatements(database);
    const meta = new Map((database.prepare('SELECT key, value FROM meta').all() as Row[]).map(({ key, value }) => [key, String(value)]));
    this.epoch = meta.get('epoch') ?? newEpoch();
    this.secret = meta.get('secret') ?? '';
    this.#deletions = Number(meta.get('deletions') ?? 0);
  }

  /** Where a session stands is told by its last event alone: nothing to write twice at every commit. */
  sessions(): StoredHead[] {
    const last = this.#database.prepare('SELECT place, json FROM chunks WHERE place >= ? AND place < ? ORDER BY place DESC LIMIT 1');
    const rows = this.#database.prepare('SELECT key, session_id, epoch, created_at, origin FROM sessions ORDER BY key').all() as Row[];
    return rows.map((row) => {
      const key = Number(row['key']);
      const session_id = String(row['session_id']);
      const chunk = last.get(placeOf(key, 0), placeOf(key + 1, 0)) as Row | undefined;
      const newest = chunk === undefined ? undefined : eventsOf(session_id, chunk).at(-1);
      const created_at = String(row['created_at']);
      const origin = JSON.parse(String(row['origin'])) as Pick<SessionOrigin, 'skills' | 'metadata'>;
      const updated_at = newest === undefined ? created_at : receivedAt(newest.event);
      return { key, head: { session_id, epoch: String(row['epoch']), created_at, updated_at, seq: newest?.seq ?? 0, ...origin } };
    });
  }

  /** The epoch that a session created now has: another one than that of a deleted session with the same id. */
  get epochOfNew(): string {
    return this.#deletions === 0 ? this.epoch : `${this.epoch}.${this.#deletions}`;
  }

  /** Takes the place of one without events that `dropEmptySession` could not take away. */
  insertSession(origin: SessionOrigin): StoredHead {
    const { session_id, created_at, skills, metadata } = origin;
    const epoch = this.epochOfNew;
    // Never `get`, which gives the row although the write behind it failed.
    const [row] = this.#statements.insertSession.all(session_id, epoch, created_at, JSON.stringify({ skills, metadata })) as Row[];
    return { key: Number(row?.['key']), head: { ...origin, epoch, seq: 0, updated_at: created_at } };
  }

  /** Takes back a session that was just created and has no events. */
  dropEmptySession(key: number): void {
    this.#statements.deleteSession.run(key);
  }

  deleteSession(key: number): void {
    this.#transaction(() => {
      this.#statements.deleteChunks.run(placeOf(key, 0), placeOf(key + 1, 0));
      this.#statements.deleteIds.run(key);
      this.#statements.deleteSession.run(key);
      this.#statements.setMeta.run(String(this.#deletions + 1), 'deletions');
    });
    this.#deletions++;
  }

  /** Keeps events of several sessions, those of each following what it has, and the ids that producers gave, in one transaction. */
  insertEvents(sessions: readonly NewestEvents[]): void {
    this.#transaction(() => {
      for (const { key, head, unsettled, unsettledIds } of sessions) {
        let seq = head.seq - unsettled.length + 1;
        for (const chunk of chunksOf(unsettled)) {
          this.#statements.insertChunk.run(placeOf(key, seq), chunk.join('\n'));
          seq += chunk.length;
        }
        for (const [id, place] of unsettledIds) this.#statements.insertId.run(key, id, place);
      }
    });
  }

  /** Some of the events after `after`, in order and without a gap; none where there are none. At least one chunk's. */
  *eventsAfter({ key, head }: StoredHead, after: number): Generator<JournalEvent> {
    const rows = this.#statements.chunksFrom.iterate(placeOf(key, 0), placeOf(key, after + 1), placeOf(key + 1, 0), scanChunks);
    for (const row of rows) for (const event of eventsOf(head.session_id, row as Row)) if (event.seq > after) yield event;
  }

  /** The event with this id; undefined if the tables have none. */
  findById(session: StoredHead, id: string): JournalEvent | undefined {
    const seq = seqOfServerMadeId(session.head.epoch, id) ?? (this.#statements.seqOfId.get(session.key, id) as Row | undefined)?.['seq'];
    if (typeof seq !== 'number') return undefined;
    const [found] = this.eventsAfter(session, seq - 1);
    return found?.event.id === id ? found : undefined;
  }

  saveSnapshot(key: number, { seq, version, json }: Snapshot): void {
    this.#statements.saveSnapshot.run(seq, version, json, key);
  }

  loadSnapshot(key: number): Snapshot | undefined {
    const row = this.#statements.loadSnapshot.get(key) as Row | undefined;
    if (row === undefined || row['snapshot'] === null) return undefined;
    return { seq: Number(row['snapshot_seq']), version: Number(row['snapshot_version']), json: String(row['snapshot']) };
  }

  close(): void {
    this.#database.close();
  }

  #transaction(work: () => void): void {
    this.#statements.begin.run();
    try {
      work();
      this.#statements.commit.run();
    } catch (error) {
      try {
        this.#statements.rollback.run();
      } catch {
        // SQLite may have rolled back by itself (a full disk); then there is nothing left to undo.
      }
      throw error;
    }
  }
}

function placeOf(key: number, seq: number): number {
  return key * placesPerSession + seq;
}

function eventsOf(sessionId: string, { place, json }: Row): JournalEvent[] {
  const first = Number(place) % placesPerSession;
  return String(json)
    .split('\n')
    .map((line, index) => eventFromJson(sessionId, first + index, line));
}

function* chunksOf(lines: readonly string[]): Generator<string[]> {
  let chunk: string[] = [];
  let chars = 0;
  for (const line of lines) {
    if (chunk.length > 0 && chars + line.length > chunkChars) {
      yield chunk;
      chunk = [];
      chars = 0;
    }
    chunk.push(line);
    chars += line.length;
  }
  if (chunk.length > 0) yield chunk;
}

function prepareTables(database: DatabaseSync, fsync: boolean): void {
  // One writer: the lock is taken once and held, which also keeps a second server out.
  database.exec('PRAGMA locking_mode = EXCLUSIVE');
  // Events come many at a time: large pages take fewer system calls. Counts for a new file only.
  database.exec(`PRAGMA page_size = ${pageBytes}`);
  // Made before the mode is WAL, so that the head of the file itself says from its first moment on whose it is.
  database.exec('BEGIN IMMEDIATE');
  const isNew = database.prepare('SELECT count(*) AS tables FROM sqlite_schema').get()?.['tables'] === 0;
  if (isNew) {
    database.exec(schema);
    database.exec(`PRAGMA application_id = ${applicationId}; PRAGMA user_version = ${schemaVersion}`);
    const insert = database.prepare('INSERT INTO meta (key, value) VALUES (?, ?)');
    insert.run('epoch', newEpoch());
    insert.run('secret', randomBytes(32).toString('base64url'));
    insert.run('deletions', '0');
  }
  database.exec('COMMIT');
  database.exec('PRAGMA journal_mode = WAL');
  database.exec(`PRAGMA synchronous = ${fsync ? 'FULL' : 'NORMAL'}`);
  database.exec(`PRAGMA wal_autocheckpoint = ${checkpointPages}; PRAGMA cache_size = -16000; PRAGMA temp_store = MEMORY`);
  const version = database.prepare('PRAGMA user_version').get()?.['user_version'];
  if (version !== schemaVersion) throw new Error(`it has format ${String(version)}, this version reads ${schemaVersion}`);
}

function prepareStatements(
  database: DatabaseSync,
): Record<
  | 'begin'
  | 'commit'
  | 'rollback'
  | 'insertSession'
  | 'insertChunk'
  | 'insertId'
  | 'seqOfId'
  | 'chunksFrom'
  | 'deleteChunks'
  | 'deleteIds'
  | 'deleteSession'
  | 'setMeta'
  | 'saveSnapshot'
  | 'loadSnapshot',
  StatementSync
> {
  return {
    begin: database.prepare('BEGIN IMMEDIATE'),
    commit: database.prepare('COMMIT'),
    rollback: database.prepare('ROLLBACK'),
    insertSession: database.prepare(
      `INSERT INTO sessions (session_id, epoch, created_at, origin) VALUES (?, ?, ?, ?) ON CONFLICT (session_id)
       DO UPDATE SET epoch = excluded.epoch, created_at = excluded.created_at, origin = excluded.origin RETURNING key`,
    ),
    insertChunk: database.prepare('INSERT INTO chunks (place, json) VALUES (?, ?)'),
    insertId: database.prepare('INSERT INTO event_ids (session, id, seq) VALUES (?, ?, ?)'),
    seqOfId: database.prepare('SELECT seq FROM event_ids WHERE session = ? AND id = ?'),
    chunksFrom: database.prepare(
      'SELECT place, json FROM chunks WHERE place >= (SELECT max(place) FROM chunks WHERE place >= ? AND place <= ?) AND place < ? ORDER BY place LIMIT ?',
    ),
    deleteChunks: database.prepare('DELETE FROM chunks WHERE place >= ? AND place < ?'),
    deleteIds: database.prepare('DELETE FROM event_ids WHERE session = ?'),
    deleteSession: database.prepare('DELETE FROM sessions WHERE key = ?'),
    setMeta: database.prepare('UPDATE meta SET value = ? WHERE key = ?'),
    saveSnapshot: database.prepare('UPDATE sessions SET snapshot_seq = ?, snapshot_version = ?, snapshot = ? WHERE key = ?'),
    loadSnapshot: database.prepare('SELECT snapshot_seq, snapshot_version, snapshot FROM sessions WHERE key = ?'),
  };
}
