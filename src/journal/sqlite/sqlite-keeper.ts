import { ShannonDashError } from '../../core/protocol/errors.ts';
import type { Cursor } from '../../core/protocol/event.ts';
import { maskPasswords } from '../../core/text/mask-passwords.ts';
import type { SessionOrigin } from '../../core/protocol/session-state.ts';
import { AppendQueue, type PendingAppend } from '../append-queue.ts';
import { ChangeFeed } from '../change-feed.ts';
import { JoinedServers } from '../joined-servers.ts';
import { Backups } from './care/backup.ts';
import { FileGuard } from './files/file-guard.ts';
import {
  type AppendOptions,
  type AppendResult,
  type Journal,
  type JournalEvent,
  type JournalHealth,
  type JournalImport,
  type JournalListener,
  type JournalVitals,
  type NewEvent,
  type ReadRange,
  type SessionHead,
  type Snapshot,
  type SnapshotQuery,
} from '../journal.ts';
import type { KeeperParts } from './keeper-parts.ts';
import type { NewestEvents } from './newest-events.ts';
import { findEvent, readHistory } from './history-reader.ts';
import { vitalsOf } from './files/journal-vitals.ts';
import { SqliteImport } from './kept/sqlite-import.ts';
import { loadCursors, saveCursors } from './kept/cursors.ts';
import { saveSnapshot } from './kept/snapshots.ts';
import { journalFailure } from './journal-failure.ts';
import { reasonOf } from './database/sqlite-codes.ts';
import { keptPartsOf, type KeptParts } from './kept/kept-parts.ts';
import { RetentionCut } from './kept/retention-cut.ts';
import { checkRoomForSession, sessionExists } from '../stamping.ts';
import { StagedCommit } from './staged-commit.ts';
import { WriteHealth } from './files/write-health.ts';

/** A journal in SQLite that is open. */
export class SqliteKeeper implements Journal {
  readonly epoch: string;
  readonly secret: string;
  readonly location: string;
  readonly #parts: KeeperParts;
  readonly #sessions: Map<string, NewestEvents>;
  readonly #files: FileGuard;
  readonly #backups: Backups;
  readonly #health: WriteHealth;
  readonly #feed = new ChangeFeed();
  /** SQLite lets one process write: these are servers of this process. */
  readonly #servers = new JoinedServers();
  readonly #keptParts: KeptParts;
  readonly #cuts: RetentionCut;
  readonly #queue = new AppendQueue<AppendResult>((group) => this.#commit(group));
  #isClosed = false;

  constructor(parts: KeeperParts) {
    const { path, database, log, writes, sessions, problems } = parts;
    this.#parts = parts;
    this.#sessions = sessions;
    this.location = maskPasswords(path);
    this.epoch = database.epoch;
    this.secret = database.secret;
    this.#files = new FileGuard({ path, log: log.path, writes, problems });
    this.#backups = new Backups(parts);
    const probe = () => {
      this.#files.require();
      writes.makeRoom();
      log.probe();
    };
    this.#health = new WriteHealth(probe, () => this.#files.require(), problems.tell);
    const isOpen = () => !this.#isClosed;
    this.#keptParts = keptPartsOf(parts, isOpen, (work) => this.#guarded('written', work));
    this.#cuts = new RetentionCut(this.#keptParts);
    this.#cuts.sweep([...sessions.values()].filter(({ head }) => head.cut !== undefined)).catch(() => undefined);
    this.#cuts.sweepImports(database.imports.unfinished()).catch(() => undefined);
    writes.moveLater();
  }

