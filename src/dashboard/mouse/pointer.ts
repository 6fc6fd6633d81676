import { isSettled } from '../../view/decision-prompt.ts';
import type { PanelId } from '../../view/panels/panel.ts';
import type { Board } from '../board.ts';
import { chooseOption } from '../keys/decision-keys.ts';
import { moveBy, scrollList } from '../keys/list-keys.ts';
import type { Target } from '../screen/region.ts';
import type { MouseInput } from '../terminal/input-parser.ts';

/** Rows that one step of the wheel scrolls. */
const wheelRows = 3;

/** What the mouse does. It chooses and scrolls; whatever sends a command is left to a key. */
export function point(board: Board, { does, x, y }: MouseInput): void {
  const target = board.screen?.targets.findLast(
    (each) => x >= each.x && x < each.x + each.width && y >= each.y && y < each.y + each.height,
  );
  if (target === undefined) return;
  if (does === 'press') press(board, target, y);
  else scroll(board, target.list, does === 'wheel-up' ? -wheelRows : wheelRows);
}

function press(board: Board, target: Target, y: number): void {
  const { context } = board.screen?.situation ?? {};
  // While a prompt is open only its options can be pressed.
  if (target.option !== undefined && (context === 'decision' || context === 'session')) {
    const change = board.ui.promptChange;
    // What stood there a moment ago may have been another one.
    if (change === undefined || isSettled(change, Date.now())) chooseOption(board, target.option.decisionId, target.option.index);
    return;
  }
  const { list, keys } = target;
  if (list === 'overlay' || (context !== 'session' && context !== 'overview')) return;
  if (list !== 'overview') board.change({ focus: list, hasChosenFocus: true });
  const row = y - target.y - 1;
  const key = keys[row];
  if (key === undefined) return;
  if (list === 'events') board.change({ follow: false });
  board.change({ cursors: { ...board.ui.cursors, [list]: { key, row } } });
}

function scroll(board: Board, list: PanelId | 'overview' | 'overlay', by: number): void {
  if (list === 'overlay' || list === 'overview') moveBy(board, by);
  else scrollList(board, list, by);
}
