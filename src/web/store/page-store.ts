import { may, maySend, roles, type Role } from '../../core/access.ts';
import type { CommandType } from '../../core/protocol/command.ts';
import type { SessionState } from '../../core/protocol/session-state.ts';
import { openConnection, type Connection } from '../../client/connection/connection.ts';
import { pauseFor } from '../../client/connection/backoff.ts';
import { CommandDesk, reasonOf } from '../../feed/command-desk.ts';
import { Feed } from '../../feed/feed.ts';
import type { Tone } from '../../view/cells.ts';
import { pendingDecisions } from '../../view/decision-prompt.ts';
import { sortedSessions } from '../../view/overview.ts';
import { unicodeGlyphs } from '../../view/text/glyphs.ts';
import type { ViewModel } from '../../view/view-model.ts';
import { askIdentity, type Identity } from './identity.ts';
import { Notifier } from './notifier.ts';
import { pathOf, routeOf, type Route } from './route.ts';
import { SessionWork } from './session-work.ts';

/** What comes from the server is shown at most this often; what a person does, at once. */
const batchMs = 100;
/** How long a sentence stays, how soon a server that was away is asked again who this is, and how long it may take to answer a ping. */
const [noticeMs, againMs, answerMs] = [6_000, 2_000, 3_000];

/** A sentence at the foot of the page for some seconds. */
export interface Notice {
  number: number;
  text: string;
  tone: Tone;
}

/** All that the page knows and shows. React draws it anew after each change of `version`. */
export class PageStore {
  readonly url: string;
  version = 0;
  /** Whether what the server knows of the route is still to come. */
  isJoining = true;
  /** Why it will not come, as a sentence. */
  refusal: string | undefined;
  route: Route;
  /** Undefined: not asked yet. Null: somebody whom the server does not know. */
  identity: Identity | null | undefined;
  feed: Feed | undefined;
  work: SessionWork | undefined;
  notice: Notice | undefined;
  readonly #notifier = new Notifier();
  #connection: Connection | undefined;
  #desk: CommandDesk | undefined;
  #batch: ReturnType<typeof setTimeout> | undefined;
  #noticeEnd: ReturnType<typeof setTimeout> | undefined;
  readonly #listeners = new Set<() => void>();
  /** Sessions whose HALT has no answer yet. */
  readonly #halting = new Set<string>();

  constructor(url: string) {
    this.url = url;
    this.route = routeOf(location);
  }

  readonly subscribe = (listener: () => void): (() => void) => {
    this.#listeners.add(listener);
    return () => this.#listeners.delete(listener);
  };

  readonly read = (): number => this.version;

