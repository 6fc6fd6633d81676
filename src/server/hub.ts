import type { Cursor } from '../core/event.ts';
import type { EventFilter } from '../core/event-filter.ts';
import { limits } from '../core/limits.ts';
import type { SessionGapMessage, SessionStateMessage } from '../core/messages.ts';
import type { SessionState } from '../core/session-state.ts';
import { timestampNow } from '../core/timestamp.ts';
import type { Journal, JournalChange, JournalEvent } from '../journal/journal.ts';
import { Delivery } from './delivery.ts';
import type { SessionStore } from './session-store.ts';

/** The most that is read for a watcher at a time, so that one that reads slowly costs little. */
const replayEvents = 500;
const replayChars = limits.backlogBytes / 2;

/** The messages about a session that are not events of it. Filters do not apply to them. */
export type SessionMessage =
  | { name: 'session:state'; payload: SessionStateMessage }
  | { name: 'session:gap'; payload: SessionGapMessage }
  | { name: 'session:created' | 'session:deleted'; payload: { session_id: string; timestamp: string } };

/** Whoever reads: a Socket.IO client, an SSE or NDJSON stream. None of these may throw. */
export interface Watcher {
  /** New events, live. */
  deliver(delivery: Delivery): void;
  /** Events of the past; resolves when there is room for more. */
  replay(events: readonly JournalEvent[]): Promise<void>;
  tell(message: SessionMessage): void;
  /** Lets the reader go, which comes back with its cursor. */
  cut(): void;
}

/** A watcher's place in one session, or in all of them. */
export interface Subscription {
  readonly sessionId: string | undefined;
  close(): void;
}

interface Reader {
  watcher: Watcher;
  filter: EventFilter;
  isLive: boolean;
  isClosed: boolean;
}

type AppendedChange = Extract<JournalChange, { kind: 'appended' }>;

/** Sees every change after it was folded. */
export type ChangeListener = (change: JournalChange, state: SessionState | undefined) => void;

/** Carries what is new in the journal to the watchers, each from its own cursor on. */
export class Hub {
  readonly #journal: Journal;
  readonly #store: SessionStore;
  readonly #readers = new Map<string, Set<Reader>>();
  readonly #readersOfAll = new Set<Reader>();
  readonly #listeners: ChangeListener[] = [];
  readonly #onProblem: (error: unknown) => void;
  readonly #unsubscribe: () => void;

  constructor(journal: Journal, store: SessionStore, onProblem: (error: unknown) => void) {
    this.#journal = journal;
    this.#store = store;
    this.#onProblem = onProblem;
    this.#unsubscribe = journal.subscribe((changes) => this.#take(changes));
  }

  onChange(listener: ChangeListener): void {
    this.#listeners.push(listener);
  }

