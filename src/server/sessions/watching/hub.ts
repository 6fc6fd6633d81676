import type { Cursor } from '../../../core/protocol/event.ts';
import type { EventFilter } from '../../../core/event-filter.ts';
import { timestampNow } from '../../../core/timestamp.ts';
import type { Journal, JournalChange, SessionHead } from '../../../journal/journal.ts';
import type { AppendedChange, ChangeListener, HubChange, SessionChange, ToldChange } from './changes.ts';
import { Delivery, type DeliveryFigures } from './delivery.ts';
import { Interest } from './interest.ts';
import { Joining } from './joining.ts';
import { MissedSessions } from './missed-sessions.ts';
import { gapAt, isOneHistory, noteMissed, type Reader, type ReaderOfAll } from './reader.ts';
import type { SessionStore } from '../session-store.ts';
import { UnderWay } from '../../under-way.ts';
import type { Subscription, Watcher } from './watcher.ts';

/** Carries what is new to the watchers, each from its own cursor on. Of what other servers write it reads what somebody here wants. */
export class Hub {
  readonly interest = new Interest();
  readonly #journal: Journal;
  readonly #store: SessionStore;
  readonly #readers = new Map<string, Set<Reader>>();
  readonly #readersOfAll = new Set<ReaderOfAll>();
  readonly #listeners: ChangeListener[] = [];
  readonly #missed: MissedSessions;
  readonly #joining: Joining;
  readonly #onProblem: (error: unknown) => void;
  readonly #figures: DeliveryFigures | undefined;
  readonly #unsubscribe: () => void;
  readonly #telling = new UnderWay();
  #isClosed = false;
  /** Sessions to which this server has written behind what it had taken in. */
  readonly #written = new Set<string>();

