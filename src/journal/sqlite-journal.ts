import { realpathSync, statSync } from 'node:fs';
import { resolve as resolvePath } from 'node:path';
import { ShannonDashError } from '../core/errors.ts';
import { receivedAt, type SessionEvent } from '../core/event.ts';
import type { SessionOrigin } from '../core/session-state.ts';
import { AppendQueue, type PendingAppend } from './append-queue.ts';
import { ChangeFeed } from './change-feed.ts';
import { CommitLog } from './commit-log.ts';
import { FilePresence } from './file-presence.ts';
import {
  noteAppended,
  type AppendOptions,
  type AppendResult,
  type Journal,
  type JournalChange,
  type JournalEvent,
  type JournalListener,
  type NewEvent,
  type ReadRange,
  type SessionHead,
  type Snapshot,
} from './journal.ts';
import { applicationId, openSqliteDatabase, type NewestEvents, type SqliteDatabase, type StoredHead } from './sqlite-database.ts';
import { claimJournalFile, codeOf } from './sqlite-file.ts';
import { checkRoomForSession, eventFromJson, seqOfServerMadeId, stamp } from './stamping.ts';

/** How long, and how many characters of JSON, commits may stay in the log before they are moved to the database together. */
const settleMs = 1_000;
const settleChars = 256 * 1024;

export interface SqliteJournalOptions {
  /** The database file; it, its `-wal` and `-log` and their folder are created, readable by their owner only. */
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
export async function openSqliteJournal({ path: given, fsync = false }: SqliteJournalOptions): Promise<Journal> {
  let path = resolvePath(given);
  let database: SqliteDatabase | undefined;
  let log: CommitLog | undefined;
  let release: (() => void) | undefined;
  try {
    release = claimJournalFile(path, applicationId);
    // SQLite follows links too: whichever name it is opened by, a journal's files lie beside the real one.
    path = realpathSync(path);
    database = await openSqliteDatabase(path, fsync);
    log = new CommitLog(`${path}-log`, { fsync });
    return new SqliteJournal({ database, log, path, release });
  } catch (error) {
    log?.close();
    database?.close();
    release?.();
    throw openFailure(path, error);
  }
}

function openFailure(path: string, error: unknown): ShannonDashError {
  const message = error instanceof Error ? error.message : String(error);
  const code = codeOf(error);
  const reason =
    code === 'EACCES' || code === 'EPERM' ? 'it may not be read and written by this user' : (sqliteReasons[sqliteCodeOf(error)] ?? message);
  return new ShannonDashError('JOURNAL_FAILED', `cannot open the journal ${path}: ${reason}`, undefined, { cause: error });
}

/** What a result code of SQLite (https://sqlite.org/rescode.html) says of a file: BUSY, LOCKED, CORRUPT, NOTADB. */
const sqliteReasons: Partial<Record<number, string>> = {
  5: 'another server has it open',
  6: 'another server has it open',
  11: 'it is not a SQLite file, or it is damaged',
  26: 'it is not a SQLite file, or it is damaged',
};

/** The primary result code of an error of SQLite; 0 for any other. */
function sqliteCodeOf(error: unknown): number {
  return error instanceof Error && 'errcode' in error && typeof error.errcode === 'number' ? error.errcode & 0xff : 0;
}

/** What a commit has done so far, and how to undo it. */
interface Staged {
  changes: JournalChange[];
  answers: (() => void)[];
  lines: string[];
  /** The sessions with new events, as they were. */
  before: Map<NewestEvents, SessionHead>;
  created: StoredHead[];
}

/**
 * Commits go to the log, and from there many at a time to the database. What is in neither was acknowledged to nobody;
 * what is in both, after a sudden end, is taken from the database.
 */
class SqliteJournal implements Journal {
  readonly epoch: string;
  readonly secret: string;
  readonly location: string;
  readonly #database: SqliteDatabase;
  readonly #log: CommitLog;
  readonly #release: () => void;
  readonly #files: FilePresence;
  readonly #sessions = new Map<string, NewestEvents>();
  readonly #unsettled = new Set<NewestEvents>();
  readonly #feed = new ChangeFeed();
  readonly #queue = new AppendQueue<AppendResult>((group) => this.#commit(group));
  #unsettledChars = 0;
  #settling: ReturnType<typeof setTimeout> | undefined;
  #isClosed = false;

