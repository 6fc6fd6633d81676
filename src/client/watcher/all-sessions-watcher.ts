import type { ShannonDashError } from '../../core/protocol/errors.ts';
import { receivedAt, type SessionEvent } from '../../core/protocol/event.ts';
import { fold, foldAll } from '../../core/fold/fold.ts';
import { limits } from '../../core/protocol/limits.ts';
import type { EventsMessage, SessionStateMessage } from '../../core/protocol/messages.ts';
import { initialState, type SessionState } from '../../core/protocol/session-state.ts';
import type { Connection, ConnectionState } from '../connection/connection.ts';
import { EventQueue } from './event-queue.ts';
import { Listeners } from '../connection/listeners.ts';
import { watchedMessages } from './session-watcher.ts';
import { StandingRequest } from '../connection/standing-request.ts';
import type { Watcher, WatchUpdate } from './watcher-contract.ts';

/** How many states are fetched at a time, of sessions that the server did not send when this watcher joined. */
const fetches = 16;

/** Follows every session over a connection. After a reconnect the states stand again; what led to them is in the journal. */
export class AllSessionsWatcher implements Watcher {
  readonly session = null;
  readonly state = undefined;
  readonly cursor = undefined;
  readonly #connection: Connection;
  readonly #options: { eventTypes: string[] | undefined; ownsConnection: boolean };
  readonly #updates = new Listeners<WatchUpdate>();
  readonly #queue = new EventQueue(() => this.#subscription.again());
  readonly #subscription: StandingRequest;
  readonly #off: (() => void)[];
  /** Both in the order of their last change. */
  readonly #states = new Map<string, SessionState>();
  readonly #cursors = new Map<string, { epoch: string | undefined; seq: number }>();
  /** Events of sessions whose state is being fetched. */
  readonly #fetching = new Map<string, SessionEvent[]>();
  /** Whose states came since the newest `subscribe`. */
  #joined = new Set<string>();
  #isJoining = true;
  #isClosed = false;

  constructor(connection: Connection, options: { eventTypes: string[] | undefined; ownsConnection: boolean }) {
    this.#connection = connection;
    this.#options = options;
    this.#off = [
      connection.on('subscribed', ({ session_id }) => {
        if (session_id === null) this.#isJoining = false;
      }),
      connection.on('session:state', (message) => this.#onState(message)),
      connection.on('events', (message) => this.#onEvents(message)),
      connection.on('session:created', ({ session_id }) => this.#updates.tell({ kind: 'created', session_id })),
      connection.on('session:deleted', ({ session_id }) => this.#forget(session_id)),
      connection.onUnreadable(({ name, error }) => {
        if (watchedMessages.has(name)) this.#end(error);
      }),
      connection.onState((state) => this.#updates.tell({ kind: 'connection', connection: state })),
    ];
    this.#subscription = new StandingRequest(connection, { ask: () => this.#join(), end: (error) => this.#end(error) });
    this.#updates.holdUntil(this.#subscription.first);
  }

  /** Resolves when the server has subscribed this watcher for the first time; the states stand then. */
  get joined(): Promise<void> {
    return this.#subscription.first;
  }

  get states(): ReadonlyMap<string, SessionState> {
    return this.#states;
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
    this.#isJoining = true;
    this.#joined = new Set();
    const request = { event_types: this.#options.eventTypes, batch: true };
    await this.#connection.request('subscribe', request, { timeoutMs: limits.joinMs });
    // The server sends the states before its answer. Those that it did not send are gone, unless it sent as many as it may.
    if (this.#joined.size >= limits.joinStates) return;
    for (const id of this.#cursors.keys()) if (!this.#joined.has(id)) this.#forget(id);
  }

  #onState({ session, epoch, seq }: SessionStateMessage): void {
    if (this.#isJoining) return;
    this.#joined.add(session.session_id);
    this.#keep(session.session_id, { epoch, seq }, this.#options.eventTypes === undefined ? session : undefined);
    this.#updates.tell({ kind: 'state', session_id: session.session_id, state: session, epoch });
  }

  #onEvents({ session_id, events }: EventsMessage): void {
    if (this.#isJoining) return;
    const cursor = this.#cursors.get(session_id);
    const isFolding = this.#options.eventTypes === undefined;
    let state = this.#states.get(session_id);
    let seq = cursor?.seq;
    const fresh: SessionEvent[] = [];
    for (const event of events) {
      if (seq !== undefined && event.seq <= seq) continue;
      if (isFolding && seq !== undefined && event.seq > seq + 1) return this.#subscription.again();
      if (!this.#enqueue(event)) break;
      if (isFolding && event.seq === 1) state ??= initialState({ session_id, created_at: receivedAt(event) });
      if (state !== undefined) state = fold(state, event);
      seq = event.seq;
      fresh.push(event);
    }
    if (seq === undefined || fresh.length === 0) return;
    this.#joined.add(session_id);
    this.#keep(session_id, { epoch: cursor?.epoch, seq }, state);
    this.#updates.tell({ kind: 'events', session_id, events: fresh, state });
    if (isFolding && state === undefined) this.#fetchState(session_id, fresh);
  }

  /** False when the stream is stopped here, because the loop that takes the events is too far behind. */
  #enqueue(event: SessionEvent): boolean {
    if (this.#queue.push(event)) return true;
    if (!this.#queue.isTaken) {
      // No loop takes the events, and there is no cursor into all sessions to come back to.
      this.#queue.clear();
      return this.#queue.push(event);
    }
    this.#isJoining = true;
    this.#subscription.pause();
    this.#unsubscribe();
    return false;
  }

  /** The server sends the states of those that changed last; another one's is fetched when it has news. */
  #fetchState(sessionId: string, events: readonly SessionEvent[]): void {
    const waiting = this.#fetching.get(sessionId);
    if (waiting !== undefined) waiting.push(...events);
    if (waiting !== undefined || this.#fetching.size >= fetches) return;
    this.#fetching.set(sessionId, [...events]);
    this.#connection
      .read('session', { path: { id: sessionId } })
      .then(({ epoch, ...session }) => {
        if (this.#isClosed || this.#states.has(sessionId)) return;
        const since = (this.#fetching.get(sessionId) ?? []).filter((event) => event.seq > session.seq);
        const state = foldAll(session, since);
        this.#keep(sessionId, { epoch, seq: state.seq }, state);
        this.#updates.tell({ kind: 'state', session_id: sessionId, state, epoch });
      })
      // The next event of this session tries again.
      .catch(() => undefined)
      .finally(() => this.#fetching.delete(sessionId));
  }

  #keep(sessionId: string, cursor: { epoch: string | undefined; seq: number }, state: SessionState | undefined): void {
    this.#cursors.delete(sessionId);
    this.#states.delete(sessionId);
    this.#cursors.set(sessionId, cursor);
    if (state !== undefined) this.#states.set(sessionId, state);
    if (this.#cursors.size <= limits.sessions) return;
    const [oldest = ''] = this.#cursors.keys();
    this.#cursors.delete(oldest);
    this.#states.delete(oldest);
  }

  #forget(sessionId: string): void {
    this.#states.delete(sessionId);
    this.#cursors.delete(sessionId);
    this.#updates.tell({ kind: 'deleted', session_id: sessionId });
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
    this.#connection.request('unsubscribe', {}).catch(() => undefined);
  }
}
