import type { Connection } from '../client/connection/connection.ts';
import { cutText } from '../core/text/cut-text.ts';
import type { Tone } from '../view/cells.ts';
import { sortedSessions } from '../view/overview.ts';
import type { Notification } from '../view/notifications/notification.ts';
import { NotificationDesk } from '../view/notifications/notification-desk.ts';
import { firstFocus } from '../view/panels/panel.ts';
import { overviewSummary, sessionSummary } from '../view/summary.ts';
import { asciiGlyphs, unicodeGlyphs } from '../view/text/glyphs.ts';
import { endingOf, WatchEnd } from '../view/watch-end.ts';
import type { Board, DashboardEnding, Screenholder } from './board.ts';
import type { DashboardSettings } from './dashboard-settings.ts';
import { reconcilePrompt } from './keys/decision-keys.ts';
import { KeyActions } from './keys/key-actions.ts';
import { candidatesFor, type Candidate } from './keys/typing/candidates.ts';
import { isTyping, typePasted } from './keys/typing/typing-keys.ts';
import { point } from './mouse/pointer.ts';
import type { ScreenModel } from './screen/screen-model.ts';
import { screenOf, type Screen } from './screen/screen.ts';
import { CommandDesk, reasonOf } from '../feed/command-desk.ts';
import { EventFinder } from '../feed/event-finder.ts';
import { Feed } from '../feed/feed.ts';
import { Scrubber } from '../feed/scrubber.ts';
import { clipboardSequence, takesClipboard } from './terminal/clipboard.ts';
import type { MouseInput } from './terminal/input-parser.ts';
import { notificationSequence } from './terminal/notifications.ts';
import { initialUi, type UiState } from './ui-state.ts';

/** New events are drawn at most this often. Keys are answered at once. */
const batchMs = 100;
const noticeMs = 2_000;
/** How far back the sparkline of the events goes. */
const sparkSeconds = 30;
/** The same of the tokens, in steps of ten seconds. */
const sparkTokens = 24;

/** The dashboard without its terminal: it holds the state of the screen, and makes frames of that and of the feed. */
export class Dashboard implements Board {
  readonly feed: Feed;
  readonly desk: CommandDesk;
  readonly scrubber: Scrubber;
  readonly details: EventFinder;
  readonly settings: DashboardSettings;
  readonly terminal: Screenholder;
  screen: Screen | undefined;
  #ui: UiState;
  readonly #keys: KeyActions;
  readonly #notifications: NotificationDesk;
  readonly #end: WatchEnd;
  readonly #clock: ReturnType<typeof setInterval>;
  /** Takes a notice off the screen. */
  #noticeEnd: ReturnType<typeof setTimeout> | undefined;
  #batch: ReturnType<typeof setTimeout> | undefined;
  #loadedFor: string | undefined;
  /** Whether anything of a session was ever drawn. */
  #hasDrawn = false;
  #hasLeft = false;

