import { randomBytes } from 'node:crypto';
import type { Cursor } from '../../core/protocol/event.ts';
import { ShannonDashError } from '../../core/protocol/errors.ts';
import type { SessionOrigin } from '../../core/protocol/session-state.ts';
import { AppendQueue, type PendingAppend } from '../append-queue.ts';
import { ChangeFeed } from '../change-feed.ts';
import { checkExpectedSeq } from '../expected-seq.ts';
import { JoinedServers } from '../joined-servers.ts';
import {
  type AppendOptions,
  type AppendResult,
  type NewEvent,
  type Journal,
  type JournalChange,
  type JournalEvent,
  type JournalHealth,
  type JournalImport,
  type JournalListener,
  type JournalVitals,
  type ReadRange,
  type SessionHead,
  type Snapshot,
  type SnapshotQuery,
} from '../journal.ts';
import { isWanted } from '../wanted-events.ts';
import { checkRoomForSession, checkTakesEvents, importEnded, newEpoch, sameId, sessionExists, stamp, stampImported } from '../stamping.ts';
import { keepSnapshot } from './memory-snapshots.ts';
import { findById, storedSession, take, type StoredSession } from './stored-session.ts';

/** A journal that ends with its process: for tests and for throw-away servers. */
export class MemoryJournal implements Journal {
  readonly epoch = newEpoch();
  readonly secret = randomBytes(32).toString('base64url');
  readonly location = 'memory';
  readonly #sessions = new Map<string, StoredSession>();
  readonly #servers = new JoinedServers();
  readonly #feed = new ChangeFeed();
  readonly #queue = new AppendQueue<AppendResult>((group) => this.#commit(group));
  readonly #cursors = new Map<string, Map<string, Cursor>>();
  #deletions = 0;
  /** Of all events. */
  #chars = 0;
  #isClosed = false;

  async create(origin: SessionOrigin): Promise<SessionHead> {
    this.#checkNew(origin);
    const { head } = this.#add(origin);
    this.#feed.tell([{ kind: 'created', head: { ...head } }]);
    return { ...head };
  }

  async beginImport(origin: SessionOrigin, epoch: string): Promise<JournalImport> {
    this.#checkNew(origin);
    const session = storedSession(origin, epoch);
    let isOpen = true;
    const requireOpen = () => {
      if (!isOpen) throw importEnded();
    };
    return {
      add: async (events) => {
        requireOpen();
        const twice = events.findIndex(({ id }) => session.byId.has(id));
        if (twice !== -1) throw sameId(twice);
        take(session, stampImported(session.head, events), []);
      },
      finish: async () => {
        requireOpen();
        this.#checkNew(origin);
        isOpen = false;
        this.#sessions.set(origin.session_id, session);
        for (const { json } of session.events) this.#chars += json.length;
        this.#feed.tell([{ kind: 'created', head: { ...session.head } }]);
        return { ...session.head };
      },
      drop: async () => {
        isOpen = false;
      },
    };
  }

  append(sessionId: string, events: readonly NewEvent[], options?: AppendOptions): Promise<AppendResult> {
    return this.#queue.push(sessionId, events, options);
  }

  flush(): void {
    this.#queue.flush();
    this.#feed.tell();
  }

  read(sessionId: string, range: ReadRange): Promise<JournalEvent[]> {
    const { after, limit, through = Infinity, maxChars = Infinity, reverse = false } = range;
    const found: JournalEvent[] = [];
    const { events, head } = this.#sessions.get(sessionId) ?? { events: [], head: undefined };
    const cut = head?.cut ?? 0;
    // Places in the list.
    const [begin, end] = [Math.max(0, after - cut), Math.min(events.length, through - cut)];
    let chars = 0;
    for (let read = 0; read < end - begin && found.length < limit && chars < maxChars; read++) {
      const event = events[reverse ? end - 1 - read : begin + read];
      if (event === undefined || !isWanted(event, range)) continue;
      found.push(event);
      chars += event.json.length;
    }
    return Promise.resolve(found);
  }

  find(sessionId: string, id: string): Promise<JournalEvent | undefined> {
    const session = this.#sessions.get(sessionId);
    return Promise.resolve(session === undefined ? undefined : findById(session, id));
  }

