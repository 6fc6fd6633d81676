import type { PanelId } from '../../view/panels/panel.ts';
import type { Board } from '../board.ts';
import { moved, type ListCursor } from '../rows/list-cursor.ts';

/** Moves the selection of the list in focus, or what lies over it, by so many rows. */
export function moveBy(board: Board, by: number): void {
  const { ui, screen } = board;
  if (ui.overlay !== undefined) {
    const room = screen?.overlayRows;
    if (room !== undefined) board.change({ overlayTop: Math.max(0, Math.min(room.rows - room.height, ui.overlayTop + by)) });
    return;
  }
  const id = listId(board);
  const list = screen?.lists[id];
  if (list === undefined) return;
  if (id !== 'events') {
    setCursor(board, id, moved(list.keys, ui.cursors[id], list.height, by));
    return;
  }
  if (by === Infinity) {
    setFollow(board, true);
    return;
  }
  const from = ui.follow ? { key: list.keys.at(-1) ?? null, row: list.height - 1 } : ui.cursors.events;
  if (ui.follow && by > 0) return;
  board.change({ follow: false });
  setCursor(board, 'events', moved(list.keys, from, list.height, by));
}

/** Rows of a page of what keys move now. */
export function pageHeight(board: Board): number {
  const { screen } = board;
  const height = screen?.overlayRows?.height ?? screen?.lists[listId(board)]?.height ?? 1;
  return Math.max(1, height - 1);
}

/** Follows the newest events, or stays where they are now. */
export function setFollow(board: Board, follow: boolean): void {
  const list = board.screen?.lists.events;
  if (!follow && list !== undefined) setCursor(board, 'events', { key: list.keys.at(-1) ?? null, row: list.height - 1 });
  if (!follow && (list?.keys.length ?? 0) === 0) board.change({ focus: 'events' });
  board.change({ follow });
}

function listId({ ui }: Board): PanelId | 'overview' {
  return ui.sessionId === undefined ? 'overview' : ui.focus;
}

function setCursor(board: Board, id: PanelId | 'overview', cursor: ListCursor): void {
  board.change({ cursors: { ...board.ui.cursors, [id]: cursor } });
}
