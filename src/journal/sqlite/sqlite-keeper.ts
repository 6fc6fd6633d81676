import { statSync } from 'node:fs';
import { ShannonDashError } from '../../core/protocol/errors.ts';
import type { SessionEvent } from '../../core/protocol/event.ts';
import { maskPasswords } from '../../core/text/mask-passwords.ts';
import type { SessionOrigin } from '../../core/protocol/session-state.ts';
import { AppendQueue, type PendingAppend } from '../append-queue.ts';
import { ChangeFeed } from '../change-feed.ts';
import { JoinedServers } from '../joined-servers.ts';
import type { CommitLog } from './commit-log.ts';
import { FilePresence } from './files/file-presence.ts';
import {
  type AppendOptions,
  type AppendResult,
  type Journal,
  type JournalEvent,
  type JournalHealth,
  type JournalListener,
  type NewEvent,
  type ReadRange,
  type SessionHead,
  type Snapshot,
} from '../journal.ts';
import { databaseSeq, type NewestEvents } from './newest-events.ts';
import { findEvent, readHistory } from './history-reader.ts';
import { journalFailure } from './journal-failure.ts';
import { reasonOf } from './database/sqlite-codes.ts';
import type { ProblemFeed } from '../problem-feed.ts';
import type { SqliteDatabase } from './database/sqlite-database.ts';
import { checkRoomForSession, newEpoch, stampRestored } from '../stamping.ts';
import { StagedCommit } from './staged-commit.ts';
import type { WriteBack } from './write-back.ts';
import { WriteHealth } from './write-health.ts';

/** How often the files are looked at while nothing is written. */
const lookMs = 1_000;

export interface KeeperParts {
  path: string;
  database: SqliteDatabase;
  log: CommitLog;
  writes: WriteBack;
  sessions: Map<string, NewestEvents>;
  problems: ProblemFeed;
  /** Gives up the claim to the file. */
  release: () => void;
}

/** A journal in SQLite that is open. */
export class SqliteKeeper implements Journal {
  readonly epoch: string;
  readonly secret: string;
  readonly location: string;
  readonly #parts: KeeperParts;
  readonly #sessions: Map<string, NewestEvents>;
  readonly #files: FilePresence;
  readonly #health: WriteHealth;
  readonly #feed = new ChangeFeed();
  /** SQLite lets one process write: these are servers of this process. */
  readonly #servers = new JoinedServers();
  readonly #queue = new AppendQueue<AppendResult>((group) => this.#commit(group));
  readonly #looking: ReturnType<typeof setInterval>;
  #isSaved = false;
  #isClosed = false;