  constructor({ database, log, path, release }: { database: SqliteDatabase; log: CommitLog; path: string; release: () => void }) {
    this.#database = database;
    this.#log = log;
    this.#release = release;
    this.location = path;
    this.#files = new FilePresence([path, log.path]);
    this.epoch = database.epoch;
    this.secret = database.secret;
    for (const stored of database.sessions()) this.#open(stored);
    for (const line of log.read()) this.#recover(line);
    this.#settleLater();
  }

  async create(origin: SessionOrigin): Promise<SessionHead> {
    this.flush();
    if (this.#sessions.has(origin.session_id)) throw new ShannonDashError('CONFLICT', `Session ${origin.session_id} exists already`);
    checkRoomForSession(this.#sessions.size);
    const { head } = this.#guarded(() => {
      this.#files.check();
      return this.#open(this.#database.insertSession(origin));
    });
    this.#feed.tell([{ kind: 'created', head: { ...head } }]);
    return { ...head };
  }

  append(sessionId: string, events: readonly NewEvent[], options?: AppendOptions): Promise<AppendResult> {
    return this.#queue.push(sessionId, events, options);
  }

  flush(): void {
    this.#queue.flush();
    this.#feed.tell();
  }

  async read(sessionId: string, { after, limit, filter, through, maxChars = Infinity }: ReadRange): Promise<JournalEvent[]> {
    const session = this.#sessions.get(sessionId);
    const found: JournalEvent[] = [];
    if (session === undefined) return found;
    const end = Math.min(through ?? Infinity, session.head.seq);
    let at = after;
    let chars = 0;
    const isDone = () => at >= end || found.length >= limit || chars >= maxChars;
    const take = (events: Iterable<JournalEvent>) => {
      for (const event of events) {
        at = event.seq;
        if (filter?.(event.type) !== false) {
          found.push(event);
          chars += event.json.length;
        }
        // Event by event: what is not wanted any more is not read either.
        if (isDone()) return;
      }
    };
    while (!isDone() && at < settledSeq(session)) {
      const from = at;
      this.#guarded(() => take(this.#database.eventsAfter(session, from)));
      if (at === from) return found;
      if (!isDone()) await new Promise((resolve) => setImmediate(resolve));
      if (this.#isClosed) return found;
    }
    while (!isDone()) take([unsettledEvent(session, at + 1)]);
    return found;
  }

  async find(sessionId: string, id: string): Promise<JournalEvent | undefined> {
    const session = this.#sessions.get(sessionId);
    return session === undefined ? undefined : this.#guarded(() => this.#findById(session, id));
  }

  async sessions(): Promise<SessionHead[]> {
    return [...this.#sessions.values()].map(({ head }) => ({ ...head }));
  }

  async head(sessionId: string): Promise<SessionHead | undefined> {
    const session = this.#sessions.get(sessionId);
    return session === undefined ? undefined : { ...session.head };
  }

  async delete(sessionId: string): Promise<boolean> {
    this.flush();
    const session = this.#sessions.get(sessionId);
    if (session === undefined) return false;
    this.#guarded(() => {
      // Nothing of the session may be left in the log, from where it would come back into one created anew.
      this.#settle();
      this.#database.deleteSession(session.key);
    });
    this.#sessions.delete(sessionId);
    this.#feed.tell([{ kind: 'deleted', session_id: sessionId }]);
    return true;
  }

  subscribe(listener: JournalListener): () => void {
    return this.#feed.subscribe(listener);
  }

