import { isSettled } from '../../view/decision-prompt.ts';
import { panelIds, type PanelId } from '../../view/panels/panel.ts';
import type { Timestamps } from '../../view/style.ts';
import { shown } from '../../view/text/shown-text.ts';
import type { Board } from '../board.ts';
import { answerDecision, closePrompt, highlightOption, openOldestDecision } from './decision-keys.ts';
import { typeFilter } from './filter-keys.ts';
import { leaveHistory, scrubBy, scrubToCheckpoint } from './history-keys.ts';
import { copySelected, openSelected } from './item-keys.ts';
import { bindingOf, isPromptKey, type KeyAction, type KeyContext } from './key-table.ts';
import { moveBy, pageHeight, setFollow } from './list-keys.ts';
import { OverviewSelection } from './overview-selection.ts';
import { confirmRollback, openRollback } from './rollback-keys.ts';

type Handler = (key: string) => void;

const nextTimestamps: Record<Timestamps, Timestamps> = { clock: 'elapsed', elapsed: 'none', none: 'clock' };

/** What each action of the key table does to the dashboard. */
export class KeyActions {
  readonly #board: Board;
  readonly #handlers: Record<KeyAction, Handler>;
  readonly selection: OverviewSelection;

  constructor(board: Board) {
    this.#board = board;
    this.selection = new OverviewSelection(() => board.ui);
    const focus = (id: PanelId) => board.change({ focus: id });
    this.#handlers = {
      help: () => board.change({ overlay: { kind: 'help' }, overlayTop: 0 }),
      back: () => goBack(board),
      quit: () => board.terminal.leave(board.endingNow()),
      interrupt: () => board.terminal.leave('interrupted'),
      suspend: () => board.terminal.suspend(),
      focus: (key) => focus(panelIds[Number(key) - 1] ?? 'skills'),
      'focus-next': () => focus(neighbour(board.ui.focus, 1)),
      'focus-previous': () => focus(neighbour(board.ui.focus, -1)),
      down: () => moveBy(board, 1),
      up: () => moveBy(board, -1),
      'page-down': () => moveBy(board, pageHeight(board)),
      'page-up': () => moveBy(board, -pageHeight(board)),
      first: () => moveBy(board, -Infinity),
      last: () => moveBy(board, Infinity),
      open: () => openSelected(board, this.selection),
      filter: () => board.change({ filterInput: board.ui.filter }),
      zoom: () => board.change({ isZoomed: !board.ui.isZoomed }),
      follow: () => setFollow(board, !board.ui.follow),
      stream: () => board.terminal.stream(),
      copy: () => copySelected(board, this.selection),
      timestamps: () => board.change({ timestamps: nextTimestamps[board.ui.timestamps] }),
      decide: () => openOldestDecision(board),
      digit: (key) => highlightOption(board, Number(key)),
      'send-choice': () => answerDecision(board),
      halt: () => this.#operate('HALT'),
      resume: () => this.#operate('RESUME'),
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
    const board = this.#board;
    const context = board.screen?.situation.context ?? 'session';
    if (context === 'filter' && key !== 'ctrl-c' && key !== 'ctrl-z') {
      typeFilter(board, key);
      return;
    }
    if (context === 'session') board.change({ hasChosenFocus: true });
    const binding = bindingOf(key, context);
    if (this.#isMeantForBefore(key, context)) return;
    if (binding === undefined) {
      board.say(unknownKey(key, context), 'warn');
      return;
    }
    if (binding.operates === true && board.settings.isReadonly) {
      board.say(`${binding.shown} does nothing: this dashboard is read only`, 'bad');
      return;
    }
    if (binding.operates !== true) board.change({ notice: undefined });
    this.#handlers[binding.action](key);
  }

  /** Whether a key may still be one for a prompt as it stood a moment ago. Keys that no prompt takes, as H, always count. */
  #isMeantForBefore(key: string, context: KeyContext): boolean {
    const change = this.#board.ui.promptChange;
    if (change === undefined || isSettled(change, Date.now())) return false;
    // While it is open, Esc leaves it at any time; once it has gone by itself, Esc would leave something else.
    return isPromptKey(key, change.prompt) || (key === 'escape' && context !== change.prompt);
  }

  #operate(type: 'HALT' | 'RESUME'): void {
    const board = this.#board;
    const { ui, screen, desk } = board;
    const sessionId = ui.sessionId ?? this.selection.on(screen);
    if (sessionId === undefined) board.say('no session is selected', 'warn');
    else if (ui.sessionId === undefined && this.selection.hasJustMoved(Date.now()))
      board.say(`${sessionId} has just become the first: look again`, 'warn');
    else void desk.send({ type, session_id: sessionId }, ui.sessionId === undefined ? `${type} ${sessionId}` : type);
  }
}

/** Out of what lies on top, one step at a time. */
function goBack(board: Board): void {
  const { ui } = board;
  if (ui.overlay !== undefined) {
    if (ui.overlay.kind === 'rollback') board.change({ promptChange: undefined });
    board.change({ overlay: undefined });
  } else if (ui.prompt !== undefined) {
    closePrompt(board);
    board.change({ promptChange: undefined });
  } else if (board.scrubber.view !== undefined) leaveHistory(board);
  else if (ui.isZoomed) board.change({ isZoomed: false });
  else if (ui.filter !== '') board.change({ filter: '' });
  else if (ui.sessionId !== undefined && ui.hasOverview) board.change({ sessionId: undefined });
  else board.say('nothing to go back from; q quits', 'plain');
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
