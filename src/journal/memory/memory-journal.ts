import { randomBytes } from 'node:crypto';
import { receivedAt, type SessionEvent } from '../../core/protocol/event.ts';
import { ShannonDashError } from '../../core/protocol/errors.ts';
import type { SessionOrigin } from '../../core/protocol/session-state.ts';
import { AppendQueue, type PendingAppend } from '../append-queue.ts';
import { ChangeFeed } from '../change-feed.ts';
import { checkExpectedSeq } from '../expected-seq.ts';
import { JoinedServers } from '../joined-servers.ts';
import {
  noteAppended,
  type AppendOptions,
  type AppendResult,
  type NewEvent,
  type Journal,
  type JournalChange,
  type JournalEvent,
  type JournalHealth,
  type JournalListener,
  type ReadRange,
  type SessionHead,
  type Snapshot,
} from '../journal.ts';
import { checkRoomForSession, newEpoch, seqOfServerMadeId, stamp, stampRestored, type Stamped } from '../stamping.ts';

interface StoredSession {
  head: SessionHead;
  events: JournalEvent[];
  /** Those whose producer gave an id. */
  byId: Map<string, JournalEvent>;
  snapshot?: Snapshot;
}

/** A journal that ends with its process: for tests and for throw-away servers. */
export class MemoryJournal implements Journal {
  readonly epoch = newEpoch();
  readonly secret = randomBytes(32).toString('base64url');
  readonly location = 'memory';
  readonly #sessions = new Map<string, StoredSession>();
  readonly #servers = new JoinedServers();
  readonly #feed = new ChangeFeed();
  readonly #queue = new AppendQueue<AppendResult>((group) => this.#commit(group));
  #deletions = 0;
  #isClosed = false;

  create(origin: SessionOrigin): Promise<SessionHead> {
    if (this.#isClosed) return Promise.reject(new ShannonDashError('UNAVAILABLE', 'The journal is closed'));
    this.flush();
    if (this.#sessions.has(origin.session_id)) {
      return Promise.reject(new ShannonDashError('CONFLICT', `Session ${origin.session_id} exists already`));
    }
    try {
      checkRoomForSession(this.#sessions.size);
    } catch (error) {
      return Promise.reject(error);
    }
    const { head } = this.#add(origin);
    this.#feed.tell([{ kind: 'created', head: { ...head } }]);
    return Promise.resolve({ ...head });
  }

  async restore(origin: SessionOrigin, events: readonly SessionEvent[]): Promise<SessionHead> {
    if (this.#isClosed) throw new ShannonDashError('UNAVAILABLE', 'The journal is closed');
    this.flush();
    const { session_id } = origin;
    if (this.#sessions.has(session_id)) throw new ShannonDashError('CONFLICT', `Session ${session_id} exists already`);
    checkRoomForSession(this.#sessions.size);
    const epoch = newEpoch();
    const stamped = stampRestored({ session_id, epoch, seq: 0 }, events);
    const session = this.#add(origin, epoch);
    const changes: JournalChange[] = [{ kind: 'created', head: { ...session.head } }];
    take(session, stamped, changes);
    this.#feed.tell(changes);
    return { ...session.head };
  }

  append(sessionId: string, events: readonly NewEvent[], options?: AppendOptions): Promise<AppendResult> {
    return this.#queue.push(sessionId, events, options);
  }

  flush(): void {
    this.#queue.flush();
    this.#feed.tell();
  }

  read(sessionId: string, range: ReadRange): Promise<JournalEvent[]> {
    const { after, limit, filter, through = Infinity, maxChars = Infinity, reverse = false } = range;
    const found: JournalEvent[] = [];
    const { events } = this.#sessions.get(sessionId) ?? { events: [] };
    const end = Math.min(events.length, through);
    let chars = 0;
    for (let read = 0; read < end - after && found.length < limit && chars < maxChars; read++) {
      const event = events[reverse ? end - 1 - read : after + read];
      if (event === undefined || filter?.(event.type) === false) continue;
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
    if (!this.#sessions.delete(sessionId)) return Promise.resolve(false);
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
    const known = session?.snapshot;
    const isOlder = known !== undefined && known.version === snapshot.version && known.seq >= snapshot.seq;
    if (session?.head.epoch === epoch && !isOlder) session.snapshot = snapshot;
    return Promise.resolve();
  }

  loadSnapshot(sessionId: string): Promise<Snapshot | undefined> {
    return Promise.resolve(this.#sessions.get(sessionId)?.snapshot);
  }

  onProblem(): () => void {
    return () => undefined;
  }

  health(): JournalHealth {
    return { isWritable: true };
  }

  announce(): void {
    // Nobody else can find it.
  }

  sizeBytes(): number {
    return 0;
  }

  close(): Promise<void> {
    this.#queue.close();
    this.#feed.tell();
    this.#isClosed = true;
    return Promise.resolve();
  }

  #add(origin: SessionOrigin, epoch = this.#deletions === 0 ? this.epoch : `${this.epoch}.${this.#deletions}`): StoredSession {
    const session: StoredSession = { head: { ...origin, epoch, seq: 0, updated_at: origin.created_at }, events: [], byId: new Map() };
    this.#sessions.set(origin.session_id, session);
    return session;
  }

  #commit(group: PendingAppend<AppendResult>[]): void {
    const changes: JournalChange[] = [];
    const settle: (() => void)[] = [];
    for (const { sessionId, events, options, resolve, reject } of group) {
      const known = this.#sessions.get(sessionId);
      try {
        checkExpectedSeq(known?.head ?? { session_id: sessionId, seq: 0 }, options.expectedSeq);
        if (known === undefined) checkRoomForSession(this.#sessions.size);
        const session = known ?? this.#add({ session_id: sessionId, created_at: new Date().toISOString() });
        const stamped = stamp(session.head, events, (id) => findById(session, id));
        const { seqs } = stamped;
        const { epoch } = session.head;
        if (known === undefined) changes.push({ kind: 'created', head: { ...session.head } });
        take(session, stamped, changes);
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

/** Takes up events of a session. */
function take(session: StoredSession, { fresh, freshById }: Stamped, changes: JournalChange[]): void {
  const { head, byId } = session;
  for (const [id, event] of freshById ?? []) byId.set(id, event);
  for (const event of fresh) {
    session.events.push(event);
    head.seq = event.seq;
    head.updated_at = receivedAt(event.event);
  }
  const { session_id, epoch } = head;
  if (fresh.length > 0) noteAppended(changes, { kind: 'appended', session_id, epoch, events: fresh });
}

function findById(session: StoredSession, id: string): JournalEvent | undefined {
  const seq = seqOfServerMadeId(session.head.epoch, id);
  return seq === undefined ? session.byId.get(id) : session.events[seq - 1];
}