  watchers(sessionId: string): number {
    return this.#readers.get(sessionId)?.size ?? 0;
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
    await this.#store.load(sessionId);
    let readers = this.#readers.get(sessionId);
    if (readers === undefined) this.#readers.set(sessionId, (readers = new Set()));
    readers.add(reader);
    const session = this.#store.get(sessionId);
    const epoch = session?.head.epoch ?? this.#journal.epoch;
    options.onJoined?.({ epoch, seq: session?.head.seq ?? 0 });
    const { after } = options;
    const gap = after === undefined ? undefined : gapAt(after, epoch, session?.head.seq ?? 0);
    if (after !== undefined && gap !== undefined) {
      watcher.tell({
        name: 'session:gap',
        payload: {
          session_id: sessionId,
          requested: after,
          first_available: session === undefined ? 0 : 1,
          epoch,
          reason: gap,
          timestamp: timestampNow(),
        },
      });
    }
    if (after === undefined || gap !== undefined) {
      this.#tellState(sessionId, reader);
      reader.isLive = true;
    } else {
      this.#catchUp(sessionId, reader, after.seq).catch((error: unknown) => {
        this.#onProblem(error);
        // A reader that stayed would wait for ever for what could not be read.
        this.#close(sessionId, reader);
        watcher.cut();
      });
    }
    return { sessionId, close: () => this.#close(sessionId, reader) };
  }

  /** Subscribes to every session: the states of those that changed last, then everything new. */
  subscribeAll(watcher: Watcher, filter: EventFilter): Subscription {
    const reader: Reader = { watcher, filter, isLive: true, isClosed: false };
    for (const { head } of this.#store.recent(limits.joinStates)) this.#tellState(head.session_id, reader);
    this.#readersOfAll.add(reader);
    const close = () => {
      reader.isClosed = true;
      this.#readersOfAll.delete(reader);
    };
    return { sessionId: undefined, close };
  }

  close(): void {
    this.#unsubscribe();
    this.#readers.clear();
    this.#readersOfAll.clear();
  }

  #take(changes: JournalChange[]): void {
    const appended: AppendedChange[] = [];
    for (const change of changes) {
      if (change.kind === 'appended') {
        appended.push(change);
        continue;
      }
      // Watchers first get what came before this in the same commit.
      this.#deliver(appended.splice(0));
      this.#store.apply(change);
      this.#tellOfSession(change);
    }
    this.#deliver(appended);
    for (const change of changes) {
      const sessionId = change.kind === 'created' ? change.head.session_id : change.session_id;
      for (const listener of this.#listeners) listener(change, this.#store.get(sessionId)?.state);
    }
  }

  /** Sends new events out, and only then folds them: meanwhile they are on their way. */
  #deliver(changes: readonly AppendedChange[]): void {
    if (changes.length === 0) return;
    const deliveries = changes.map(({ session_id, events }) => {
      const delivery = new Delivery(events);
      for (const reader of this.#readers.get(session_id) ?? []) if (reader.isLive) reader.watcher.deliver(delivery);
      return delivery;
    });
    if (this.#readersOfAll.size > 0) {
      const [first] = deliveries;
      const delivery = deliveries.length === 1 && first !== undefined ? first : new Delivery(changes.flatMap(({ events }) => events));
      for (const reader of this.#readersOfAll) reader.watcher.deliver(delivery);
    }
    for (const change of changes) this.#store.apply(change);
  }

  #tellOfSession(change: Exclude<JournalChange, { kind: 'appended' }>): void {
    const isCreated = change.kind === 'created';
    const session_id = isCreated ? change.head.session_id : change.session_id;
    for (const reader of [...(this.#readers.get(session_id) ?? []), ...this.#readersOfAll]) {
      reader.watcher.tell({ name: isCreated ? 'session:created' : 'session:deleted', payload: { session_id, timestamp: timestampNow() } });
      if (isCreated) this.#tellState(session_id, reader);
      reader.isLive = true;
    }
  }

  #tellState(sessionId: string, { watcher }: Reader): void {
    const session = this.#store.get(sessionId);
    if (session?.state === undefined) return;
    const { epoch } = session.head;
    watcher.tell({ name: 'session:state', payload: { session: session.state, epoch, seq: session.state.seq, timestamp: timestampNow() } });
  }

  async #catchUp(sessionId: string, reader: Reader, after: number): Promise<void> {
    let at = after;
    while (!reader.isClosed && !reader.isLive) {
      const through = this.#store.get(sessionId)?.head.seq ?? 0;
      if (at >= through) {
        reader.isLive = true;
        return;
      }
      const range = { after: at, through, limit: replayEvents, maxChars: replayChars, filter: reader.filter };
      const events = await this.#journal.read(sessionId, range);
      if (reader.isClosed || reader.isLive) return;
      if (events.length > 0) await reader.watcher.replay(events);
      at = events.at(-1)?.seq ?? through;
    }
  }

  #close(sessionId: string, reader: Reader): void {
    reader.isClosed = true;
    const readers = this.#readers.get(sessionId);
    readers?.delete(reader);
    if (readers?.size === 0) this.#readers.delete(sessionId);
  }
}

/** Why a cursor does not fit the history; undefined when it does. Who knows nothing (`seq` 0) has missed nothing. */
function gapAt(after: Cursor, epoch: string, seq: number): 'epoch' | 'retention' | undefined {
  if (after.seq === 0) return undefined;
  return after.epoch !== epoch || after.seq > seq ? 'epoch' : undefined;
}