  /** Asks who looks, connects, and follows what the address names. */
  async start(): Promise<void> {
    addEventListener('popstate', () => this.#follow(routeOf(location)));
    for (const event of ['online', 'pageshow'] as const) addEventListener(event, () => this.#wake());
    document.addEventListener('visibilitychange', () => document.visibilityState === 'visible' && this.#wake());
    setInterval(() => document.visibilityState === 'visible' && this.touch(), 1_000);
    while (this.identity === undefined) {
      try {
        this.identity = (await askIdentity(this.url)) ?? null;
      } catch {
        await pauseFor(againMs);
      }
    }
    if (this.identity !== null) this.#connect(this.identity);
    this.touch();
  }

  /** Goes to another route, as a click on a link does. @param replaces the place in the browser's history instead of adding one */
  go(route: Route, replaces = false): void {
    const path = pathOf(route);
    this.#follow(route);
    try {
      if (replaces) history.replaceState(null, '', path);
      else history.pushState(null, '', path);
    } catch {
      // Browsers refuse many changes of the address in a short time: the next one tells it.
    }
  }

  /** Says something at the foot of the page. */
  readonly say = (text: string, tone: Tone = 'plain'): void => {
    this.notice = { number: (this.notice?.number ?? 0) + 1, text, tone };
    clearTimeout(this.#noticeEnd);
    this.#noticeEnd = setTimeout(() => this.hush(), noticeMs);
    this.touch();
  };

  /** Takes the sentence at the foot of the page away. */
  hush(): void {
    clearTimeout(this.#noticeEnd);
    this.notice = undefined;
    this.touch();
  }

  /** Shows what is known now. */
  readonly touch = (): void => {
    clearTimeout(this.#batch);
    this.#batch = undefined;
    this.work?.see(this.feed);
    this.version++;
    for (const listener of this.#listeners) listener();
  };

  get desk(): CommandDesk | undefined {
    return this.#desk;
  }

  get connection(): Connection | undefined {
    return this.#connection;
  }

  /** Whether a HALT is under way from here. */
  isHalting(session: string): boolean {
    return this.#halting.has(session);
  }

  /** Sends a HALT at once. */
  async halt(session: string): Promise<void> {
    if (!this.maySend('HALT')) return this.say('Your role may not send HALT', 'bad');
    if (this.#halting.has(session)) return;
    this.#halting.add(session);
    this.touch();
    await this.desk?.send({ type: 'HALT', session_id: session }, 'HALT');
    this.#halting.delete(session);
    this.touch();
  }

  /** Whether the person may send commands of this type. */
  maySend(type: CommandType): boolean {
    const { identity } = this;
    const role = roles.find((each) => each === identity?.role);
    return role !== undefined && maySend({ role, canSteer: identity?.can_steer === true }, type);
  }

  /** Whether the person may make links to a session. */
  get mayShare(): boolean {
    return may((this.identity?.role ?? 'anonymous') as Role, 'share');
  }

  /** The session as it is now. */
  get live(): SessionState | undefined {
    const { session } = this.route;
    return session === undefined ? undefined : this.feed?.state(session);
  }

  /** What is known, as every screen shows it. */
  model(): ViewModel | undefined {
    const { feed, route, live } = this;
    if (feed === undefined) return undefined;
    const wallMs = Date.now();
    const serverMs = feed.connection.serverNowMs;
    const connection = feed.connection.state;
    const history = this.work?.scrubber.view;
    const pastMs = history?.state === undefined ? undefined : Date.parse(history.state.updated_at);
    return {
      // Clocks stand still while the connection is away: the time since then would be a guess.
      style: {
        glyphs: unicodeGlyphs,
        nowMs: pastMs ?? (connection.status === 'live' ? serverMs : connection.since + serverMs - wallMs),
        timestamps: 'clock',
      },
      wallMs,
      url: this.url,
      isReadonly: !this.maySend('HALT'),
      connection,
      lastEventMs: feed.lastEventMs,
      catchingUp: feed.catchingUp,
      missed: feed.missed,
      eventsPerSecond: feed.eventsPerSecond(wallMs, route.session),
      state: history === undefined ? live : history.state,
      live,
      sessions: route.session === undefined ? sortedSessions(feed.sessions(wallMs)) : [],
      lines: [],
      notShown: 0,
      globs: [],
    };
  }

  /** How many decisions wait in what is on the page. */
  pending(model: ViewModel): number {
    return pendingDecisions(model, this.route.session);
  }

  #connect(identity: Identity): void {
    const connection = openConnection({ url: this.url });
    this.#connection = connection;
    this.#desk = new CommandDesk(connection, !may(identity.role as Role, 'command'), this.say);
    connection.onState(() => this.#schedule());
    this.#follow(this.route);
  }

  /** One stream at a time: what was followed before is left. */
  #follow(route: Route): void {
    const connection = this.#connection;
    const isOther = route.session !== this.route.session || this.feed === undefined;
    this.route = route;
    if (connection !== undefined && isOther) {
      void this.feed?.close();
      this.work?.close();
      const { session } = route;
      this.work = session === undefined ? undefined : new SessionWork(connection, session, () => this.#schedule(), this.say);
      const { work } = this;
      this.feed = new Feed(
        connection,
        session,
        {
          onNews: () => this.#schedule(),
          onEvents: (events) => {
            work?.add(events);
            this.#notifier.take(events, (id) => this.feed?.state(id));
          },
        },
        { ownsConnection: false, keepsLog: false },
      );
      const { feed } = this;
      this.isJoining = true;
      this.refusal = undefined;
      const joined = (refusal?: string): void => {
        if (this.feed !== feed) return;
        this.isJoining = false;
        this.refusal = refusal;
        this.#schedule();
      };
      feed.joined.then(
        () => joined(),
        (error: unknown) => joined(reasonOf(error)),
      );
      scrollTo(0, 0);
    }
    this.work?.at(route.at);
    this.touch();
  }

  /** After a sleep, or on another network, a connection may be dead without a word: who does not answer now is left. */
  #wake(): void {
    const connection = this.#connection;
    if (connection === undefined) return;
    connection.retryNow();
    if (connection.state.status !== 'live') return;
    const { since } = connection.state;
    connection.ping({ timeoutMs: answerMs }).catch(() => {
      const { state } = connection;
      if (state.status === 'live' && state.since === since) connection.drop('no answer after a pause');
    });
  }

  #schedule(): void {
    this.#batch ??= setTimeout(this.touch, batchMs);
  }
}
