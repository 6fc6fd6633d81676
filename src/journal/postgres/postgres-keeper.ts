import { ShannonDashError } from '../../core/protocol/errors.ts';
import type { Cursor } from '../../core/protocol/event.ts';
import type { SessionOrigin } from '../../core/protocol/session-state.ts';
import { AppendQueue, type PendingAppend } from '../append-queue.ts';
import type { ChangeFeed } from '../change-feed.ts';
import type {
  AppendOptions,
  AppendResult,
  Journal,
  JournalEvent,
  JournalHealth,
  JournalImport,
  JournalListener,
  JournalVitals,
  NewEvent,
  ReadRange,
  SessionHead,
  Snapshot,
  SnapshotQuery,
} from '../journal.ts';
import { ProblemFeed } from '../problem-feed.ts';
import { sessionExists } from '../stamping.ts';
import type { PostgresFeed } from './postgres-feed.ts';
import { PostgresImport } from './postgres-import.ts';
import type { PostgresReader } from './postgres-reader.ts';
import { PostgresStates } from './postgres-states.ts';
import type { PostgresWriter } from './postgres-writer.ts';
import type { JournalIdentity } from './postgres-schema.ts';
import { WriteLane } from './write-lane.ts';

/** A commit takes appends until their JSON has so many characters. */
const commitChars = 4 * 1024 * 1024;

export interface PostgresKeeperParts {
  location: string;
  identity: JournalIdentity;
  writer: PostgresWriter;
  reader: PostgresReader;
  feed: PostgresFeed;
  changes: ChangeFeed;
}

/** A journal in PostgreSQL, which any number of servers share. */
export class PostgresKeeper implements Journal {
  readonly epoch: string;
  readonly secret: string;
  readonly location: string;
  readonly inCareOf = (serverId: string): Promise<string[]> => this.#parts.feed.inCareOf(serverId);
  readonly #parts: PostgresKeeperParts;
  readonly #states: PostgresStates;
  readonly #problems = new ProblemFeed();
  readonly #lane = new WriteLane((appends) => this.#commit(appends));
  readonly #queue = new AppendQueue<AppendResult>((group) => this.#lane.push(group));
  #failure: string | undefined;
  #sweeping: Promise<void> = Promise.resolve();
  #isClosed = false;
  #closing: Promise<void> | undefined;

  constructor(parts: PostgresKeeperParts) {
    this.#parts = parts;
    this.#states = new PostgresStates(parts.reader, parts.feed, parts.writer);
    this.location = parts.location;
    this.epoch = parts.identity.epoch;
    this.secret = parts.identity.secret;
    this.#sweep();
  }

