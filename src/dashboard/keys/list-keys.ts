import type { PanelId } from '../../view/panels/panel.ts';
import type { Board } from '../board.ts';
import { holeKey } from '../../view/log/log-buffer.ts';
import { firstLineKey } from '../../view/log/past-lines.ts';
import { moved, scrolled, type ListCursor } from '../rows/list-cursor.ts';
import { eventKeys } from '../screen/events-rows.ts';
import { reasonOf } from '../../feed/command-desk.ts';
import type { HistoryPage } from '../../feed/history-pages.ts';

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
  const from = ui.follow ? { key: list.keys.at(-1) ?? null, row: list.height - 1 } : stillThere(list.keys, ui.cursors.events);
  if (ui.follow && by > 0) return;
  board.change({ follow: false });
  const cursor = by === -Infinity ? { key: firstLineKey, row: 0 } : moved(list.keys, from, list.height, by);
  setCursor(board, 'events', cursor);
  pageEvents(board, list, cursor, by);
}

/** The cursor on its line, or where that has gone, into a later one or for good, on the next one after it. */
function stillThere(keys: readonly string[], cursor: ListCursor): ListCursor {
  const key = keys.find((each) => Number(each) >= Number(cursor.key ?? '0')) ?? keys.at(-1);
  return { ...cursor, key: key ?? null };
}

/** Scrolls a panel, whichever has the focus: what shows moves, and the selected item stays as long as it shows. */
export function scrollList(board: Board, id: PanelId, by: number): void {
  const { ui, screen } = board;
  const list = screen?.lists[id];
  if (list === undefined) return;
  if (id !== 'events') {
    setCursor(board, id, scrolled(list.keys, ui.cursors[id], list.height, by));
    return;
  }
  if (ui.follow && by > 0) return;
  const keys = eventKeys(board.lines());
  const from = ui.follow ? { key: keys.at(-1) ?? null, row: list.height - 1 } : stillThere(keys, ui.cursors.events);
  const cursor = scrolled(keys, from, list.height, by);
  const top = keys.indexOf(cursor.key ?? '') - cursor.row;
  // Down to the last line is back to following.
  if (by > 0 && top + list.height >= keys.length) setFollow(board, true);
  else {
    board.change({ follow: false });
    setCursor(board, 'events', cursor);
    pageEvents(board, { keys, height: list.height }, cursor, by);
  }
}

/** Brings more of the history into the log where the cursor comes near to what is not there. */
function pageEvents(board: Board, { keys, height }: { keys: readonly string[]; height: number }, cursor: ListCursor, by: number): void {
  const at = Math.max(0, keys.indexOf(cursor.key ?? ''));
  const hole = keys.indexOf(holeKey);
  const isNearHole = hole !== -1 && Math.abs(hole - at) <= height;
  const what =
    by === -Infinity
      ? 'first'
      : by < 0 && at <= height
        ? 'older'
        : isNearHole && by > 0 && at <= hole
          ? 'hole-above'
          : isNearHole && by < 0 && at >= hole
            ? 'hole-below'
            : undefined;
  if (what !== undefined) loadPage(board, what);
}

function loadPage(board: Board, what: HistoryPage): void {
  const { ui, scrubber, feed } = board;
  if (ui.sessionId === undefined) return;
  const { pages } = ui.history === undefined ? feed : scrubber;
  pages.load(ui.sessionId, what).catch((error: unknown) => board.say(`history: ${reasonOf(error)}`, 'bad'));
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
  // What was scrolled to gives way to what came last.
  if (follow) loadPage(board, 'hole-below');
}

function listId({ ui }: Board): PanelId | 'overview' {
  return ui.sessionId === undefined ? 'overview' : ui.focus;
}

function setCursor(board: Board, id: PanelId | 'overview', cursor: ListCursor): void {
  board.change({ cursors: { ...board.ui.cursors, [id]: cursor } });
}
