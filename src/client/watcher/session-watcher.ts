import { ShannonDashError } from '../../core/protocol/errors.ts';
import type { Cursor, SessionEvent } from '../../core/protocol/event.ts';
import { fold } from '../../core/fold/fold.ts';
import type {
  EventsMessage,
  ServerMessageName,
  SessionGapMessage,
  SessionStateMessage,
  SubscribedMessage,
} from '../../core/protocol/messages.ts';
import { initialState, type SessionState } from '../../core/protocol/session-state.ts';
import type { Connection, ConnectionState } from '../connection/connection.ts';
import { EventQueue } from './event-queue.ts';
import { Listeners } from '../connection/listeners.ts';
import { StandingRequest } from '../connection/standing-request.ts';
import type { Watcher, WatchUpdate } from './watcher-contract.ts';

export interface SessionWatchOptions {
  session: string;
  after?: Cursor | 'start' | undefined;
  eventTypes?: string[] | undefined;
  /** Whether closing the watcher closes the connection. */
  ownsConnection: boolean;
}

/** The messages that a watcher cannot do without. */
export const watchedMessages: ReadonlySet<ServerMessageName> = new Set([
  'subscribed',
  'events',
  'session:state',
  'session:gap',
  'session:deleted',
]);

/** Follows one session over a connection: a cursor, the fold up to it, and the events that wait for a loop. */
export class SessionWatcher implements Watcher {
  readonly session: string;
  readonly #connection: Connection;
  readonly #options: SessionWatchOptions;
  readonly #updates = new Listeners<WatchUpdate>();
  readonly #queue = new EventQueue(() => this.#onRoom());
  readonly #subscription: StandingRequest;
  readonly #off: (() => void)[];
  #state: SessionState | undefined;
  /** What was seen and folded. */
  #cursor: Cursor | undefined;
  /** The last event of the present subscription; behind the cursor while the queue is being filled up again. */
  #streamSeq = 0;
  /** The last event that the queue took. */
  #queueSeq = 0;
  /** Whether the queue has refused an event. */
  #isBehind = false;
  /** Whether the server's answer to the newest `subscribe` is still to come: what arrives before it is sent again. */
  #isJoining = true;
  #isClosed = false;

