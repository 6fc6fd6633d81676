import type { Dashboard } from '../dashboard.ts';
import { leaveHistory, scrubBy, scrubToCheckpoint } from './history-keys.ts';
import { OverviewSelection } from './overview-selection.ts';
import { answerDecision, closePrompt, confirmRollback, openRollback } from './prompts.ts';
import { isSettled, newPrompt, openDecisions, withDigit } from '../../view/decision-prompt.ts';
import { bindingOf, isPromptKey, type KeyAction, type KeyContext } from './key-table.ts';
import { atTop, moved } from '../rows/list-cursor.ts';
import { panelIds, type PanelId } from '../../view/panels/panel.ts';
import { shown } from '../../view/text/shown-text.ts';

type Handler = (key: string) => void;

/** What each action of the key table does to the dashboard. */
export class KeyActions {
  private readonly board: Dashboard;
  private readonly handlers: Record<KeyAction, Handler>;
  readonly selection: OverviewSelection;

  constructor(board: Dashboard) {
    this.board = board;
    this.selection = new OverviewSelection(board.ui);
    const { ui } = board;
    this.handlers = {
      help: () => (ui.overlay = { kind: 'help', top: 0 }),
      back: () => this.back(),
      quit: () => board.terminal.leave(board.exitCode()),
      interrupt: () => board.terminal.leave(130),
      suspend: () => board.terminal.suspend(),
      focus: (key) => this.focus(panelIds[Number(key) - 1] ?? 'skills'),
      'focus-next': () => this.focus(neighbour(ui.focus, 1)),
      'focus-previous': () => this.focus(neighbour(ui.focus, -1)),
      down: () => this.move(1),
      up: () => this.move(-1),
      'page-down': () => this.move(this.pageHeight()),
      'page-up': () => this.move(-this.pageHeight()),
      first: () => this.move(-Infinity),
      last: () => this.move(Infinity),
      open: () => this.open(),
      filter: () => (ui.filterInput = ui.filter),
      zoom: () => (ui.isZoomed = !ui.isZoomed),
      follow: () => this.setFollow(!ui.follow),
      stream: () => board.terminal.stream(),
      copy: () => this.copy(),
      timestamps: () => this.nextTimestamps(),
      decide: () => this.decide(),
      digit: (key) => this.digit(Number(key)),
      'send-choice': () => answerDecision(board),
      halt: () => this.operate('HALT'),
      resume: () => this.operate('RESUME'),
      rollback: () => openRollback(board),
      confirm: () => confirmRollback(board),
      'event-back': () => scrubBy(board, -1),
      'event-forward': () => scrubBy(board, 1),
      'checkpoint-back': () => scrubToCheckpoint(board, -1),
      'checkpoint-forward': () => scrubToCheckpoint(board, 1),
      live: () => leaveHistory(board),
    };
  }

  press(key: string): void {
    const { ui, screen } = this.board;
    const context = screen?.situation.context ?? 'session';
    if (context === 'filter' && key !== 'ctrl-c' && key !== 'ctrl-z') {
      this.typeFilter(key);
      return;
    }
    if (context === 'session') ui.hasChosenFocus = true;
    const binding = bindingOf(key, context);
    if (this.isMeantForBefore(key, context)) return;
    if (binding === undefined) {
      this.board.say(unknownKey(key, context), 'warn');
      return;
    }
    if (binding.operates === true && this.board.settings.isReadonly) {
      this.board.say(`${binding.shown} does nothing: this dashboard is read only`, 'bad');
      return;
    }
    if (ui.notice !== undefined && binding.operates !== true) ui.notice = undefined;
    this.handlers[binding.action](key);
  }

  /** Whether a key may still be one for a prompt as it stood a moment ago. Keys that no prompt takes, as H, always count. */
  private isMeantForBefore(key: string, context: KeyContext): boolean {
    const change = this.board.ui.promptChange;
    if (change === undefined || isSettled(change, Date.now())) return false;
    // While it is open, Esc leaves it at any time; once it has gone by itself, Esc would leave something else.
    return isPromptKey(key, change.prompt) || (key === 'escape' && context !== change.prompt);
  }

