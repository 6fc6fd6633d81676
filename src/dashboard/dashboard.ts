import type { Connection } from '../client/connection/connection.ts';
import { cutText } from '../core/text/cut-text.ts';
import { isLive } from '../core/protocol/session-state.ts';
import { Attention, clipboardSequence, takesClipboard } from './terminal/notifications.ts';
import { CommandDesk, reasonOf } from './session/command-desk.ts';
import { Feed } from './session/feed.ts';
import { KeyActions } from './keys/key-actions.ts';
import { Scrubber } from './session/scrubber.ts';
import { openDecisions } from '../view/decision-prompt.ts';
import { asciiGlyphs, unicodeGlyphs } from '../view/text/glyphs.ts';
import { atTop } from './rows/list-cursor.ts';
import { sortedSessions } from '../view/overview.ts';
import { firstFocus, type DetailField } from '../view/panels/panel.ts';
import type { ScreenModel, UiState } from './screen/screen-model.ts';
import type { Style, Timestamps } from '../view/style.ts';
import type { Tone } from '../view/cells.ts';
import { screenOf, type Screen } from './screen/screen.ts';
import { overviewSummary, sessionSummary } from '../view/summary.ts';
import { shown } from '../view/text/shown-text.ts';

/** How often what came in is drawn. Keys are answered at once. */
const batchMs = 100;
const noticeMs = 5_000;

/** When a dashboard leaves by itself. */
export type UntilCondition = 'done' | 'failed' | 'decision';

export interface DashboardSettings {
  url: string;
  session: string | undefined;
  globs: readonly string[];
  isReadonly: boolean;
  withBell: boolean;
  isAscii: boolean;
  /** Begins in the history, after this event. */
  at: number | undefined;
  /** Fills the log from this event on. */
  since: number | undefined;
  until: UntilCondition | undefined;
  failOnDecision: boolean;
  exitStatus: boolean;
}

/** What the dashboard needs of its terminal. */
export interface Screenholder {
  size(): { columns: number; rows: number };
  /** Draws a frame. */
  show(screen: Screen): void;
  /** Writes a sequence that shows nothing: clipboard, bell, notification. */
  signal(sequence: string): void;
  /** Leaves the full screen for a plain stream, until asked back. */
  stream(): void;
  /** Stops the process as Ctrl-Z does elsewhere. */
  suspend(): void;
  leave(exitCode: number): void;
}

/** The dashboard apart from its terminal: what is known, what is on screen, and what keys do. */
export class Dashboard {
  readonly ui: UiState;
  readonly feed: Feed;
  readonly desk: CommandDesk;
  readonly scrubber: Scrubber;
  readonly settings: DashboardSettings;
  readonly terminal: Screenholder;
  screen: Screen | undefined;
  timestamps: Timestamps = 'clock';
  private readonly keys: KeyActions;
  private readonly attention: Attention;
  private readonly clock: ReturnType<typeof setInterval>;
  private batch: ReturnType<typeof setTimeout> | undefined;
  private loadedFor: string | undefined;
  /** Whether anything of a session was ever drawn. */
  private hasDrawn = false;
  private hasLeft = false;

  constructor(connection: Connection, settings: DashboardSettings, terminal: Screenholder) {
    this.settings = settings;
    this.terminal = terminal;
    this.ui = initialUi(settings);
    this.feed = new Feed(connection, settings.session, () => this.schedule());
    this.desk = new CommandDesk(connection, settings.isReadonly, (text, tone) => this.say(text, tone));
    this.scrubber = new Scrubber(connection, (error) => this.scrubbed(error));
    this.attention = new Attention((sequence) => terminal.signal(sequence), settings.withBell);
    this.keys = new KeyActions(this);
    this.clock = setInterval(() => this.draw(), 1_000);
    this.draw();
  }

  /** What a key does, at once. */
  press(key: string): void {
    if (this.hasLeft) return;
    this.keys.press(key);
    this.draw();
  }

  /** Pasted text is no keys: it goes where text is asked for, or nowhere. */
  paste(text: string): void {
    if (this.ui.filterInput !== undefined) this.ui.filterInput += shown(text, 200);
    else this.say('pasted text is ignored here: keys must be typed', 'warn');
    this.draw();
  }

  /** Says something at the foot of the screen for some seconds. */
  say(text: string, tone: Tone = 'plain'): void {
    this.ui.notice = { text, tone, untilMs: Date.now() + noticeMs };
    this.schedule();
  }

  /** Draws the frame for what is known now. */
  draw(): void {
    if (this.hasLeft) return;
    clearTimeout(this.batch);
    this.batch = undefined;
    this.feed.log.flush();
    this.lookAround();
    this.keys.reconcile();
    const model = this.model();
    this.hasDrawn ||= model.state !== undefined || model.sessions.length > 0;
    this.screen = screenOf(model);
    this.keys.selection.see(this.screen, Date.now());
    this.terminal.show(this.screen);
  }

  async close(): Promise<void> {
    this.hasLeft = true;
    clearInterval(this.clock);
    clearTimeout(this.batch);
    await this.feed.close();
  }

