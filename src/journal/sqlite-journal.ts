import { randomBytes } from 'node:crypto';
import { statSync } from 'node:fs';
import { resolve as resolvePath } from 'node:path';
import type { DatabaseSync, StatementSync } from 'node:sqlite';
import { ShannonDashError } from '../core/errors.ts';
import type { SessionEvent } from '../core/event.ts';
import type { SessionOrigin } from '../core/session-state.ts';
import { AppendQueue, type PendingAppend } from './append-queue.ts';
import {
  JournalEvent,
  type AppendOptions,
  type AppendResult,
  type Journal,
  type JournalChange,
  type JournalListener,
  type NewEvent,
  type ReadRange,
  type SessionHead,
  type Snapshot,
} from './journal.ts';
import { claimJournalFile, codeOf } from './sqlite-file.ts';
import { newEpoch, seqOfServerMadeId, serverMadeId, stamp } from './stamping.ts';

/** Marks a SQLite file as a journal of ours (`PRAGMA application_id`): "ShDa". */
const applicationId = 0x53684461;
const schemaVersion = 1;
/** Rows scanned between two looks at the event loop, so that a rare filter over a long history holds up nobody. */
const scanRows = 2_000;

const schema = `
  CREATE TABLE meta (key TEXT PRIMARY KEY, value TEXT NOT NULL) STRICT, WITHOUT ROWID;
  CREATE TABLE sessions (
    key INTEGER PRIMARY KEY AUTOINCREMENT, session_id TEXT NOT NULL UNIQUE, epoch TEXT NOT NULL, created_at TEXT NOT NULL, origin TEXT NOT NULL,
    snapshot_seq INTEGER, snapshot_version INTEGER, snapshot TEXT
  ) STRICT;
  CREATE TABLE events (place INTEGER PRIMARY KEY, type TEXT NOT NULL, id TEXT, json TEXT NOT NULL) STRICT;
  CREATE INDEX events_by_id ON events (id) WHERE id IS NOT NULL;
`;

/** Events of one session lie next to each other: the upper bits of a place are the session's key, the lower 32 the `seq`. */
const placesPerSession = 2 ** 32;

/** Where an event lies. One integer as the row's id costs half of what a key of two columns does at an insert. */
function placeOf({ key }: OpenSession, seq: number): number {
  return key * placesPerSession + seq;
}

interface OpenSession {
  key: number;
  head: SessionHead;
}

type Row = Record<string, string | number | null>;

export interface SqliteJournalOptions {
  /** The database file; it and its folder are created, readable by their owner only. */
  path: string;
  /**
   * False (default): a commit survives the end of the process, however sudden; true: also a power failure, at the price
   * of one disk flush a commit.
   */
  fsync?: boolean;
}

/**
 * Opens a journal in a SQLite file, which this process then holds alone.
 * @throws ShannonDashError JOURNAL_FAILED a sentence with the path: not readable, not a journal, in use
 */
export async function openSqliteJournal(options: SqliteJournalOptions): Promise<Journal> {
  const { DatabaseSync } = await import('node:sqlite');
  const path = resolvePath(options.path);
  let database: DatabaseSync | undefined;
  let release: (() => void) | undefined;
  try {
    release = claimJournalFile(path, applicationId);
    database = new DatabaseSync(path, { timeout: 0 });
    prepare(database, options.fsync ?? false);
    return new SqliteJournal(database, path, release);
  } catch (error) {
    database?.close();
    release?.();
    throw openFailure(path, error);
  }
}

function prepare(database: DatabaseSync, fsync: boolean): void {
  // One writer: the lock is taken once and held, which also keeps a second server out.
  database.exec('PRAGMA locking_mode = EXCLUSIVE');
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
  database.exec('PRAGMA wal_autocheckpoint = 4000; PRAGMA cache_size = -16000; PRAGMA temp_store = MEMORY');
  const version = database.prepare('PRAGMA user_version').get()?.['user_version'];
  if (version !== schemaVersion) throw new Error(`it has format ${String(version)}, this version reads ${schemaVersion}`);
}