  async saveSnapshot(sessionId: string, snapshot: Snapshot): Promise<void> {
    const session = this.#sessions.get(sessionId);
    if (session === undefined || this.#isClosed) return;
    this.#guarded(() => {
      // Its events first: should the machine lose power, no snapshot is left of a history that is not.
      if (snapshot.seq > settledSeq(session)) this.#settle();
      this.#database.saveSnapshot(session.key, snapshot);
    });
  }

  async loadSnapshot(sessionId: string): Promise<Snapshot | undefined> {
    const session = this.#sessions.get(sessionId);
    return session === undefined ? undefined : this.#guarded(() => this.#database.loadSnapshot(session.key));
  }

  sizeBytes(): number {
    const files = [this.location, `${this.location}-wal`, this.#log.path];
    return files.reduce((sum, file) => sum + (statSync(file, { throwIfNoEntry: false })?.size ?? 0), 0);
  }

  async close(): Promise<void> {
    if (this.#isClosed) return;
    this.#queue.close();
    this.#feed.tell();
    this.#isClosed = true;
    clearTimeout(this.#settling);
    try {
      this.#settle();
    } catch {
      // What could not be moved to the database stays in the log, where the next opener finds it.
    }
    try {
      this.#log.close();
    } finally {
      this.#database.close();
      this.#release();
    }
  }

  #open(stored: StoredHead): NewestEvents {
    const session: NewestEvents = { ...stored, unsettled: [], unsettledIds: new Map() };
    this.#sessions.set(stored.head.session_id, session);
    return session;
  }

  /** Takes up an event that the log kept over a sudden end, unless the database has it. */
  #recover(line: string): void {
    const { session_id, seq, id } = JSON.parse(line) as SessionEvent;
    const session = this.#sessions.get(session_id);
    if (session?.head.seq !== seq - 1) return;
    this.#add(session, [eventFromJson(session_id, seq, line)]);
    if (seqOfServerMadeId(session.head.epoch, id) === undefined) session.unsettledIds.set(id, seq);
  }

  /** One write to the log for the whole group. A conflict refuses its own append only; a failing disk refuses all. */
  #commit(group: PendingAppend<AppendResult>[]): void {
    const staged: Staged = { changes: [], answers: [], lines: [], before: new Map(), created: [] };
    try {
      this.#files.check();
      // Only after the timer failed: however long the database cannot take them, what waits for it stays bounded.
      if (this.#unsettledChars >= 2 * settleChars) this.#settle();
      for (const pending of group) this.#stage(pending, staged);
      if (staged.lines.length > 0) this.#log.append(staged.lines);
    } catch (cause) {
      this.#undo(staged);
      const error = journalFailure(cause);
      for (const { reject } of group) reject(error);
      return;
    }
    this.#settleLater();
    if (group.every(({ options }) => options.resolvesFirst === true)) this.#feed.tellSoon(staged.changes);
    else this.#feed.tell(staged.changes);
    for (const answer of staged.answers) answer();
  }

  #stage({ sessionId, events, resolve, reject }: PendingAppend<AppendResult>, staged: Staged): void {
    const known = this.#sessions.get(sessionId);
    const head = known?.head ?? { session_id: sessionId, epoch: this.#database.epochOfNew, seq: 0 };
    let stamped;
    try {
      if (known === undefined) checkRoomForSession(this.#sessions.size);
      stamped = stamp(head, events, (id) => (known === undefined ? undefined : this.#findById(known, id)));
    } catch (error) {
      if (!(error instanceof ShannonDashError)) throw error;
      staged.answers.push(() => reject(error));
      return;
    }
    const session = known ?? this.#open(this.#database.insertSession({ session_id: sessionId, created_at: new Date().toISOString() }));
    if (known === undefined) {
      staged.created.push(session);
      staged.changes.push({ kind: 'created', head: { ...session.head } });
    }
    const { fresh, freshById, seqs } = stamped;
    const { epoch } = session.head;
    if (fresh.length > 0) {
      if (!staged.before.has(session)) {
        staged.before.set(session, session.head);
        session.head = { ...session.head };
      }
      this.#add(session, fresh);
      for (const [id, event] of freshById ?? []) session.unsettledIds.set(id, event.seq);
      for (const { json } of fresh) staged.lines.push(json);
      noteAppended(staged.changes, { kind: 'appended', session_id: sessionId, epoch, events: fresh });
    }
    staged.answers.push(() => resolve({ epoch, first_seq: seqs[0] ?? 0, last_seq: seqs.at(-1) ?? 0, seqs }));
  }

  #add(session: NewestEvents, events: readonly JournalEvent[]): void {
    for (const { json } of events) {
      session.unsettled.push(json);
      this.#unsettledChars += json.length;
    }
    this.#unsettled.add(session);
    const last = events.at(-1);
    if (last === undefined) return;
    session.head.seq = last.seq;
    session.head.updated_at = receivedAt(last.event);
  }

  #undo({ before, created }: Staged): void {
    for (const [session, head] of before) {
      const kept = session.unsettled.length - (session.head.seq - head.seq);
      for (const json of session.unsettled.splice(kept)) this.#unsettledChars -= json.length;
      for (const [id, seq] of session.unsettledIds) if (seq > head.seq) session.unsettledIds.delete(id);
      session.head = head;
    }
    for (const { key, head } of created) {
      this.#sessions.delete(head.session_id);
      try {
        this.#database.dropEmptySession(key);
      } catch {
        // Left behind on a failing disk it is a session without events, whose place its next event takes.
      }
    }
  }

  #findById(session: NewestEvents, id: string): JournalEvent | undefined {
    const seq = seqOfServerMadeId(session.head.epoch, id) ?? session.unsettledIds.get(id) ?? 0;
    if (seq <= settledSeq(session)) return this.#database.findById(session, id);
    const event = seq > session.head.seq ? undefined : unsettledEvent(session, seq);
    return event?.event.id === id ? event : undefined;
  }

  /** @param isRetry it just failed: again after a while, however much there is */
  #settleLater(isRetry = false): void {
    if (this.#isClosed || this.#unsettledChars === 0) return;
    const isDue = this.#unsettledChars >= settleChars && !isRetry;
    if (this.#settling !== undefined && !isDue) return;
    clearTimeout(this.#settling);
    const settle = () => {
      this.#settling = undefined;
      try {
        this.#settle();
      } catch {
        // A full disk, most likely. Nothing is lost, the log has it; appends are refused where it grows too large.
        this.#settleLater(true);
      }
    };
    this.#settling = setTimeout(settle, isDue ? 0 : settleMs);
    this.#settling.unref();
  }

  /** Moves what is in the log to the database. */
  #settle(): void {
    const sessions = [...this.#unsettled];
    this.#database.insertEvents(sessions);
    for (const session of sessions) {
      session.unsettled = [];
      session.unsettledIds.clear();
    }
    this.#unsettled.clear();
    this.#unsettledChars = 0;
    this.#log.clear();
  }

  #guarded<Result>(work: () => Result): Result {
    if (this.#isClosed) throw new ShannonDashError('UNAVAILABLE', 'The journal is closed');
    try {
      return work();
    } catch (error) {
      throw error instanceof ShannonDashError ? error : journalFailure(error);
    }
  }
}

/** The newest event that the database has. */
function settledSeq({ head, unsettled }: NewestEvents): number {
  return head.seq - unsettled.length;
}

/** One of those that the database has yet to get. */
function unsettledEvent(session: NewestEvents, seq: number): JournalEvent {
  return eventFromJson(session.head.session_id, seq, session.unsettled[seq - settledSeq(session) - 1] ?? '');
}

function journalFailure(cause: unknown): ShannonDashError {
  const reason = cause instanceof Error ? cause.message : String(cause);
  return new ShannonDashError('JOURNAL_FAILED', `The journal could not be written: ${reason}`, undefined, { cause });
}
