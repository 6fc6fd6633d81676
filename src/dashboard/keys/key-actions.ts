import { isSettled } from '../../view/decision-prompt.ts';
import { panelIds, type PanelId } from '../../view/panels/panel.ts';
import type { Timestamps } from '../../view/style.ts';
import { shown } from '../../view/text/shown-text.ts';
import type { Board } from '../board.ts';
import {
  answerDecision,
  closePrompt,
  highlightOption,
  openOldestDecision,
  showOtherDecision,
  stepOption,
  writeComment,
} from './decision-keys.ts';
import { isPast, leaveHistory, scrubBy, scrubToCheckpoint } from './history-keys.ts';
import { copySelected, openSelected } from './item-keys.ts';
import type { KeyAction, KeyContext } from './key-binding.ts';
import { bindingOf, isPromptKey } from './key-table.ts';
import { moveBy, pageHeight, setFollow } from './list-keys.ts';
import { OverviewSelection } from './overview-selection.ts';
import { markSelected, onSubject, operateSelected, toNextNeeding } from './overview-keys.ts';
import { confirmRollback, openRollback } from './rollback-keys.ts';
import { toHit } from './search-keys.ts';
import { confirmStop, openStop } from './stop-keys.ts';
import { typeKey } from './typing/typing-keys.ts';

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
      'focus-next': () => focus(neighbour(board, 1)),
      'focus-previous': () => focus(neighbour(board, -1)),
      down: () => moveBy(board, 1),
      up: () => moveBy(board, -1),
      'page-down': () => moveBy(board, pageHeight(board)),
      'page-up': () => moveBy(board, -pageHeight(board)),
      first: () => moveBy(board, -Infinity),
      last: () => moveBy(board, Infinity),
      open: () => openSelected(board, this.selection),
      filter: () => board.change({ filterInput: board.ui.sessionId === undefined ? board.ui.sessionFilter : board.ui.filter }),
      'command-line': () => board.change({ commandInput: '' }),
      zoom: () => board.change({ isZoomed: !board.ui.isZoomed }),
      follow: () => setFollow(board, !board.ui.follow),
      stream: () => board.terminal.stream(),
      copy: () => copySelected(board, this.selection),
      timestamps: () => board.change({ timestamps: nextTimestamps[board.ui.timestamps] }),
      decide: () => openOldestDecision(board),
      digit: (key) => highlightOption(board, Number(key)),
      'option-down': () => stepOption(board, 1),
      'option-up': () => stepOption(board, -1),
      'decision-next': () => showOtherDecision(board, 1),
      'decision-before': () => showOtherDecision(board, -1),
      comment: () => writeComment(board),
      'next-needing': () => toNextNeeding(board, this.selection),
      mark: () => markSelected(board, this.selection),
      'send-choice': () => answerDecision(board),
      halt: () => operateSelected(board, this.selection, 'HALT'),
      resume: () => operateSelected(board, this.selection, 'RESUME'),
      rollback: () => openRollback(board),
      confirm: () => confirmDialog(board),
      stop: () => onSubject(board, this.selection, (sessionId) => openStop(board, sessionId)),
      'event-back': () => scrubBy(board, -1),
      'event-forward': () => scrubBy(board, 1),
      'next-hit': () => toHit(board, 1),
      'previous-hit': () => toHit(board, -1),
      'checkpoint-back': () => scrubToCheckpoint(board, -1),
      'checkpoint-forward': () => scrubToCheckpoint(board, 1),
      live: () => leaveHistory(board),
    };
  }

  press(key: string): void {
    const board = this.#board;
    board.feed.finder.stop();
    const context = board.screen?.situation.context ?? 'session';
    if (context === 'typing' && key !== 'ctrl-c' && key !== 'ctrl-z') {
      typeKey(board, key);
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
    if (binding.operates === true && isPast(board)) return;
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
}

function confirmDialog(board: Board): void {
  const { overlay } = board.ui;
  if (overlay?.kind === 'rollback') confirmRollback(board, overlay);
  if (overlay?.kind === 'stop') confirmStop(board, overlay);
}

/** Out of what lies on top, one step at a time. */
function goBack(board: Board): void {
  const { ui } = board;
  if (ui.overlay !== undefined) {
    if (ui.overlay.kind === 'rollback' || ui.overlay.kind === 'stop') board.change({ promptChange: undefined });
    board.change({ overlay: undefined });
  } else if (ui.prompt !== undefined) {
    closePrompt(board);
    board.change({ promptChange: undefined });
  } else if (board.scrubber.view !== undefined) leaveHistory(board);
  else if (ui.isZoomed) board.change({ isZoomed: false });
  else if (ui.sessionId === undefined && ui.marks.size > 0) board.change({ marks: new Set() });
  else if (ui.sessionId === undefined && ui.sessionFilter !== '') board.change({ sessionFilter: '' });
  else if (ui.sessionId !== undefined && ui.filter !== '') board.change({ filter: '' });
  else if (ui.sessionId !== undefined && ui.hasOverview) board.change({ sessionId: undefined });
  else board.say('nothing to go back from; q quits', 'plain');
}

/** The next panel in which there is something to select, or the one before. */
function neighbour({ ui, screen }: Board, by: 1 | -1): PanelId {
  const full = panelIds.filter((id) => id === ui.focus || id === 'events' || (screen?.lists[id]?.keys.length ?? 0) > 0);
  return full[(full.indexOf(ui.focus) + by + full.length) % full.length] ?? ui.focus;
}

function unknownKey(key: string, context: KeyContext): string {
  const name = shown(key, 20);
  if (context === 'decision') return `${name} does nothing here: digits and arrows choose, Enter sends, Esc leaves it open`;
  if (context === 'rollback') return `${name} does nothing here: y rolls back, Enter or Esc cancels`;
  if (context === 'stop') return `${name} does nothing here: y ends the program, Enter or Esc cancels`;
  if (context === 'tiny') return `${name} does nothing on so small a window`;
  return `${name === '' ? 'that key' : name} does nothing here; ? shows the keys`;
}