function openFailure(path: string, error: unknown): ShannonDashError {
  const message = error instanceof Error ? error.message : String(error);
  const code = codeOf(error);
  const reason = /locked|busy/i.test(message)
    ? 'another server has it open'
    : code === 'EACCES' || code === 'EPERM'
      ? 'it may not be read and written by this user'
      : /not a database|malformed|corrupt/i.test(message)
        ? 'it is not a SQLite file, or it is damaged'
        : message;
  return new ShannonDashError('JOURNAL_FAILED', `cannot open the journal ${path}: ${reason}`, undefined, { cause: error });
}

class SqliteJournal implements Journal {
  readonly epoch: string;
  readonly secret: string;
  readonly location: string;
  readonly #database: DatabaseSync;
  readonly #release: () => void;
  readonly #statements: ReturnType<typeof prepareStatements>;
  readonly #sessions = new Map<string, OpenSession>();
  readonly #listeners = new Set<JournalListener>();
  readonly #queue = new AppendQueue<AppendResult>((group) => this.#commit(group));
  #deletions: number;
  #isClosed = false;

  constructor(database: DatabaseSync, path: string, release: () => void) {
    this.#database = database;
    this.#release = release;
    this.location = path;
    this.#statements = prepareStatements(database);
    const meta = new Map(
      database
        .prepare('SELECT key, value FROM meta')
        .all()
        .map((row) => [String(row['key']), String(row['value'])]),
    );
    this.epoch = meta.get('epoch') ?? newEpoch();
    this.secret = meta.get('secret') ?? '';
    this.#deletions = Number(meta.get('deletions') ?? 0);
    // Where a session stands is told by its last event alone: nothing to write twice at every commit.
    const last = database.prepare('SELECT json FROM events WHERE place > ? AND place < ? ORDER BY place DESC LIMIT 1');
    for (const row of database.prepare('SELECT key, session_id, epoch, created_at, origin FROM sessions ORDER BY key').all()) {
      const first = Number(row['key']) * placesPerSession;
      const session = openSession(row as Row, last.get(first, first + placesPerSession) as Row | undefined);
      this.#sessions.set(session.head.session_id, session);
    }
  }

  async create(origin: SessionOrigin): Promise<SessionHead> {
    this.#queue.flush();
    if (this.#sessions.has(origin.session_id)) throw new ShannonDashError('CONFLICT', `Session ${origin.session_id} exists already`);
    const { head } = this.#guarded(() => this.#insertSession(origin));
    this.#tell([{ kind: 'created', head: { ...head } }]);
    return { ...head };
  }

  append(sessionId: string, events: readonly NewEvent[], options?: AppendOptions): Promise<AppendResult> {
    return this.#queue.push(sessionId, events, options?.prompt);
  }

  async read(sessionId: string, { after, limit, filter, through, maxChars = Infinity }: ReadRange): Promise<JournalEvent[]> {
    const session = this.#sessions.get(sessionId);
    const found: JournalEvent[] = [];
    if (session === undefined) return found;
    const end = Math.min(through ?? Infinity, session.head.seq);
    let at = after;
    let chars = 0;
    const isDone = () => at >= end || found.length >= limit || chars >= maxChars;
    while (!isDone()) {
      const from = at;
      const rows = filter === undefined ? Math.min(scanRows, limit - found.length) : scanRows;
      this.#guarded(() => {
        // Row by row: what is not wanted any more is not read either.
        const range = this.#statements.range.iterate(placeOf(session, at), placeOf(session, end), rows);
        for (const row of range as Iterable<Row>) {
          at = Number(row['place']) % placesPerSession;
          if (filter !== undefined && !filter(String(row['type']))) continue;
          const event = new JournalEvent(sessionId, at, String(row['type']), String(row['json']));
          found.push(event);
          chars += event.json.length;
          if (isDone()) return;
        }
      });
      if (at === from) break;
      if (!isDone()) await new Promise((resolve) => setImmediate(resolve));
      if (this.#isClosed) break;
    }
    return found;
  }

  async find(sessionId: string, id: string): Promise<JournalEvent | undefined> {
    const session = this.#sessions.get(sessionId);
    const row = session === undefined ? undefined : this.#guarded(() => this.#findById(session, id));
    return row === undefined ? undefined : new JournalEvent(sessionId, row.seq, row.type, row.json);
  }