  async create(origin: SessionOrigin): Promise<SessionHead> {
    this.#requireOpen();
    this.flush();
    return this.#lane.run(async () => {
      const { writer, changes } = this.#parts;
      const made = await this.#counted(() => writer.commit([origin.session_id], (group) => group.create(origin)));
      changes.tell(made.changes);
      const { epoch } = made.sessions.get(origin.session_id) ?? this;
      return { ...origin, epoch, seq: 0, updated_at: origin.created_at };
    });
  }

  async beginImport(origin: SessionOrigin, epoch: string): Promise<JournalImport> {
    this.#requireOpen();
    this.flush();
    const { reader, writer, changes } = this.#parts;
    if ((await this.head(origin.session_id)) !== undefined) throw sessionExists(origin.session_id);
    return PostgresImport.begin(origin, epoch, {
      reader,
      writer,
      inTurn: (work) =>
        this.#lane.run(async () => {
          const head = await this.#counted(work);
          await writer.noteImported(origin.session_id, head);
          changes.tell([{ kind: 'created', head }]);
          return head;
        }),
      sweep: () => this.#sweep(),
    });
  }

  append(sessionId: string, events: readonly NewEvent[], options?: AppendOptions): Promise<AppendResult> {
    return this.#queue.push(sessionId, events, options);
  }

  flush(): void {
    this.#queue.flush();
    this.#parts.changes.tell();
  }

  read(sessionId: string, range: ReadRange): Promise<JournalEvent[]> {
    return this.#parts.reader.read(sessionId, range);
  }

  find(sessionId: string, id: string): Promise<JournalEvent | undefined> {
    return this.#parts.reader.find(sessionId, id);
  }

  sessions(): Promise<SessionHead[]> {
    return this.#parts.reader.heads();
  }

  head(sessionId: string): Promise<SessionHead | undefined> {
    return this.#parts.reader.head(sessionId);
  }

  async delete(sessionId: string): Promise<boolean> {
    this.flush();
    this.#requireOpen();
    const { writer, changes } = this.#parts;
    return this.#lane.run(async () => {
      const was = await this.#counted(() => writer.delete(sessionId));
      this.#parts.feed.forgetCut(sessionId);
      if (was) changes.tell([{ kind: 'deleted', session_id: sessionId }]);
      this.#sweep();
      return was;
    });
  }

  subscribe(listener: JournalListener): () => void {
    return this.#parts.changes.subscribe(listener);
  }

  join(serverId: string): () => void {
    return this.#parts.feed.join(serverId);
  }

  servers(): ReadonlySet<string> {
    return this.#parts.feed.servers;
  }

  saveSnapshot(session: Pick<SessionHead, 'session_id' | 'epoch'>, snapshot: Snapshot): Promise<void> {
    return this.#states.save(session, snapshot);
  }

  loadSnapshot(sessionId: string, which: SnapshotQuery = {}): Promise<Snapshot | undefined> {
    return this.#states.load(sessionId, which);
  }

  cut(session: Pick<SessionHead, 'session_id' | 'epoch'>, base: Snapshot): Promise<void> {
    return this.#states.cut(session, base);
  }

  loadBase(sessionId: string): Promise<Snapshot | undefined> {
    return this.#states.loadBase(sessionId);
  }

  /** Its tables keep the room of what was deleted until PostgreSQL uses it again. */
  usedBytes(): undefined {
    return undefined;
  }

  async saveCursors(reader: string, cursors: ReadonlyMap<string, Cursor>): Promise<void> {
    const entries = [...cursors];
    await this.#parts.reader.query(
      `WITH known AS (INSERT INTO readers VALUES ($1) ON CONFLICT DO NOTHING)
       INSERT INTO cursors (reader, session, seq)
       SELECT $1, s.key, given.seq FROM unnest($2::text[], $3::text[], $4::bigint[]) AS given(id, epoch, seq)
       JOIN sessions s ON s.session_id = given.id AND s.epoch = given.epoch
       ON CONFLICT (reader, session) DO UPDATE SET seq = excluded.seq`,
      [reader, entries.map(([id]) => id), entries.map(([, { epoch }]) => epoch), entries.map(([, { seq }]) => seq)],
    );
  }

  async loadCursors(reader: string): Promise<Map<string, Cursor> | undefined> {
    const rows = await this.#parts.reader.query<{ session_id: string | null; epoch: string; seq: string }>(
      `SELECT s.session_id, s.epoch, c.seq FROM readers r LEFT JOIN cursors c USING (reader)
       LEFT JOIN sessions s ON s.key = c.session WHERE r.reader = $1`,
      [reader],
    );
    if (rows.length === 0) return undefined;
    return new Map(rows.flatMap(({ session_id, epoch, seq }) => (session_id === null ? [] : [[session_id, { epoch, seq: Number(seq) }]])));
  }

  onProblem(listener: (sentence: string) => void): () => void {
    return this.#problems.subscribe(listener);
  }

  health(): JournalHealth {
    if (this.#isClosed) return { isWritable: false, reason: 'it is closed' };
    return this.#failure === undefined ? { isWritable: true } : { isWritable: false, reason: this.#failure };
  }

  vitals(): JournalVitals {
    return { waitingChars: 0, freeBytes: undefined, concerns: [] };
  }

  onWriteBack(): () => void {
    return () => undefined;
  }

  announce(url: string): void {
    this.#parts.feed.announce(url);
  }

  sizeBytes(): number {
    return this.#parts.feed.sizeBytes;
  }

  backup(): Promise<never> {
    const advice = "PostgreSQL's own tools back it up, such as pg_dump";
    return Promise.reject(new ShannonDashError('UNSUPPORTED', `A journal in PostgreSQL is kept in no file: ${advice}`));
  }

  close(): Promise<void> {
    return (this.#closing ??= this.#close());
  }

  /** Whether the database answers, and why not. */
  noteReached(failure: string | undefined): void {
    if (failure !== undefined && this.#failure === undefined) {
      this.#problems.tell(`The journal cannot be reached: ${failure}; what is published is refused until it can`);
    }
    if (failure === undefined && this.#failure !== undefined) this.#problems.tell('The journal can be reached again');
    this.#failure = failure;
  }

  async #close(): Promise<void> {
    this.#queue.close();
    this.#isClosed = true;
    const { writer, reader, feed, changes } = this.#parts;
    await this.#lane.idle();
    await this.#sweeping;
    changes.tell();
    await feed.close();
    await writer.close();
    await reader.close();
  }

  /** A conflict refuses its own append only; a database that cannot be written refuses all. */
  async #commit(appends: readonly PendingAppend<AppendResult>[]): Promise<{ taken: number; overtaken: readonly string[] }> {
    let taken = 0;
    const sessionIds = new Set(appends.map(({ sessionId }) => sessionId));
    try {
      const group = await this.#counted(() =>
        this.#parts.writer.commit([...sessionIds], (staged) => {
          taken = 0;
          for (const pending of appends) {
            if (staged.chars >= commitChars) break;
            staged.append(pending);
            taken++;
          }
        }),
      );
      this.#parts.changes.tell(group.changes);
      for (const answer of group.answers) answer();
      return { taken, overtaken: group.overtaken };
    } catch (error) {
      for (const { reject } of appends) reject(error);
      return { taken: appends.length, overtaken: [] };
    }
  }

  /** Notes whether the database could be written. */
  async #counted<Result>(work: () => Promise<Result>): Promise<Result> {
    try {
      return await work();
    } catch (error) {
      if (error instanceof ShannonDashError && error.code === 'JOURNAL_FAILED') this.noteReached(error.message);
      throw error;
    }
  }

  #sweep(): void {
    this.#sweeping = this.#sweeping.then(() => this.#parts.reader.sweep(() => this.#isClosed)).catch(() => undefined);
  }

  #requireOpen(): void {
    if (this.#isClosed) throw new ShannonDashError('UNAVAILABLE', 'The journal is closed');
  }
}