  /** Brings what is on screen in line with what is known: a prompt whose decision was made elsewhere goes, and says so. */
  reconcile(): void {
    const { ui, feed } = this.board;
    if (ui.sessionId === undefined) return;
    const state = feed.state(ui.sessionId);
    const { prompt } = ui;
    if (prompt === undefined) return;
    const decision = state?.decisions.find((each) => each.decision_id === prompt.decisionId);
    if (decision?.status === 'open') return;
    closePrompt(this.board);
    if (prompt.sending) return;
    const outcome =
      decision === undefined
        ? 'the decision is gone'
        : `already made: "${shown(decision.choice ?? '', 100)}" by ${shown(decision.made_by ?? '?', 60)}`;
    this.board.say(outcome, 'warn');
  }

  private back(): void {
    const { ui } = this.board;
    if (ui.overlay !== undefined) {
      if (ui.overlay.kind === 'rollback') ui.promptChange = undefined;
      ui.overlay = undefined;
    } else if (ui.prompt !== undefined) {
      closePrompt(this.board);
      ui.promptChange = undefined;
    } else if (this.board.scrubber.view !== undefined) leaveHistory(this.board);
    else if (ui.isZoomed) ui.isZoomed = false;
    else if (ui.filter !== '') ui.filter = '';
    else if (ui.sessionId !== undefined && ui.hasOverview) ui.sessionId = undefined;
    else this.board.say('nothing to go back from; q quits', 'plain');
  }

  private focus(id: PanelId): void {
    this.board.ui.focus = id;
  }

  private listId(): PanelId | 'overview' {
    const { ui } = this.board;
    return ui.sessionId === undefined ? 'overview' : ui.focus;
  }

  private pageHeight(): number {
    const { screen } = this.board;
    const height = screen?.overlayRows?.height ?? screen?.lists[this.listId()]?.height ?? 1;
    return Math.max(1, height - 1);
  }

  private move(by: number): void {
    const { ui, screen } = this.board;
    if (ui.overlay !== undefined) {
      const room = screen?.overlayRows;
      if (room !== undefined) ui.overlay.top = Math.max(0, Math.min(room.rows - room.height, ui.overlay.top + by));
      return;
    }
    const id = this.listId();
    const list = screen?.lists[id];
    if (list === undefined) return;
    if (id !== 'events') {
      ui.cursors[id] = moved(list.keys, ui.cursors[id], list.height, by);
      return;
    }
    if (by === Infinity) {
      this.setFollow(true);
      return;
    }
    const from = ui.follow ? { key: list.keys.at(-1) ?? null, row: list.height - 1 } : ui.cursors.events;
    if (ui.follow && by > 0) return;
    ui.follow = false;
    ui.cursors.events = moved(list.keys, from, list.height, by);
  }

  private setFollow(follow: boolean): void {
    const { ui, screen } = this.board;
    const list = screen?.lists.events;
    if (!follow && list !== undefined) ui.cursors.events = { key: list.keys.at(-1) ?? null, row: list.height - 1 };
    if (!follow && (list?.keys.length ?? 0) === 0) ui.focus = 'events';
    ui.follow = follow;
  }

  private open(): void {
    const { ui, screen, feed } = this.board;
    if (ui.sessionId === undefined) {
      const id = this.selection.on(screen);
      if (id === undefined || feed.state(id) === undefined) return;
      ui.cursors = {
        skills: atTop,
        agents: atTop,
        files: atTop,
        validation: atTop,
        decision: atTop,
        events: atTop,
        overview: { key: id, row: ui.cursors.overview.row },
      };
      ui.sessionId = id;
      ui.hasChosenFocus = false;
      ui.follow = true;
      return;
    }
    if (ui.focus === 'events') {
      const line = this.selectedLine();
      if (line !== undefined) {
        const fields = [
          ['time', new Date(line.atMs).toISOString()],
          ['event', `${line.seq}`],
          ['type', line.type],
          ['text', line.text],
        ] as const;
        ui.overlay = { kind: 'detail', title: 'Event', fields, top: 0 };
        this.board.loadEvent(line.session_id, line.seq, fields);
      }
      return;
    }
    const item = screen?.lists[ui.focus]?.item;
    if (item === undefined) this.board.say('nothing is selected here', 'plain');
    else
      ui.overlay = {
        kind: 'detail',
        title: item.key === '' ? 'Detail' : shown(item.key, 100),
        fields: item.detail(this.board.style()),
        top: 0,
      };
  }