  async create(origin: SessionOrigin): Promise<SessionHead> {
    this.#flushForNew(origin);
    const staged = new StagedCommit(this.#parts);
    this.#write(staged, 1, () => staged.create(origin));
    this.#feed.tell(staged.changes);
    return { ...origin, epoch: this.#parts.database.epochOfNew, seq: 0, updated_at: origin.created_at };
  }

  async beginImport(origin: SessionOrigin, epoch: string): Promise<JournalImport> {
    this.#flushForNew(origin);
    return new SqliteImport(origin, epoch, {
      ...this.#parts,
      checkNew: () => this.#flushForNew(origin),
      guarded: (work) => this.#fileGuarded(work),
      finished: (session) => {
        this.#sessions.set(origin.session_id, session);
        this.#feed.tell([{ kind: 'created', head: { ...session.head } }]);
      },
      dropped: (key) => this.#cuts.sweepImports([key]),
    });
  }

  append(sessionId: string, events: readonly NewEvent[], options?: AppendOptions): Promise<AppendResult> {
    return this.#queue.push(sessionId, events, options);
  }

  flush(): void {
    this.#queue.flush();
    this.#feed.tell();
  }

  async read(sessionId: string, range: ReadRange): Promise<JournalEvent[]> {
    const session = this.#sessions.get(sessionId);
    if (session === undefined) return [];
    return readHistory(session, range, {
      stored: this.#parts.database.events,
      blocks: this.#parts.database.blocks,
      guarded: (work) => this.#guarded('read', work),
      isClosed: () => this.#isClosed,
    });
  }

  async find(sessionId: string, id: string): Promise<JournalEvent | undefined> {
    const session = this.#sessions.get(sessionId);
    return session === undefined ? undefined : this.#guarded('read', () => findEvent(session, id, this.#parts.database.events));
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
    this.#fileGuarded(() => this.#parts.writes.delete(session));
    this.#sessions.delete(sessionId);
    this.#feed.tell([{ kind: 'deleted', session_id: sessionId }]);
    this.#cuts.sweep([]).catch(() => undefined);
    return true;
  }

  subscribe(listener: JournalListener): () => void {
    return this.#feed.subscribe(listener);
  }

  join(serverId: string): () => void {
    return this.#servers.join(serverId);
  }

  servers(): ReadonlySet<string> {
    return this.#servers.ids;
  }

  async saveSnapshot({ session_id, epoch }: Pick<SessionHead, 'session_id' | 'epoch'>, snapshot: Snapshot): Promise<void> {
    const session = this.#sessions.get(session_id);
    if (session?.head.epoch === epoch) await saveSnapshot(session, snapshot, this.#keptParts);
  }

  async loadSnapshot(sessionId: string, which: SnapshotQuery = {}): Promise<Snapshot | undefined> {
    const session = this.#sessions.get(sessionId);
    return session === undefined ? undefined : this.#guarded('read', () => this.#parts.database.snapshots.load(session, which));
  }

  async cut({ session_id, epoch }: Pick<SessionHead, 'session_id' | 'epoch'>, base: Snapshot): Promise<void> {
    const session = this.#sessions.get(session_id);
    if (session?.head.epoch !== epoch || !(await this.#cuts.begin(session, base))) return;
    this.#feed.tell([{ kind: 'cut', session_id, epoch, through: base.seq }]);
    await this.#cuts.sweep([session]);
  }

  async loadBase(sessionId: string): Promise<Snapshot | undefined> {
    const session = this.#sessions.get(sessionId);
    return session === undefined ? undefined : this.#guarded('read', () => this.#parts.database.bases.load(session));
  }

  usedBytes(): number {
    return this.#isClosed ? 0 : this.#parts.database.pages.usedBytes();
  }

  async saveCursors(reader: string, cursors: ReadonlyMap<string, Cursor>): Promise<void> {
    this.#guarded('written', () => saveCursors(this.#parts, reader, cursors));
  }

  async loadCursors(reader: string): Promise<Map<string, Cursor> | undefined> {
    return this.#guarded('read', () => loadCursors(this.#parts, reader));
  }

  onProblem(listener: (sentence: string) => void): () => void {
    return this.#parts.problems.subscribe(listener);
  }

  health(): JournalHealth {
    return this.#isClosed ? { isWritable: false, reason: 'it is closed' } : this.#health.now();
  }

  vitals(): JournalVitals {
    return vitalsOf(this.#parts.path, this.#parts.writes);
  }

  onWriteBack(listener: (elapsedMs: number) => void): () => void {
    return this.#parts.writes.onMoved(listener);
  }

  announce(url: string): void {
    if (!this.#isClosed) this.#parts.writes.announce(url);
  }

  sizeBytes(): number {
    return this.#files.sizeBytes();
  }

  async backup(path?: string): Promise<string> {
    this.#fileGuarded(() => this.flush());
    return this.#backups.write(path).catch((error: unknown) => {
      throw error instanceof ShannonDashError ? error : journalFailure('copied', error);
    });
  }

  async close(): Promise<void> {
    if (this.#isClosed) return;
    this.#queue.close();
    this.#feed.tell();
    this.#isClosed = true;
    this.#health.close();
    const { database, log, writes, release } = this.#parts;
    if (this.#backups.isRunning) await this.#backups.end();
    const isClean = writes.close();
    try {
      log.close(isClean);
    } finally {
      database.close();
      this.#backups.close();
      release();
    }
  }

  #flushForNew({ session_id }: SessionOrigin): void {
    this.flush();
    if (this.#isClosed) throw new ShannonDashError('UNAVAILABLE', 'The journal is closed');
    if (this.#sessions.has(session_id)) throw sessionExists(session_id);
    checkRoomForSession(this.#sessions.size);
  }

  /** One write to the log for the whole group. A conflict refuses its own append only; a failing disk refuses all. */
  #commit(group: PendingAppend<AppendResult>[]): void {
    const staged = new StagedCommit(this.#parts);
    try {
      this.#write(staged, group.length, () => {
        for (const pending of group) staged.append(pending);
      });
    } catch (error) {
      for (const { reject } of group) reject(error);
      return;
    }
    if (group.every(({ options }) => options.latency === 'lowest')) this.#feed.tellSoon(staged.changes);
    else this.#feed.tell(staged.changes);
    for (const answer of staged.answers) answer();
  }

  /** Writes what `stage` brings about as one commit. @throws ShannonDashError JOURNAL_FAILED; everything is as it was */
  #write(staged: StagedCommit, writes: number, stage: () => void): void {
    try {
      this.#files.require();
      this.#health.require();
      this.#parts.writes.makeRoom();
      stage();
      if (staged.lines.length === 0) return;
      this.#parts.writes.commit(staged.lines);
      this.#health.succeeded();
    } catch (cause) {
      staged.undo();
      this.#health.failed(reasonOf(cause), writes);
      throw journalFailure('written', cause);
    }
  }

  #fileGuarded<Result>(work: () => Result): Result {
    return this.#guarded('written', () => {
      this.#files.require();
      return work();
    });
  }

  #guarded<Result>(verb: 'read' | 'written', work: () => Result): Result {
    if (this.#isClosed) throw new ShannonDashError('UNAVAILABLE', 'The journal is closed');
    try {
      return work();
    } catch (error) {
      throw error instanceof ShannonDashError ? error : journalFailure(verb, error);
    }
  }
}