  /** @param figures counts what goes to watchers */
  constructor(journal: Journal, store: SessionStore, onProblem: (error: unknown) => void, figures?: DeliveryFigures) {
    this.#journal = journal;
    this.#figures = figures;
    this.#store = store;
    this.#onProblem = onProblem;
    this.#missed = new MissedSessions({
      journal,
      known: (sessionId) => store.get(sessionId),
      take: (sessionId, head) => this.#takeHead(sessionId, head),
      takeNext: (change) => {
        this.#written.delete(change.session_id);
        this.#deliver([change]);
        this.#tellListeners(change);
      },
      onProblem,
    });
    this.#joining = new Joining(journal, store, onProblem);
    this.interest.add((sessionId) => this.#readersOfAll.size > 0 || this.#readers.has(sessionId));
    store.catchUpBy((sessionId) => this.#missed.ask(sessionId));
    this.#unsubscribe = journal.subscribe((changes) => this.#take(changes));
  }

  onChange(listener: ChangeListener): void {
    this.#listeners.push(listener);
  }

  watchers(sessionId: string): number {
    return this.#readers.get(sessionId)?.size ?? 0;
  }

  /** How many watch now: one session by name each, or all. */
  get size(): number {
    let size = this.#readersOfAll.size;
    for (const readers of this.#readers.values()) size += readers.size;
    return size;
  }

  /** The sessions that are watched by name, also those that do not exist yet. */
  watchedSessions(): IterableIterator<string> {
    return this.#readers.keys();
  }

  /**
   * Subscribes to one session: its history after the cursor, or its state, then everything new. `onJoined` is called
   * with the place where the subscription starts, before anything is delivered.
   */
  async subscribe(
    sessionId: string,
    watcher: Watcher,
    options: { after?: Cursor | undefined; filter: EventFilter; onJoined?: (cursor: Cursor) => void },
  ): Promise<Subscription> {
    const reader: Reader = { watcher, filter: options.filter, isLive: false, isClosed: false };
    const loaded = this.#store.load(sessionId).then(() => {
      this.#readers.set(sessionId, (this.#readers.get(sessionId) ?? new Set()).add(reader));
    });
    await loaded.finally(this.interest.hold(sessionId));
    const session = this.#store.get(sessionId);
    const epoch = session?.head.epoch ?? this.#journal.epoch;
    options.onJoined?.({ epoch, seq: session?.head.seq ?? 0 });
    const { after } = options;
    const gap = after === undefined ? undefined : gapAt(after, { epoch, seq: 0, ...session?.head });
    if (after !== undefined && gap !== undefined) watcher.tell(this.#joining.gapMessage(sessionId, after, gap));
    const begun = after === undefined || gap !== undefined ? this.#joining.beginWithState(sessionId, reader) : Promise.resolve(after.seq);
    const close = () => this.#close(sessionId, reader);
    return { sessionId, joined: this.#joining.follow(reader, begun, (seq) => this.#joining.catchUp(sessionId, reader, seq), close), close };
  }

  /**
   * Subscribes to every session, or to those that `reaches` says: the states of those that changed last, then everything new. Live
   * events are sorted out by the shape of the watcher.
   */
  subscribeAll(watcher: Watcher, filter: EventFilter, reaches?: (sessionId: string) => boolean): Subscription {
    const reader: ReaderOfAll = { watcher, filter, reaches, isLive: false, isClosed: false, missed: new Map() };
    this.#readersOfAll.add(reader);
    this.catchUp().catch(this.#onProblem);
    const close = () => this.#closeOfAll(reader);
    return {
      sessionId: undefined,
      joined: this.#joining.follow(reader, this.#joining.joinAll(reader), () => this.#joining.catchUpAll(reader), close),
      close,
    };
  }

  /** Brings every session to where the journal has it. */
  async catchUp(): Promise<void> {
    const behind = [...this.#store.all()].filter(({ isBehind }) => isBehind);
    if (behind.length === 0) return;
    await this.#missed.askAll(behind.map(({ head }) => head.session_id));
    this.#store.sortByChange();
  }

  /** Brings a session to where the journal has it now, which may be a moment ahead of what the feed has told. */
  refresh(sessionId: string): Promise<void> {
    return this.#missed.refresh(sessionId);
  }

  /** Resolves once nothing is read from the journal any more for those that were told. */
  async close(): Promise<void> {
    this.#isClosed = true;
    this.#unsubscribe();
    this.#readers.clear();
    this.#readersOfAll.clear();
    await this.#missed.close();
    await this.#telling.settled();
  }

  #take(changes: JournalChange[]): void {
    const told: ToldChange[] = [];
    const appended: AppendedChange[] = [];
    const seqs = new Map<string, number>();
    for (const change of changes) {
      if (change.kind === 'behind') {
        this.#takeBehind(change);
        continue;
      }
      if (change.kind === 'appended' && !this.#missed.follows(change, this.#store.get(change.session_id)?.head, seqs)) {
        this.#written.add(change.session_id);
        this.#missed.note(change.session_id);
        continue;
      }
      told.push(change);
      if (change.kind === 'appended') appended.push(change);
      else if (change.kind === 'cut') this.#store.apply(change);
      else {
        // Watchers first get what came before this in the same commit.
        this.#deliver(appended.splice(0));
        seqs.clear();
        this.#takeSession(change);
      }
    }
    this.#deliver(appended);
    for (const change of told) this.#tellListeners(change);
  }

  #takeBehind({ session_id, epoch }: Extract<JournalChange, { kind: 'behind' }>): void {
    const session = this.#store.get(session_id);
    const isKnown = session !== undefined && epoch === session.head.epoch;
    const isPutOff = isKnown && !this.#missed.has(session_id) && !this.interest.has(session_id);
    if (isKnown && !session.isBehind) this.#tellListeners({ kind: 'written', session_id });
    if (isPutOff) this.#store.putOff(session_id);
    else this.#missed.note(session_id);
  }

  #takeSession(change: SessionChange): void {
    this.#store.apply(change);
    if (change.kind === 'created' && change.head.seq > 0) this.#tellOfImported(change).catch(this.#onProblem);
    else this.#tellOfSession(change);
  }

  /** Its events are history: watchers get its state, once that is read. */
  async #tellOfImported(change: SessionChange & { kind: 'created' }): Promise<void> {
    const { session_id } = change.head;
    const session = this.#store.get(session_id);
    await this.#store.load(session_id);
    if (this.#store.get(session_id) === session) this.#tellOfSession(change);
  }

  /** Brings a session to where the journal has it, after the feed missed changes of it: its watchers go on from where they were. */
  #takeHead(sessionId: string, head: SessionHead | undefined): void {
    const before = this.#store.get(sessionId)?.head;
    const wasBehind = this.#store.get(sessionId)?.isBehind === true;
    const isOfInterest = this.#written.delete(sessionId) || this.interest.has(sessionId);
    const changes: SessionChange[] = [];
    const isSame = isOneHistory(before, head);
    if (before !== undefined && !isSame) changes.push({ kind: 'deleted', session_id: sessionId });
    if (head !== undefined && !isSame) {
      changes.push({ kind: 'created', head: head.imported === undefined ? { ...head, seq: 0, updated_at: head.created_at } : head });
    }
    for (const change of changes) {
      this.#takeSession(change);
      this.#tellListeners(change);
    }
    const from = this.#store.get(sessionId)?.head.seq ?? 0;
    this.#store.noteCurrent(sessionId);
    if (head === undefined || head.seq <= from) return;
    // Of one that is new to this server its head is enough.
    if (changes.length > 0 && !isOfInterest) return this.#store.putOff(sessionId);
    this.#store.advance(head);
    if (!wasBehind) this.#store.loadSoon(sessionId);
    for (const reader of this.#readers.get(sessionId) ?? []) {
      if (!reader.isLive) continue;
      reader.isLive = false;
      const goOn = (seq: number) => this.#joining.catchUp(sessionId, reader, seq);
      void this.#joining.follow(reader, Promise.resolve(from), goOn, () => this.#close(sessionId, reader));
    }
    for (const reader of this.#readersOfAll) {
      if (reader.reaches?.(sessionId) === false) continue;
      if (!reader.missed.has(sessionId)) reader.missed.set(sessionId, from + 1);
      if (!reader.isLive) continue;
      reader.isLive = false;
      const goOn = () => this.#joining.catchUpAll(reader);
      void this.#joining.follow(reader, Promise.resolve(), goOn, () => this.#closeOfAll(reader));
    }
    if (wasBehind) this.#tellListeners({ kind: 'caughtUp', session_id: sessionId });
    else this.#telling.add(this.#tellMissed(head, from)).catch(this.#onProblem);
  }

  async #tellMissed(head: SessionHead, from: number): Promise<void> {
    for await (const change of this.#missed.read(head, from)) {
      if (this.#isClosed || this.#store.get(head.session_id)?.head.epoch !== head.epoch) return;
      this.#tellListeners(change);
    }
  }

  #tellListeners(change: HubChange): void {
    const sessionId = change.kind === 'created' ? change.head.session_id : change.session_id;
    for (const listener of this.#listeners) listener(change, this.#store.get(sessionId)?.state);
  }

  /** Sends new events out, and only then folds them: meanwhile they are on their way. */
  #deliver(changes: readonly AppendedChange[]): void {
    if (changes.length === 0) return;
    const deliveries = changes.map(({ session_id, events }) => {
      const delivery = new Delivery(events, this.#figures);
      for (const reader of this.#readers.get(session_id) ?? []) if (reader.isLive) reader.watcher.deliver(delivery);
      return delivery;
    });
    if (this.#readersOfAll.size > 0) {
      const [first] = deliveries;
      const delivery =
        deliveries.length === 1 && first !== undefined
          ? first
          : new Delivery(
              changes.flatMap(({ events }) => events),
              this.#figures,
            );
      for (const reader of this.#readersOfAll) {
        if (reader.isLive) reader.watcher.deliver(delivery);
        else noteMissed(reader, changes);
      }
    }
    for (const change of changes) this.#store.apply(change);
  }

  #tellOfSession(change: SessionChange): void {
    const isCreated = change.kind === 'created';
    const session_id = isCreated ? change.head.session_id : change.session_id;
    const tell = (reader: Reader) => {
      reader.watcher.tell({ name: isCreated ? 'session:created' : 'session:deleted', payload: { session_id, timestamp: timestampNow() } });
      const state = isCreated ? this.#joining.stateMessage(session_id) : undefined;
      if (state !== undefined) reader.watcher.tell(state);
    };
    for (const reader of this.#readers.get(session_id) ?? []) {
      tell(reader);
      reader.isLive = true;
    }
    for (const reader of this.#readersOfAll) {
      if (reader.reaches?.(session_id) === false) continue;
      tell(reader);
      reader.missed.delete(session_id);
    }
  }

  #close(sessionId: string, reader: Reader): void {
    reader.isClosed = true;
    const readers = this.#readers.get(sessionId);
    readers?.delete(reader);
    if (readers?.size === 0) this.#readers.delete(sessionId);
  }

  #closeOfAll(reader: ReaderOfAll): void {
    reader.isClosed = true;
    this.#readersOfAll.delete(reader);
  }
}