  constructor(parts: KeeperParts) {
    const { path, database, log, writes, sessions, problems } = parts;
    this.#parts = parts;
    this.#sessions = sessions;
    this.location = maskPasswords(path);
    this.epoch = database.epoch;
    this.secret = database.secret;
    this.#files = new FilePresence([
      { path, name: 'database' },
      { path: `${path}-wal`, name: 'write-ahead log' },
      { path: log.path, name: 'log of commits' },
    ]);
    this.#health = new WriteHealth(() => {
      this.#requireFiles();
      writes.makeRoom();
      log.probe();
    }, problems.tell);
    this.#looking = setInterval(() => this.#lookAtFiles(), lookMs);
    this.#looking.unref();
    writes.moveLater();
  }

  async create(origin: SessionOrigin): Promise<SessionHead> {
    this.flush();
    if (this.#isClosed) throw new ShannonDashError('UNAVAILABLE', 'The journal is closed');
    if (this.#sessions.has(origin.session_id)) throw new ShannonDashError('CONFLICT', `Session ${origin.session_id} exists already`);
    checkRoomForSession(this.#sessions.size);
    const staged = new StagedCommit(this.#parts);
    this.#write(staged, 1, () => staged.create(origin));
    this.#feed.tell(staged.changes);
    return { ...this.#existing(origin.session_id).head };
  }

  async restore(origin: SessionOrigin, events: readonly SessionEvent[]): Promise<SessionHead> {
    this.flush();
    if (this.#isClosed) throw new ShannonDashError('UNAVAILABLE', 'The journal is closed');
    const { session_id } = origin;
    if (this.#sessions.has(session_id)) throw new ShannonDashError('CONFLICT', `Session ${session_id} exists already`);
    checkRoomForSession(this.#sessions.size);
    const epoch = newEpoch();
    const stamped = stampRestored({ session_id, epoch, seq: 0 }, events);
    const staged = new StagedCommit(this.#parts);
    this.#write(staged, 1, () => staged.take(staged.create(origin, epoch), stamped));
    this.#feed.tell(staged.changes);
    return { ...this.#existing(session_id).head };
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
    this.#guarded('written', () => {
      this.#requireFiles();
      this.#parts.writes.delete(session);
    });
    this.#sessions.delete(sessionId);
    this.#feed.tell([{ kind: 'deleted', session_id: sessionId }]);
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
    if (session?.head.epoch !== epoch || this.#isClosed || session.refusal !== undefined) return;
    const { database, writes } = this.#parts;
    this.#guarded('written', () => {
      // Its events first: should the machine lose power, no snapshot is left of a history that is not.
      if (session.key === undefined || snapshot.seq > databaseSeq(session)) writes.moveToDatabase();
      database.snapshots.save(session, snapshot);
    });
  }

  async loadSnapshot(sessionId: string): Promise<Snapshot | undefined> {
    const session = this.#sessions.get(sessionId);
    return session === undefined ? undefined : this.#guarded('read', () => this.#parts.database.snapshots.load(session));
  }

  onProblem(listener: (sentence: string) => void): () => void {
    return this.#parts.problems.subscribe(listener);
  }

  health(): JournalHealth {
    return this.#isClosed ? { isWritable: false, reason: 'it is closed' } : this.#health.now();
  }

  announce(url: string): void {
    if (!this.#isClosed) this.#parts.writes.announce(url);
  }

  sizeBytes(): number {
    const { path, log } = this.#parts;
    const files = [path, `${path}-wal`, log.path];
    return files.reduce((sum, file) => sum + (statSync(file, { throwIfNoEntry: false })?.size ?? 0), 0);
  }

  async close(): Promise<void> {
    if (this.#isClosed) return;
    this.#queue.close();
    this.#feed.tell();
    this.#isClosed = true;
    clearInterval(this.#looking);
    this.#health.close();
    const { database, log, writes, release } = this.#parts;
    const isClean = writes.close();
    try {
      log.close(isClean);
    } finally {
      database.close();
      release();
    }
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
      this.#requireFiles();
      this.#health.require();
      this.#parts.writes.makeRoom();
      stage();
      if (staged.lines.length === 0) return;
      this.#parts.writes.commit(staged.lines);
      this.#health.succeeded();
    } catch (cause) {
      staged.undo();
      const error = journalFailure('written', cause);
      this.#health.failed(reasonOf(cause), writes);
      throw error;
    }
  }

  #existing(sessionId: string): NewestEvents {
    const session = this.#sessions.get(sessionId);
    if (session === undefined) throw new ShannonDashError('NOT_FOUND', `Session not found: ${sessionId}`);
    return session;
  }

  /** @throws which file is gone, and what to do, as a clause */
  #requireFiles(): void {
    const gone = this.#files.gone();
    if (gone === undefined) return;
    if (!this.#isSaved) {
      this.#isSaved = true;
      this.#parts.problems.tell(`${gone.path} was deleted or replaced under the server: stop it, and start it again`);
      try {
        this.#parts.writes.save();
      } catch {
        // What is left is what there is.
      }
    }
    throw new Error(`its ${gone.name} was deleted or replaced under the server; stop it, and start it again`);
  }

  #lookAtFiles(): void {
    try {
      this.#requireFiles();
    } catch (error) {
      this.#health.failed(reasonOf(error));
    }
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