  constructor(connection: Connection, settings: DashboardSettings, terminal: Screenholder) {
    this.settings = settings;
    this.terminal = terminal;
    this.#ui = initialUi(settings.session);
    // Here `at` says where to begin, and ends nothing.
    this.#end = new WatchEnd({ ...settings, at: undefined });
    this.#notifications = new NotificationDesk(settings.notifying.globs);
    this.feed = new Feed(connection, settings.session, {
      onNews: () => this.#schedule(),
      onEvents: (events) => this.#notifications.take(events, Date.now()),
    });
    this.desk = new CommandDesk(connection, settings.isReadonly, (text, tone) => this.say(text, tone));
    this.scrubber = new Scrubber(connection, (error) => this.#scrubbed(error));
    this.details = new EventFinder(connection);
    this.#keys = new KeyActions(this);
    this.#clock = setInterval(() => this.draw(), 1_000);
    this.draw();
  }

  get ui(): UiState {
    return this.#ui;
  }

  change(changes: Partial<UiState>): void {
    this.#ui = { ...this.#ui, ...changes };
  }

  /** What a key does, at once. */
  press(key: string): void {
    if (this.#hasLeft) return;
    this.#keys.press(key);
    this.draw();
  }

  /** Pasted text does not act as keys: it goes into the filter or the command line while that is typed, and is ignored otherwise. */
  paste(text: string): void {
    if (isTyping(this)) typePasted(this, text);
    else this.say('pasted text is ignored here: keys must be typed', 'warn');
    this.draw();
  }

  /** What the mouse does. */
  point(mouse: MouseInput): void {
    if (this.#hasLeft) return;
    point(this, mouse);
    this.draw();
  }

  say(text: string, tone: Tone = 'plain'): void {
    this.change({ notice: { text, tone, untilMs: Date.now() + noticeMs } });
    this.#schedule();
    clearTimeout(this.#noticeEnd);
    this.#noticeEnd = setTimeout(() => this.draw(), noticeMs + 1);
  }

  draw(): void {
    if (this.#hasLeft) return;
    clearTimeout(this.#batch);
    this.#batch = undefined;
    this.feed.log.flush();
    this.#followNews();
    reconcilePrompt(this);
    this.#followSession();
    const model = this.#model();
    this.#hasDrawn ||= model.state !== undefined || model.sessions.length > 0;
    this.screen = screenOf(model);
    this.#keys.selection.see(this.screen, Date.now());
    this.terminal.show(this.screen);
  }

  async close(): Promise<void> {
    this.#hasLeft = true;
    clearInterval(this.#clock);
    clearTimeout(this.#batch);
    clearTimeout(this.#noticeEnd);
    for (const each of this.#notifications.last(Date.now(), (id) => this.feed.state(id))) this.#notify(each);
    await this.feed.close();
  }

  /** The lines that stay in the terminal afterwards. */
  summary(): string[] {
    const { session, url } = this.settings;
    const id = this.#ui.sessionId ?? session;
    const state = id === undefined ? undefined : this.feed.state(id);
    if (state !== undefined) return sessionSummary(state, url, this.feed.connection.serverNowMs);
    return id === undefined ? overviewSummary(this.feed.sessions(Date.now()), url, this.feed.connection.state.serverVersion !== null) : [];
  }

  endingNow(): DashboardEnding {
    const refusal = this.feed.connection.failure?.code;
    if (refusal === 'UNAUTHENTICATED' || refusal === 'FORBIDDEN') return 'refused';
    const id = this.#ui.sessionId ?? this.settings.session;
    const state = id === undefined ? undefined : this.feed.state(id);
    return (state === undefined ? undefined : endingOf(state)) ?? 'left';
  }

  copy(text: string): void {
    this.terminal.signal(clipboardSequence(text));
    const start = text.length > 60 ? `${cutText(text, 59)}...` : text;
    if (takesClipboard(process.env)) this.say(`copied: ${start}`, 'good');
    else this.say(`offered to the terminal, which may not take it: ${start}`, 'plain');
  }

  style(): ScreenModel['style'] {
    return this.#model().style;
  }

  lines(): ScreenModel['lines'] {
    return this.#model().lines;
  }

  candidates(): readonly Candidate[] {
    const { commandInput, sessionId } = this.#ui;
    if (commandInput === undefined) return [];
    const sessions = sortedSessions(this.feed.sessions(Date.now())).map(({ state }) => state);
    const state = sessionId === undefined ? undefined : this.feed.state(sessionId);
    return candidatesFor(commandInput, { state, sessions, isReadonly: this.settings.isReadonly });
  }

  /** Takes over what is known of the session on screen: its moment of history, and where there is most to see. */
  #followSession(): void {
    const { sessionId, hasChosenFocus, focus } = this.#ui;
    const live = sessionId === undefined ? undefined : this.feed.state(sessionId);
    this.change({
      history: sessionId === undefined ? undefined : this.scrubber.view,
      focus: hasChosenFocus || live === undefined ? focus : firstFocus(live),
    });
  }

  #model(): ScreenModel {
    const { feed, settings } = this;
    const ui = this.#ui;
    const { history } = ui;
    const { log } = history === undefined ? feed : this.scrubber;
    const wallMs = Date.now();
    const serverMs = feed.connection.serverNowMs;
    const connection = feed.connection.state;
    const live = ui.sessionId === undefined ? undefined : feed.state(ui.sessionId);
    const pastMs = history?.state === undefined ? undefined : Date.parse(history.state.updated_at);
    return {
      ...this.terminal.size(),
      // Clocks stand still while the connection is away: the time since then would be a guess.
      style: {
        glyphs: settings.isAscii ? asciiGlyphs : unicodeGlyphs,
        nowMs: pastMs ?? (connection.status === 'live' ? serverMs : connection.since + serverMs - wallMs),
        timestamps: ui.timestamps,
      },
      wallMs,
      url: settings.url,
      isReadonly: settings.isReadonly,
      connection,
      lastEventMs: feed.lastEventMs,
      catchingUp: feed.catchingUp,
      missed: feed.missed,
      eventsPerSecond: feed.eventsPerSecond(wallMs, ui.sessionId),
      lastSeconds: feed.lastSeconds(wallMs, sparkSeconds, ui.sessionId),
      lastTokens: ui.sessionId === undefined ? [] : feed.lastTokens(wallMs, sparkTokens, ui.sessionId),
      state: history === undefined ? live : history.state,
      live,
      sessions: ui.sessionId === undefined ? sortedSessions(feed.sessions(wallMs)) : [],
      lines: log.lines(ui.sessionId, settings.globs, ui.sessionId === undefined ? '' : (ui.filterInput ?? ui.filter)),
      notShown: log.notShown,
      earlier: ui.sessionId === undefined ? 0 : Math.max(0, (log.firstSeq(ui.sessionId) ?? 1) - 1),
      candidates: this.candidates(),
      globs: settings.globs,
      ui,
    };
  }

  #schedule(): void {
    // The first frame waits for no batch.
    this.#batch ??= setTimeout(() => this.draw(), this.#hasDrawn ? batchMs : 0);
  }

  /** What new events lead to beside a new frame: notifications, the history of a session, the end of the watch. */
  #followNews(): void {
    const { feed } = this;
    const states = feed.sessions(Date.now()).map(({ state }) => state);
    this.#notifications.see(states, Date.now());
    const notification = this.#notifications.due(Date.now(), (sessionId) => feed.state(sessionId));
    if (notification !== undefined) this.#notify(notification);
    const id = this.#ui.sessionId;
    const state = id === undefined ? undefined : feed.state(id);
    if (id !== undefined && state !== undefined && this.#loadedFor !== id && feed.connection.state.status === 'live') this.#loadBefore(id);
    const ending = id === undefined ? this.#end.inStates(states) : this.#end.inState(state);
    if (ending !== undefined) this.terminal.leave(ending);
  }

  #notify(notification: Notification): void {
    const { withBell, tellDesktop } = this.settings.notifying;
    this.terminal.signal(`${notificationSequence(notification, process.env)}${withBell ? '\x07' : ''}`);
    void tellDesktop?.(notification).then((problem) => {
      if (problem !== undefined && !this.#hasLeft) this.say(problem, 'warn');
    });
  }

  #loadBefore(id: string): void {
    const { settings, feed, scrubber } = this;
    const isFirst = this.#loadedFor === undefined;
    this.#loadedFor = id;
    feed.loadBefore(id, isFirst ? settings.since : undefined).catch(() => undefined);
    if (isFirst && settings.at !== undefined && settings.session !== undefined) scrubber.go(id, settings.at);
  }

  #scrubbed(error: unknown): void {
    if (error !== undefined) this.say(`history: ${reasonOf(error)}`, 'bad');
    this.draw();
  }
}