  sessions(): Promise<SessionHead[]> {
    return Promise.resolve([...this.#sessions.values()].map(({ head }) => ({ ...head })));
  }

  head(sessionId: string): Promise<SessionHead | undefined> {
    const session = this.#sessions.get(sessionId);
    return Promise.resolve(session === undefined ? undefined : { ...session.head });
  }

  delete(sessionId: string): Promise<boolean> {
    this.flush();
    for (const { json } of this.#sessions.get(sessionId)?.events ?? []) this.#chars -= json.length;
    if (!this.#sessions.delete(sessionId)) return Promise.resolve(false);
    for (const cursors of this.#cursors.values()) cursors.delete(sessionId);
    this.#deletions++;
    this.#feed.tell([{ kind: 'deleted', session_id: sessionId }]);
    return Promise.resolve(true);
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

  saveSnapshot({ session_id, epoch }: Pick<SessionHead, 'session_id' | 'epoch'>, snapshot: Snapshot): Promise<void> {
    const session = this.#sessions.get(session_id);
    if (session?.head.epoch === epoch) keepSnapshot(session, snapshot);
    return Promise.resolve();
  }

  loadSnapshot(sessionId: string, { version, through = Infinity }: SnapshotQuery = {}): Promise<Snapshot | undefined> {
    const snapshots = this.#sessions.get(sessionId)?.snapshots ?? [];
    return Promise.resolve(snapshots.findLast((each) => each.seq <= through && each.version === (version ?? each.version)));
  }

  async cut({ session_id, epoch }: Pick<SessionHead, 'session_id' | 'epoch'>, base: Snapshot): Promise<void> {
    const session = this.#sessions.get(session_id);
    const { seq, cut = 0 } = session?.head ?? { seq: 0 };
    if (session?.head.epoch !== epoch || base.seq <= cut || base.seq > seq) return;
    for (const { json, event } of session.events.splice(0, base.seq - cut)) {
      this.#chars -= json.length;
      session.byId.delete(event.id);
    }
    session.snapshots = session.snapshots.filter((each) => each.seq > base.seq);
    session.base = base;
    session.head = { ...session.head, cut: base.seq };
    this.#feed.tell([{ kind: 'cut', session_id, epoch, through: base.seq }]);
  }

  loadBase(sessionId: string): Promise<Snapshot | undefined> {
    return Promise.resolve(this.#sessions.get(sessionId)?.base);
  }

  usedBytes(): number {
    return this.#chars;
  }

  saveCursors(reader: string, cursors: ReadonlyMap<string, Cursor>): Promise<void> {
    const known = this.#cursors.get(reader) ?? new Map<string, Cursor>();
    this.#cursors.set(reader, known);
    for (const [id, cursor] of cursors) if (this.#sessions.get(id)?.head.epoch === cursor.epoch) known.set(id, cursor);
    return Promise.resolve();
  }

  loadCursors(reader: string): Promise<Map<string, Cursor> | undefined> {
    const known = this.#cursors.get(reader);
    return Promise.resolve(known && new Map(known));
  }

  onProblem(): () => void {
    return () => undefined;
  }

  health(): JournalHealth {
    return { isWritable: true };
  }

  vitals(): JournalVitals {
    return { waitingChars: 0, freeBytes: undefined, concerns: [] };
  }

  onWriteBack(): () => void {
    return () => undefined;
  }

  announce(): void {
    // Nobody else can find it.
  }

  sizeBytes(): number {
    return 0;
  }

  backup(): Promise<never> {
    return Promise.reject(
      new ShannonDashError('UNSUPPORTED', 'A journal in memory has no file that could be backed up; export its sessions instead'),
    );
  }

  close(): Promise<void> {
    this.#queue.close();
    this.#feed.tell();
    this.#isClosed = true;
    return Promise.resolve();
  }

  /** @throws ShannonDashError CONFLICT, LIMIT_REACHED, UNAVAILABLE */
  #checkNew({ session_id }: SessionOrigin): void {
    if (this.#isClosed) throw new ShannonDashError('UNAVAILABLE', 'The journal is closed');
    this.flush();
    if (this.#sessions.has(session_id)) throw sessionExists(session_id);
    checkRoomForSession(this.#sessions.size);
  }

  #add(origin: SessionOrigin): StoredSession {
    const session = storedSession(origin, this.#deletions === 0 ? this.epoch : `${this.epoch}.${this.#deletions}`);
    this.#sessions.set(origin.session_id, session);
    return session;
  }

  #commit(group: PendingAppend<AppendResult>[]): void {
    const changes: JournalChange[] = [];
    const settle: (() => void)[] = [];
    for (const { sessionId, events, options, resolve, reject } of group) {
      const known = this.#sessions.get(sessionId);
      try {
        if (known !== undefined) checkTakesEvents(known.head);
        checkExpectedSeq(known?.head ?? { session_id: sessionId, seq: 0 }, options.expectedSeq);
        if (known === undefined) checkRoomForSession(this.#sessions.size);
        const session = known ?? this.#add({ session_id: sessionId, created_at: new Date().toISOString() });
        const stamped = stamp(session.head, events, (id) => findById(session, id));
        const { seqs } = stamped;
        const { epoch } = session.head;
        if (known === undefined) changes.push({ kind: 'created', head: { ...session.head } });
        this.#chars += take(session, stamped, changes);
        settle.push(() => resolve({ epoch, first_seq: seqs[0] ?? 0, last_seq: seqs.at(-1) ?? 0, seqs }));
      } catch (error) {
        if (known === undefined) this.#sessions.delete(sessionId);
        settle.push(() => reject(error));
      }
    }
    if (group.every(({ options }) => options.latency === 'lowest')) this.#feed.tellSoon(changes);
    else this.#feed.tell(changes);
    for (const each of settle) each();
  }
}