  private selectedLine() {
    const { ui } = this.board;
    const lines = this.board.lines();
    return ui.follow ? lines.at(-1) : (lines.find((line) => line.number >= Number(ui.cursors.events.key ?? '0')) ?? lines.at(-1));
  }

  private copy(): void {
    const { ui, screen } = this.board;
    const { overlay } = ui;
    if (overlay?.kind === 'detail') {
      this.board.copy(
        overlay.fields
          .filter(([, value]) => value !== '')
          .map(([label, value]) => `${label}: ${value}`)
          .join('\n'),
      );
      return;
    }
    const text =
      ui.sessionId === undefined
        ? this.selection.on(screen)
        : ui.focus === 'events'
          ? this.selectedLine()?.text
          : screen?.lists[ui.focus]?.item?.copy;
    if (text === undefined) this.board.say('nothing is selected here to copy', 'plain');
    else this.board.copy(text);
  }

  private nextTimestamps(): void {
    const { board } = this;
    board.timestamps = board.timestamps === 'clock' ? 'elapsed' : board.timestamps === 'elapsed' ? 'none' : 'clock';
  }

  private typeFilter(key: string): void {
    const { ui } = this.board;
    const typed = ui.filterInput ?? '';
    if (key === 'enter') {
      ui.filter = typed;
      ui.filterInput = undefined;
    } else if (key === 'escape') ui.filterInput = undefined;
    else if (key === 'backspace') ui.filterInput = Array.from(typed).slice(0, -1).join('');
    else if (key === 'space') ui.filterInput = `${typed} `;
    else if (Array.from(key).length === 1 && typed.length < 200) ui.filterInput = typed + shown(key);
  }

  private decide(): void {
    const { ui, feed, desk } = this.board;
    const state = ui.sessionId === undefined ? undefined : feed.state(ui.sessionId);
    const oldest = openDecisions(state)[0];
    if (ui.history !== undefined) this.board.say('this is history: l goes back to live first', 'warn');
    else if (oldest === undefined) this.board.say('no decision is pending', 'plain');
    else if (desk.isOpen('DECISION')) {
      ui.prompt = newPrompt(oldest.decision_id, ui.focus);
      ui.promptChange = { prompt: 'decision', atMs: Date.now() };
      ui.focus = 'decision';
      ui.isZoomed = false;
    }
  }

  private digit(digit: number): void {
    const { ui, feed } = this.board;
    const { prompt } = ui;
    const state = ui.sessionId === undefined ? undefined : feed.state(ui.sessionId);
    const decision = state?.decisions.find((each) => each.decision_id === prompt?.decisionId);
    if (prompt === undefined || decision === undefined || prompt.sending) return;
    const next = withDigit(prompt, digit, decision.options.length);
    if (next === prompt) this.board.say(`there is no option ${digit}`, 'warn');
    ui.prompt = next;
  }

  private operate(type: 'HALT' | 'RESUME'): void {
    const { ui, screen, desk } = this.board;
    const sessionId = ui.sessionId ?? this.selection.on(screen);
    if (sessionId === undefined) this.board.say('no session is selected', 'warn');
    else if (ui.sessionId === undefined && this.selection.hasJustMoved(Date.now()))
      this.board.say(`${sessionId} has just become the first: look again`, 'warn');
    else void desk.send({ type, session_id: sessionId }, ui.sessionId === undefined ? `${type} ${sessionId}` : type);
  }
}

function neighbour(id: PanelId, by: 1 | -1): PanelId {
  return panelIds[(panelIds.indexOf(id) + by + panelIds.length) % panelIds.length] ?? 'skills';
}

function unknownKey(key: string, context: KeyContext): string {
  const name = shown(key, 20);
  if (context === 'decision') return `${name} does nothing here: digits choose, Enter sends, Esc leaves it open`;
  if (context === 'rollback') return `${name} does nothing here: y rolls back, Enter or Esc cancels`;
  if (context === 'tiny') return `${name} does nothing on so small a window`;
  return `${name === '' ? 'that key' : name} does nothing here; ? shows the keys`;
}