  /** The lines that stay in the terminal afterwards. */
  summary(): string[] {
    const { session, url } = this.settings;
    const id = this.ui.sessionId ?? session;
    const state = id === undefined ? undefined : this.feed.state(id);
    if (state !== undefined) return sessionSummary(state, url, this.feed.connection.serverNowMs);
    return id === undefined ? overviewSummary(this.feed.sessions(Date.now()), url) : [];
  }

  /** With `exitStatus` it ends with the run; a failed session makes leaving a failure. */
  exitCode(): number {
    const refusal = this.feed.connection.failure?.code;
    if (refusal === 'UNAUTHENTICATED' || refusal === 'FORBIDDEN') return 4;
    const id = this.ui.sessionId ?? this.settings.session;
    const hasFailed = id !== undefined && this.feed.state(id)?.status === 'failed';
    return this.settings.exitStatus && hasFailed ? 5 : 0;
  }

  copy(text: string): void {
    this.terminal.signal(clipboardSequence(text));
    const shown = text.length > 60 ? `${cutText(text, 59)}...` : text;
    if (takesClipboard(process.env)) this.say(`copied: ${shown}`, 'good');
    else this.say(`offered to the terminal, which may not take it: ${shown}`, 'plain');
  }

  /** How things are shown at this moment. */
  style(): Style {
    return this.model().style;
  }

  /** The lines of the log on screen. */
  lines(): ScreenModel['lines'] {
    return this.model().lines;
  }

  /** Shows the whole event in the detail that is open, as soon as it has come. */
  loadEvent(sessionId: string, seq: number, fields: readonly DetailField[]): void {
    const { ui } = this;
    const overlay = ui.overlay;
    if (seq < 1) return;
    this.feed
      .event(sessionId, seq)
      .then((event) => {
        if (ui.overlay !== overlay || event === undefined) return;
        ui.overlay = { kind: 'detail', title: 'Event', fields: [...fields, ...dataFields(event.data)], top: 0 };
        this.draw();
      })
      .catch(() => undefined);
  }

  private model(): ScreenModel {
    const { ui, feed, settings, scrubber } = this;
    const wallMs = Date.now();
    const serverMs = feed.connection.serverNowMs;
    const connection = feed.connection.state;
    const live = ui.sessionId === undefined ? undefined : feed.state(ui.sessionId);
    const history = ui.sessionId === undefined ? undefined : scrubber.view;
    if (!ui.hasChosenFocus && live !== undefined) ui.focus = firstFocus(live);
    ui.history = history;
    const pastMs = history?.state === undefined ? undefined : Date.parse(history.state.updated_at);
    const { columns, rows } = this.terminal.size();
    return {
      columns,
      rows,
      // Clocks stand still while nothing is known: what goes on meanwhile would be a guess.
      style: {
        glyphs: settings.isAscii ? asciiGlyphs : unicodeGlyphs,
        nowMs: pastMs ?? (connection.status === 'live' ? serverMs : connection.since + serverMs - wallMs),
        timestamps: this.timestamps,
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

  private schedule(): void {
    // The first frame waits for no batch.
    this.batch ??= setTimeout(() => this.draw(), this.hasDrawn ? batchMs : 0);
  }

  /** What news lead to, apart from what is drawn. */
  private lookAround(): void {
    const { ui, feed, settings } = this;
    const nowMs = Date.now();
    this.attention.look(feed.sessions(nowMs).map(({ state }) => state));
    const id = ui.sessionId;
    if (id === undefined) {
      if (this.hasOpenDecision() && settings.failOnDecision) this.terminal.leave(8);
      else if (this.hasOpenDecision() && settings.until === 'decision') this.terminal.leave(0);
      return;
    }
    const state = feed.state(id);
    if (state !== undefined && this.loadedFor !== id && feed.connection.state.status === 'live') this.loadBefore(id);
    if (state === undefined) return;
    const isOver = !isLive(state.status);
    const isEndWanted = settings.until !== undefined || settings.exitStatus || settings.failOnDecision;
    // Whoever waits for a failure or a decision gets none any more.
    if (isOver && isEndWanted) this.terminal.leave(this.exitCode());
    else if (settings.failOnDecision && openDecisions(state).length > 0) this.terminal.leave(8);
    else if (settings.until === 'decision' && openDecisions(state).length > 0) this.terminal.leave(0);
  }

  private hasOpenDecision(): boolean {
    return this.feed.sessions(Date.now()).some(({ state }) => openDecisions(state).length > 0);
  }

  private loadBefore(id: string): void {
    const { settings, feed, scrubber } = this;
    const isFirst = this.loadedFor === undefined;
    this.loadedFor = id;
    feed.loadBefore(id, isFirst ? settings.since : undefined).catch(() => undefined);
    if (isFirst && settings.at !== undefined && settings.session !== undefined) scrubber.go(id, settings.at);
  }

  private scrubbed(error: unknown): void {
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

function initialUi(settings: DashboardSettings): UiState {
  return {
    sessionId: settings.session,
    hasOverview: settings.session === undefined,
    focus: 'skills',
    hasChosenFocus: false,
    isZoomed: false,
    follow: true,
    cursors: { skills: atTop, agents: atTop, files: atTop, validation: atTop, decision: atTop, events: atTop, overview: atTop },
    overlay: undefined,
    prompt: undefined,
    promptChange: undefined,
    filter: '',
    filterInput: undefined,
    history: undefined,
    notice: undefined,
  };
}