  constructor(connection: Connection, options: SessionWatchOptions) {
    this.#connection = connection;
    this.#options = options;
    this.session = options.session;
    // The server takes seq 0 of whatever epoch as the beginning.
    if (options.after === 'start') this.#cursor = { epoch: '', seq: 0 };
    else this.#cursor = options.after;
    this.#queueSeq = this.#cursor?.seq ?? 0;
    this.#off = [
      connection.on('subscribed', (message) => this.#onSubscribed(message)),
      connection.on('session:state', (message) => this.#onState(message)),
      connection.on('events', (message) => this.#onEvents(message)),
      connection.on('session:gap', (gap) => this.#onGap(gap)),
      connection.on('session:created', (message) => this.#onCreated(message)),
      connection.on('session:deleted', (message) => this.#onDeleted(message)),
      connection.onUnreadable(({ name, error }) => this.#onUnreadable(name, error)),
      connection.onState((state) => this.#updates.tell({ kind: 'connection', connection: state })),
    ];
    this.#subscription = new StandingRequest(connection, { ask: () => this.#join(), end: (error) => this.#end(error) });
    this.#updates.holdUntil(this.#subscription.first);
  }

  /** Resolves when the server has subscribed this watcher for the first time. */
  get joined(): Promise<void> {
    return this.#subscription.first;
  }

  get state(): SessionState | undefined {
    return this.#state;
  }

  get states(): ReadonlyMap<string, SessionState> {
    return new Map(this.#state === undefined ? [] : [[this.session, this.#state]]);
  }

  get cursor(): Cursor | undefined {
    return this.#cursor;
  }

  get connection(): ConnectionState {
    return this.#connection.state;
  }

  onUpdate(listener: (update: WatchUpdate) => void): () => void {
    return this.#updates.add(listener);
  }

  [Symbol.asyncIterator](): AsyncIterator<SessionEvent> {
    return this.#queue.take();
  }

  async close(): Promise<void> {
    this.#end();
  }

  async [Symbol.asyncDispose](): Promise<void> {
    await this.close();
  }

  async #join(): Promise<void> {
    const { eventTypes } = this.#options;
    this.#isJoining = true;
    if (this.#cursor !== undefined && this.#state === undefined && eventTypes === undefined) await this.#fetchBase(this.#cursor);
    // A loop that began late, or was slow, gets from the journal what the queue had no room for.
    const isRefill = this.#isBehind && this.#queue.isTaken;
    if (isRefill) this.#isBehind = false;
    const after = this.#cursor === undefined ? undefined : { ...this.#cursor, seq: isRefill ? this.#queueSeq : this.#cursor.seq };
    if (after !== undefined) this.#streamSeq = after.seq;
    await this.#connection.request('subscribe', { session_id: this.session, event_types: eventTypes, after, batch: true });
  }

  /** The state at the cursor, to fold what follows into. Without it (the epoch is another one) the server sends a gap. */
  async #fetchBase({ epoch, seq }: Cursor): Promise<void> {
    try {
      const { epoch: itsEpoch, ...state } = await this.#connection.read('session', { path: { id: this.session }, query: { at: seq } });
      if (state.seq === seq && (seq === 0 || itsEpoch === epoch)) this.#setState(state, { epoch: itsEpoch, seq });
    } catch (error) {
      const isUnknown =
        error instanceof ShannonDashError && (error.code === 'NOT_FOUND' || error.code === 'INVALID' || error.code === 'CONFLICT');
      if (!isUnknown) throw error;
    }
    if (this.#state === undefined && seq === 0) {
      this.#state = initialState({ session_id: this.session, created_at: new Date(this.#connection.serverNowMs).toISOString() });
    }
  }

  #onSubscribed({ session_id, epoch, seq }: SubscribedMessage): void {
    if (session_id !== this.session || this.#isClosed) return;
    this.#isJoining = false;
    if (this.#cursor?.seq === 0 || (this.#cursor === undefined && seq === 0)) this.#cursor = { epoch, seq: 0 };
  }

  #onState({ session, epoch, seq }: SessionStateMessage): void {
    if (session.session_id !== this.session || this.#isJoining) return;
    if (this.#cursor?.epoch === epoch && seq < this.#cursor.seq) return;
    this.#streamSeq = this.#queueSeq = seq;
    this.#setState(session, { epoch, seq });
  }

  #setState(state: SessionState, cursor: Cursor): void {
    this.#cursor = cursor;
    if (this.#options.eventTypes === undefined) this.#state = state;
    this.#updates.tell({ kind: 'state', session_id: this.session, state, epoch: cursor.epoch });
  }

  #onEvents({ session_id, events }: EventsMessage): void {
    if (session_id !== this.session || this.#isJoining || this.#cursor === undefined) return;
    const fresh: SessionEvent[] = [];
    let isHole = false;
    for (const event of events) {
      if (event.seq <= this.#streamSeq) continue;
      isHole = this.#options.eventTypes === undefined && event.seq > this.#streamSeq + 1;
      if (isHole || !this.#enqueue(event)) break;
      this.#streamSeq = event.seq;
      if (event.seq <= this.#cursor.seq) continue;
      if (this.#state !== undefined) this.#state = fold(this.#state, event);
      this.#cursor = { epoch: this.#cursor.epoch, seq: event.seq };
      fresh.push(event);
    }
    if (fresh.length > 0) this.#updates.tell({ kind: 'events', session_id, events: fresh, state: this.#state });
    if (isHole) this.#subscription.again();
  }

  /** False when the stream is stopped here, because the loop that takes the events is too far behind. */
  #enqueue(event: SessionEvent): boolean {
    if (this.#isBehind || event.seq <= this.#queueSeq) return true;
    if (this.#queue.push(event)) {
      this.#queueSeq = event.seq;
      return true;
    }
    this.#isBehind = true;
    // No loop takes the events: the fold goes on, and a loop that begins later is served from the journal.
    if (!this.#queue.isTaken) return true;
    this.#isJoining = true;
    this.#subscription.pause();
    this.#unsubscribe();
    return false;
  }

  #onRoom(): void {
    this.#subscription.again();
  }

  #onGap(gap: SessionGapMessage): void {
    if (gap.session_id !== this.session || this.#isJoining) return;
    this.#cursor = undefined;
    this.#state = undefined;
    this.#isBehind = false;
    this.#updates.tell({ kind: 'gap', gap });
  }

  #onCreated({ session_id }: { session_id: string }): void {
    if (session_id === this.session) this.#updates.tell({ kind: 'created', session_id });
  }

  #onDeleted({ session_id }: { session_id: string }): void {
    if (session_id !== this.session || this.#isJoining) return;
    this.#cursor = { epoch: '', seq: 0 };
    this.#state = undefined;
    this.#streamSeq = this.#queueSeq = 0;
    this.#isBehind = false;
    this.#updates.tell({ kind: 'deleted', session_id });
  }

  /** Going on without it would be a hole in the history, or a state that is not the session's. */
  #onUnreadable(name: ServerMessageName, error: ShannonDashError): void {
    if (watchedMessages.has(name)) this.#end(error);
  }

  #end(error?: ShannonDashError): void {
    if (this.#isClosed) return;
    this.#isClosed = true;
    for (const off of this.#off) off();
    this.#subscription.close(error);
    this.#queue.end(error);
    if (this.#options.ownsConnection) this.#connection.close(error);
    else this.#unsubscribe();
  }

  #unsubscribe(): void {
    this.#connection.request('unsubscribe', { session_id: this.session }).catch(() => undefined);
  }
}
