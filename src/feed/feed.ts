import { placeBefore } from '../client/place-before.ts';
import { AllSessionsWatcher } from '../client/watcher/all-sessions-watcher.ts';
import type { Connection, ConnectionState } from '../client/connection/connection.ts';
import { SessionWatcher } from '../client/watcher/session-watcher.ts';
import type { WatchUpdate } from '../client/watcher/watcher-contract.ts';
import type { SessionEvent } from '../core/protocol/event.ts';
import type { SubscribedMessage } from '../core/protocol/messages.ts';
import type { SessionState } from '../core/protocol/session-state.ts';
import { count } from '../view/text/numbers.ts';
import { EventFinder } from './event-finder.ts';
import { HistoryPages } from './history-pages.ts';
import { LogBuffer } from '../view/log/log-buffer.ts';
import type { SessionSummary, ViewModel } from '../view/view-model.ts';
import { RateMeter } from '../view/rate-meter.ts';
import { usedOf } from '../view/text/usage-text.ts';

/** Tokens are told by the ten seconds: a model answers that seldom. */
const tokenSteps = 10;

interface FeedListener {
  /** Called after each change, as often as there is one. */
  onNews: () => void;
  /** Called with the events that are new. */
  onEvents: (events: readonly SessionEvent[]) => void;
}

interface FeedOptions {
  /** Whether the connection ends with the feed. Default: it does. */
  ownsConnection?: boolean;
  /** Whether events become lines of the log. Default: they do; where nobody shows it, that is only work. */
  keepsLog?: boolean;
}

/** Everything that comes from the server, ready to be looked at: states, the log, rates, and how fresh it all is. */
export class Feed {
  readonly log = new LogBuffer((id) => this.state(id));
  readonly pages: HistoryPages;
  readonly finder: EventFinder;
  readonly connection: Connection;
  lastEventMs: number | null = null;
  catchingUp: ViewModel['catchingUp'] = null;
  missed: ViewModel['missed'] = null;
  readonly #watcher: SessionWatcher | AllSessionsWatcher;
  readonly #listener: FeedListener;
  readonly #total = new RateMeter();
  readonly #meters = new Map<string, RateMeter>();
  /** What sessions had used when they were last looked at, and how that grew. */
  readonly #tokens = new Map<string, { used: number; meter: RateMeter }>();
  readonly #lastSeqs = new Map<string, number>();
  readonly #off: () => void;
  readonly #keepsLog: boolean;
  /** The cursor's seq when the server said that events before it are gone; null: they are of another journal. */
  #gapAfter: { seq: number | null } | undefined;

  /** @param session absent: all sessions */
  constructor(
    connection: Connection,
    session: string | undefined,
    listener: FeedListener,
    { ownsConnection = true, keepsLog = true }: FeedOptions = {},
  ) {
    this.connection = connection;
    this.#keepsLog = keepsLog;
    this.#listener = listener;
    this.pages = new HistoryPages(connection, this.log, listener.onNews);
    this.finder = new EventFinder(connection);
    this.#watcher =
      session === undefined
        ? new AllSessionsWatcher(connection, { eventTypes: undefined, ownsConnection })
        : new SessionWatcher(connection, { session, ownsConnection });
    this.#watcher.onUpdate((update) => this.#take(update));
    this.#off = connection.on('subscribed', (message) => this.#subscribed(message));
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
      lastSeconds: (seconds) => this.lastSeconds(nowMs, seconds, state.session_id),
    }));
  }

  /** The events of each of the last seconds, of a session or of all. */
  lastSeconds(nowMs: number, seconds: number, sessionId?: string): number[] {
    return (sessionId === undefined ? this.#total : this.#meters.get(sessionId))?.lastSeconds(nowMs, seconds) ?? [];
  }

  /** The tokens that a session has used in each of the last steps of ten seconds, as far as it was watched; the latest last. */
  lastTokens(nowMs: number, steps: number, sessionId: string): number[] {
    return this.#tokens.get(sessionId)?.meter.lastSeconds(nowMs / tokenSteps, steps) ?? [];
  }

  eventsPerSecond(nowMs: number, sessionId?: string): number {
    return (sessionId === undefined ? this.#total : this.#meters.get(sessionId))?.perSecond(nowMs) ?? 0;
  }

  /** Puts what happened before into the log: the last events of a session, or all after a given one. */
  async loadBefore(sessionId: string, since: number | undefined): Promise<void> {
    const newest = this.state(sessionId)?.seq ?? 0;
    const after = since ?? Math.max(0, newest - 200);
    await this.pages.show(sessionId, after + 1, Math.min(newest, after + 2_000));
    if (since === undefined) await this.pages.fill(sessionId);
  }

  /** One event as the journal has it. */
  async event(sessionId: string, seq: number): Promise<SessionEvent | undefined> {
    const { events } = await this.connection.read('history', { path: { id: sessionId }, query: { after: seq - 1, limit: 1 } });
    return events[0];
  }

  /** The last event before a time, in milliseconds since 1970; 0 where all are later. */
  async placeBefore(sessionId: string, ms: number): Promise<number> {
    return placeBefore((after) => this.event(sessionId, after + 1), { seq: this.state(sessionId)?.seq ?? 0, ms });
  }

  async close(): Promise<void> {
    this.#off();
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
        this.#tokens.delete(update.session_id);
        this.log.note(`${update.session_id} was deleted`, 'warn', this.connection.serverNowMs);
        break;
      case 'created':
        break;
    }
    this.#listener.onNews();
  }

  #takeEvents(sessionId: string, events: readonly SessionEvent[], nowMs: number): void {
    if (this.#keepsLog) this.log.add(events);
    this.#listener.onEvents(events);
    this.#total.add(events.length, nowMs);
    let meter = this.#meters.get(sessionId);
    if (meter === undefined) this.#meters.set(sessionId, (meter = new RateMeter()));
    meter.add(events.length, nowMs);
    this.#countTokens(sessionId, nowMs);
    const seq = events.at(-1)?.seq ?? 0;
    this.#lastSeqs.set(sessionId, seq);
    this.lastEventMs = nowMs;
    if (this.catchingUp !== null) this.catchingUp = seq >= this.catchingUp.to ? null : { ...this.catchingUp, from: seq };
  }

  #countTokens(sessionId: string, nowMs: number): void {
    const state = this.state(sessionId);
    const used = (state === undefined ? null : usedOf(state).tokens) ?? 0;
    const known = this.#tokens.get(sessionId);
    if (known === undefined) this.#tokens.set(sessionId, { used, meter: new RateMeter() });
    else if (used !== known.used) {
      known.meter.add(Math.max(0, used - known.used), nowMs / tokenSteps);
      known.used = used;
    }
  }

  /** A state as a whole: what led to it from the last event seen is not in the log, and the log says so. */
  #takeState(sessionId: string, state: SessionState, nowMs: number): void {
    const known = this.#lastSeqs.get(sessionId);
    this.#lastSeqs.set(sessionId, state.seq);
    this.#tokens.set(sessionId, { used: usedOf(state).tokens ?? 0, meter: this.#tokens.get(sessionId)?.meter ?? new RateMeter() });
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