  async sessions(): Promise<SessionHead[]> {
    return [...this.#sessions.values()].map(({ head }) => ({ ...head }));
  }

  async head(sessionId: string): Promise<SessionHead | undefined> {
    const session = this.#sessions.get(sessionId);
    return session === undefined ? undefined : { ...session.head };
  }

  async delete(sessionId: string): Promise<boolean> {
    this.#queue.flush();
    const session = this.#sessions.get(sessionId);
    if (session === undefined) return false;
    this.#guarded(() =>
      this.#transaction(() => {
        this.#statements.deleteEvents.run(placeOf(session, 0), placeOf(session, session.head.seq));
        this.#statements.deleteSession.run(session.key);
        this.#statements.setMeta.run(String(this.#deletions + 1), 'deletions');
      }),
    );
    this.#deletions++;
    this.#sessions.delete(sessionId);
    this.#tell([{ kind: 'deleted', session_id: sessionId }]);
    return true;
  }

  subscribe(listener: JournalListener): () => void {
    this.#listeners.add(listener);
    return () => this.#listeners.delete(listener);
  }

  async saveSnapshot(sessionId: string, { seq, version, json }: Snapshot): Promise<void> {
    const session = this.#sessions.get(sessionId);
    if (session !== undefined && !this.#isClosed) this.#guarded(() => this.#statements.saveSnapshot.run(seq, version, json, session.key));
  }

  async loadSnapshot(sessionId: string): Promise<Snapshot | undefined> {
    const session = this.#sessions.get(sessionId);
    const row =
      session === undefined ? undefined : (this.#guarded(() => this.#statements.loadSnapshot.get(session.key)) as Row | undefined);
    if (row === undefined || row['snapshot'] === null) return undefined;
    return { seq: Number(row['snapshot_seq']), version: Number(row['snapshot_version']), json: String(row['snapshot']) };
  }

  sizeBytes(): number {
    return [this.location, `${this.location}-wal`].reduce((sum, file) => sum + (statSync(file, { throwIfNoEntry: false })?.size ?? 0), 0);
  }

  async close(): Promise<void> {
    if (this.#isClosed) return;
    this.#queue.close();
    this.#isClosed = true;
    this.#database.close();
    this.#release();
  }

  #insertSession(origin: SessionOrigin): OpenSession {
    const epoch = this.#deletions === 0 ? this.epoch : `${this.epoch}.${this.#deletions}`;
    const head: SessionHead = { ...origin, epoch, seq: 0, updated_at: origin.created_at };
    const { lastInsertRowid } = this.#statements.insertSession.run(
      head.session_id,
      epoch,
      head.created_at,
      JSON.stringify({ skills: origin.skills, metadata: origin.metadata }),
    );
    const session = { key: Number(lastInsertRowid), head };
    this.#sessions.set(head.session_id, session);
    return session;
  }

  /** One transaction for the whole group. A conflict refuses its own append only; a failing disk refuses all. */
  #commit(group: PendingAppend<AppendResult>[]): void {
    const changes: JournalChange[] = [];
    const settle: (() => void)[] = [];
    const before = new Map<OpenSession, SessionHead>();
    const created: string[] = [];
    try {
      this.#transaction(() => {
        for (const pending of group) this.#appendOne(pending, { changes, settle, before, created });
      });
    } catch (cause) {
      for (const [session, head] of before) session.head = head;
      for (const sessionId of created) this.#sessions.delete(sessionId);
      const error = journalFailure(cause);
      for (const { reject } of group) reject(error);
      return;
    }
    this.#tell(changes);
    for (const each of settle) each();
  }

  #appendOne(
    { sessionId, events, resolve, reject }: PendingAppend<AppendResult>,
    commit: { changes: JournalChange[]; settle: (() => void)[]; before: Map<OpenSession, SessionHead>; created: string[] },
  ): void {
    const known = this.#sessions.get(sessionId);
    const head = known?.head ?? {
      session_id: sessionId,
      epoch: this.#deletions === 0 ? this.epoch : `${this.epoch}.${this.#deletions}`,
      seq: 0,
    };
    let stamped;
    try {
      stamped = stamp(head, events, (id) => (known === undefined ? undefined : this.#findById(known, id)));
    } catch (error) {
      if (!(error instanceof ShannonDashError)) throw error;
      commit.settle.push(() => reject(error));
      return;
    }
    const session = known ?? this.#insertSession({ session_id: sessionId, created_at: new Date().toISOString() });
    if (known === undefined) {
      commit.created.push(sessionId);
      commit.changes.push({ kind: 'created', head: { ...session.head } });
    }
    const { fresh, seqs } = stamped;
    const { epoch } = session.head;
    const last = fresh.at(-1);
    if (last !== undefined) {
      if (!commit.before.has(session)) commit.before.set(session, session.head);
      for (const event of fresh) {
        const { id } = event.event;
        this.#statements.insertEvent.run(
          placeOf(session, event.seq),
          event.type,
          id === serverMadeId(epoch, event.seq) ? null : id,
          event.json,
        );
      }
      session.head = { ...session.head, seq: last.seq, updated_at: last.event.timestamp };
      commit.changes.push({ kind: 'appended', session_id: sessionId, epoch, events: fresh });
    }
    commit.settle.push(() => resolve({ epoch, first_seq: seqs[0] ?? 0, last_seq: seqs.at(-1) ?? 0, seqs }));
  }

  #findById(session: OpenSession, id: string): { seq: number; type: string; json: string } | undefined {
    const seq = seqOfServerMadeId(session.head.epoch, id);
    const row = (this.#statements.byId.get(id, placeOf(session, 0), placeOf(session, session.head.seq)) ??
      (seq === undefined || seq > session.head.seq ? undefined : this.#statements.atPlace.get(placeOf(session, seq)))) as Row | undefined;
    if (row === undefined) return undefined;
    return { seq: Number(row['place']) % placesPerSession, type: String(row['type']), json: String(row['json']) };
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

  #guarded<Result>(work: () => Result): Result {
    if (this.#isClosed) throw new ShannonDashError('UNAVAILABLE', 'The journal is closed');
    try {
      return work();
    } catch (error) {
      throw error instanceof ShannonDashError ? error : journalFailure(error);
    }
  }

  #tell(changes: JournalChange[]): void {
    if (changes.length > 0) for (const listener of this.#listeners) listener(changes);
  }
}

function prepareStatements(
  database: DatabaseSync,
): Record<
  | 'begin'
  | 'commit'
  | 'rollback'
  | 'insertSession'
  | 'insertEvent'
  | 'byId'
  | 'atPlace'
  | 'range'
  | 'deleteEvents'
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
    insertSession: database.prepare('INSERT INTO sessions (session_id, epoch, created_at, origin) VALUES (?, ?, ?, ?)'),
    insertEvent: database.prepare('INSERT INTO events (place, type, id, json) VALUES (?, ?, ?, ?)'),
    byId: database.prepare('SELECT place, type, json FROM events WHERE id = ? AND place > ? AND place <= ?'),
    atPlace: database.prepare('SELECT place, type, json FROM events WHERE place = ? AND id IS NULL'),
    range: database.prepare('SELECT place, type, json FROM events WHERE place > ? AND place <= ? ORDER BY place LIMIT ?'),
    deleteEvents: database.prepare('DELETE FROM events WHERE place > ? AND place <= ?'),
    deleteSession: database.prepare('DELETE FROM sessions WHERE key = ?'),
    setMeta: database.prepare('UPDATE meta SET value = ? WHERE key = ?'),
    saveSnapshot: database.prepare('UPDATE sessions SET snapshot_seq = ?, snapshot_version = ?, snapshot = ? WHERE key = ?'),
    loadSnapshot: database.prepare('SELECT snapshot_seq, snapshot_version, snapshot FROM sessions WHERE key = ?'),
  };
}

function openSession(row: Row, last: Row | undefined): OpenSession {
  const event = last === undefined ? undefined : (JSON.parse(String(last['json'])) as SessionEvent);
  const origin = JSON.parse(String(row['origin'])) as Pick<SessionOrigin, 'skills' | 'metadata'>;
  return {
    key: Number(row['key']),
    head: {
      session_id: String(row['session_id']),
      epoch: String(row['epoch']),
      created_at: String(row['created_at']),
      updated_at: event?.timestamp ?? String(row['created_at']),
      seq: event?.seq ?? 0,
      ...origin,
    },
  };
}

function journalFailure(cause: unknown): ShannonDashError {
  const reason = cause instanceof Error ? cause.message : String(cause);
  return new ShannonDashError('JOURNAL_FAILED', `The journal could not be written: ${reason}`, undefined, { cause });
}
