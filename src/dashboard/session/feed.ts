import { AllSessionsWatcher } from '../../client/watcher/all-sessions-watcher.ts';
import type { Connection, ConnectionState } from '../../client/connection/connection.ts';
import { SessionWatcher } from '../../client/watcher/session-watcher.ts';
import type { WatchUpdate } from '../../client/watcher/watcher-contract.ts';
import type { SessionEvent } from '../../core/protocol/event.ts';
import type { SubscribedMessage } from '../../core/protocol/messages.ts';
import type { SessionState } from '../../core/protocol/session-state.ts';
import { count } from '../../view/text/numbers.ts';
import { LogBuffer } from '../../view/log-buffer.ts';
import type { SessionSummary, ViewModel } from '../../view/view-model.ts';
import { RateMeter } from '../../view/rate-meter.ts';

/** Everything that comes from the server, ready to be looked at: states, the log, rates, and how fresh it all is. */
export class Feed {
  readonly log = new LogBuffer();
  readonly connection: Connection;
  lastEventMs: number | null = null;
  catchingUp: ViewModel['catchingUp'] = null;
  missed: ViewModel['missed'] = null;
  readonly #watcher: SessionWatcher | AllSessionsWatcher;
  readonly #onNews: () => void;
  readonly #total = new RateMeter();
  readonly #meters = new Map<string, RateMeter>();
  readonly #lastSeqs = new Map<string, number>();
  /** The cursor's seq when the server said that events before it are gone; null: they are of another journal. */
  #gapAfter: { seq: number | null } | undefined;

  /** @param session absent: all sessions. @param onNews called after each change, as often as there is one */
  constructor(connection: Connection, session: string | undefined, onNews: () => void) {
    this.connection = connection;
    this.#onNews = onNews;
    this.#watcher =
      session === undefined
        ? new AllSessionsWatcher(connection, { eventTypes: undefined, ownsConnection: true })
        : new SessionWatcher(connection, { session, ownsConnection: true });
    this.#watcher.onUpdate((update) => this.#take(update));
    connection.on('subscribed', (message) => this.#subscribed(message));
    void this.#letGo();
  }

  /** Resolves once what the server knows now is here. @throws ShannonDashError why it will not come */
  get joined(): Promise<void> {
    return this.#watcher.joined;
  }

  state(sessionId: string): SessionState | undefined {
    return this.#watcher.states.get(sessionId);
  }

  sessions(nowMs: number): SessionSummary[] {
    return [...this.#watcher.states.values()].map((state) => ({
      state,
      eventsPerSecond: this.#meters.get(state.session_id)?.perSecond(nowMs) ?? 0,
    }));
  }

  eventsPerSecond(nowMs: number, sessionId?: string): number {
    return (sessionId === undefined ? this.#total : this.#meters.get(sessionId))?.perSecond(nowMs) ?? 0;
  }

  /** Puts what happened before into the log: the last events of a session, or all after a given one. */
  async loadBefore(sessionId: string, since: number | undefined): Promise<void> {
    const newest = this.state(sessionId)?.seq ?? 0;
    const after = since ?? Math.max(0, newest - 200);
    const { events } = await this.connection.read('history', { path: { id: sessionId }, query: { after, limit: 2_000 } });
    this.log.setBefore(events);
    this.#onNews();
  }

  /** One event as the journal has it. */
  async event(sessionId: string, seq: number): Promise<SessionEvent | undefined> {
    const { events } = await this.connection.read('history', { path: { id: sessionId }, query: { after: seq - 1, limit: 1 } });
    return events[0];
  }

  async close(): Promise<void> {
    await this.#watcher.close();
  }

  /** The watcher also queues events for a loop. This one wants updates only, so nothing may wait there. */
  async #letGo(): Promise<void> {
    try {
      for await (const event of this.#watcher) void event;
    } catch {
      // A refusal for good: the connection's state says it, on screen.
    }
  }

  #take(update: WatchUpdate): void {
    const nowMs = Date.now();
    switch (update.kind) {
      case 'events':
        this.#takeEvents(update.session_id, update.events, nowMs);
        break;
      case 'state':
        this.#takeState(update.session_id, update.state, nowMs);
        break;
      case 'gap':
        this.#gapAfter = { seq: update.gap.reason === 'retention' ? update.gap.requested.seq : null };
        this.missed = {
          events: update.gap.reason === 'retention' ? update.gap.first_available - update.gap.requested.seq - 1 : null,
          sinceMs: nowMs,
        };
        break;
      case 'connection':
        this.#takeConnection(update.connection);
        break;
      case 'deleted':
        this.#lastSeqs.delete(update.session_id);
        this.#meters.delete(update.session_id);
        this.log.note(`${update.session_id} was deleted`, 'warn', this.connection.serverNowMs);
        break;
      case 'created':
        break;
    }
    this.#onNews();
  }

  #takeEvents(sessionId: string, events: readonly SessionEvent[], nowMs: number): void {
    this.log.add(events);
    this.#total.add(events.length, nowMs);
    let meter = this.#meters.get(sessionId);
    if (meter === undefined) this.#meters.set(sessionId, (meter = new RateMeter()));
    meter.add(events.length, nowMs);
    const seq = events.at(-1)?.seq ?? 0;
    this.#lastSeqs.set(sessionId, seq);
    this.lastEventMs = nowMs;
    if (this.catchingUp !== null) this.catchingUp = seq >= this.catchingUp.to ? null : { ...this.catchingUp, from: seq };
  }

  /** A state as a whole: what led to it from the last event seen is not in the log, and the log says so. */
  #takeState(sessionId: string, state: SessionState, nowMs: number): void {
    const known = this.#lastSeqs.get(sessionId);
    this.#lastSeqs.set(sessionId, state.seq);
    // The state tells the server's time; here it is told how long ago that is.
    const updatedMs = Date.parse(state.updated_at) + nowMs - this.connection.serverNowMs;
    this.lastEventMs ??= Number.isNaN(updatedMs) ? null : updatedMs;
    if (this.#gapAfter !== undefined) {
      const events = this.#gapAfter.seq === null ? null : Math.max(0, state.seq - this.#gapAfter.seq);
      this.missed = { events, sinceMs: nowMs };
      this.log.note(
        events === null
          ? 'this is another journal than before: what was seen is gone there'
          : `${count(events)} events missed: they are no longer kept`,
        'bad',
        this.connection.serverNowMs,
        sessionId,
      );
      this.#gapAfter = undefined;
    } else if (known !== undefined && state.seq > known) {
      this.log.note(`${count(state.seq - known)} events while away; the journal has them`, 'warn', this.connection.serverNowMs, sessionId);
    }
  }

  #takeConnection(connection: ConnectionState): void {
    if (connection.status === 'reconnecting' && connection.attempt === 1 && connection.retryAt !== null) {
      const why = connection.error ?? 'no reason given';
      this.log.note(why.startsWith('connection lost') ? why : `connection lost: ${why}`, 'bad', this.connection.serverNowMs);
    }
    if (connection.status !== 'live') this.catchingUp = null;
  }

  #subscribed({ session_id, seq }: SubscribedMessage): void {
    const known = session_id === null ? undefined : this.#lastSeqs.get(session_id);
    if (known !== undefined && seq > known) this.catchingUp = { from: known, to: seq };
  }
}
