import { groupOf } from '../../view/overview.ts';
import type { Board } from '../board.ts';
import type { OverviewSelection } from './overview-selection.ts';

/** Moves the selection of the overview to the next session that needs a human. */
export function toNextNeeding(board: Board, selection: OverviewSelection): void {
  const { ui, screen, feed } = board;
  const keys = screen?.lists.overview?.keys ?? [];
  const at = keys.indexOf(selection.on(screen) ?? '');
  const order = [...keys.slice(at + 1), ...keys.slice(0, at + 1)];
  const next = order.find((id) => {
    const state = feed.state(id);
    return state !== undefined && groupOf(state) === 'needs you';
  });
  if (next === undefined) board.say('no session needs you', 'good');
  else board.change({ cursors: { ...ui.cursors, overview: { key: next, row: 0 } } });
}

/** Marks the selected session, or takes its mark away. */
export function markSelected(board: Board, selection: OverviewSelection): void {
  const id = selection.on(board.screen);
  if (id === undefined) return;
  const marks = new Set(board.ui.marks);
  if (!marks.delete(id)) marks.add(id);
  board.change({ marks });
}

/** Sends to the session on screen, to all that are marked, or to the selected one. */
export function operateSelected(board: Board, selection: OverviewSelection, type: 'HALT' | 'RESUME'): void {
  const { ui, desk, feed } = board;
  if (ui.sessionId === undefined && ui.marks.size > 0) {
    const ids = Array.from(ui.marks).filter((id) => feed.state(id) !== undefined);
    void desk.sendAll(
      ids.map((id) => ({ type, session_id: id })),
      type,
    );
    return;
  }
  onSubject(board, selection, (sessionId) => {
    void desk.send({ type, session_id: sessionId }, ui.sessionId === undefined ? `${type} ${sessionId}` : type);
  });
}

/** Does something to the session on screen, or to the one that the overview has selected. */
export function onSubject(board: Board, selection: OverviewSelection, act: (sessionId: string) => void): void {
  const { ui, screen } = board;
  const sessionId = ui.sessionId ?? selection.on(screen);
  if (sessionId === undefined) board.say('no session is selected', 'warn');
  else if (ui.sessionId === undefined && selection.hasJustMoved(Date.now()))
    board.say(`${sessionId} has just become the first: look again`, 'warn');
  else act(sessionId);
}
