import type { Connection } from '../client/connection/connection.ts';
import { cutText } from '../core/text/cut-text.ts';
import type { Tone } from '../view/cells.ts';
import { sortedSessions } from '../view/overview.ts';
import { firstFocus, type DetailField } from '../view/panels/panel.ts';
import { overviewSummary, sessionSummary } from '../view/summary.ts';
import { asciiGlyphs, unicodeGlyphs } from '../view/text/glyphs.ts';
import { shown } from '../view/text/shown-text.ts';
import { endingOf, WatchEnd } from '../view/watch-end.ts';
import type { Board, DashboardEnding, Screenholder } from './board.ts';
import type { DashboardSettings } from './dashboard-settings.ts';
import { reconcilePrompt } from './keys/decision-keys.ts';
import { KeyActions } from './keys/key-actions.ts';
import type { ScreenModel } from './screen/screen-model.ts';
import { screenOf, type Screen } from './screen/screen.ts';
import { CommandDesk, reasonOf } from './session/command-desk.ts';
import { Feed } from './session/feed.ts';
import { Scrubber } from './session/scrubber.ts';
import { clipboardSequence, takesClipboard } from './terminal/clipboard.ts';
import { DecisionNotifications } from './terminal/notifications.ts';
import { initialUi, type UiState } from './ui-state.ts';

/** New events are drawn at most this often. Keys are answered at once. */
const batchMs = 100;
const noticeMs = 5_000;

/** The dashboard without its terminal: it holds the state of the screen, and makes frames of that and of the feed. */
export class Dashboard implements Board {
  readonly feed: Feed;
  readonly desk: CommandDesk;
  readonly scrubber: Scrubber;
  readonly settings: DashboardSettings;
  readonly terminal: Screenholder;
  screen: Screen | undefined;
  #ui: UiState;
  readonly #keys: KeyActions;
  readonly #notifications: DecisionNotifications;
  readonly #end: WatchEnd;
  readonly #clock: ReturnType<typeof setInterval>;
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
    this.feed = new Feed(connection, settings.session, () => this.#schedule());
    this.desk = new CommandDesk(connection, settings.isReadonly, (text, tone) => this.say(text, tone));
    this.scrubber = new Scrubber(connection, (error) => this.#scrubbed(error));
    this.#notifications = new DecisionNotifications((sequence) => terminal.signal(sequence), settings.withBell);
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

  /** Pasted text does not act as keys: it goes into the filter while that is typed, and is ignored otherwise. */
  paste(text: string): void {
    const { filterInput } = this.#ui;
    if (filterInput !== undefined) this.change({ filterInput: filterInput + shown(text, 200) });
    else this.say('pasted text is ignored here: keys must be typed', 'warn');
    this.draw();
  }

  say(text: string, tone: Tone = 'plain'): void {
    this.change({ notice: { text, tone, untilMs: Date.now() + noticeMs } });
    this.#schedule();
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
    await this.feed.close();
  }

  /** The lines that stay in the terminal afterwards. */
  summary(): string[] {
    const { session, url } = this.settings;
    const id = this.#ui.sessionId ?? session;
    const state = id === undefined ? undefined : this.feed.state(id);
    if (state !== undefined) return sessionSummary(state, url, this.feed.connection.serverNowMs);
    return id === undefined ? overviewSummary(this.feed.sessions(Date.now()), url) : [];
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

  loadEvent(sessionId: string, seq: number, fields: readonly DetailField[]): void {
    const { overlay } = this.#ui;
    if (seq < 1) return;
    this.feed
      .event(sessionId, seq)
      .then((event) => {
        if (this.#ui.overlay !== overlay || event === undefined) return;
        this.change({ overlay: { kind: 'detail', title: 'Event', fields: [...fields, ...dataFields(event.data)] }, overlayTop: 0 });
        this.draw();
      })
      .catch(() => undefined);
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
      state: history === undefined ? live : history.state,
      live,
      sessions: ui.sessionId === undefined ? sortedSessions(feed.sessions(wallMs)) : [],
      lines: history?.lines ?? feed.log.lines(ui.sessionId, settings.globs, ui.filterInput ?? ui.filter),
      notShown: feed.log.notShown,
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
    this.#notifications.notify(states);
    const id = this.#ui.sessionId;
    const state = id === undefined ? undefined : feed.state(id);
    if (id !== undefined && state !== undefined && this.#loadedFor !== id && feed.connection.state.status === 'live') this.#loadBefore(id);
    const ending = id === undefined ? this.#end.inStates(states) : this.#end.inState(state);
    if (ending !== undefined) this.terminal.leave(ending);
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

/** The data of an event, one row a field. */
function dataFields(data: Record<string, unknown>): DetailField[] {
  return Object.entries(data)
    .slice(0, 100)
    .map(([field, value]) => [shown(field, 40), shown(typeof value === 'string' ? value : (JSON.stringify(value) ?? ''), 4_000)]);
}
