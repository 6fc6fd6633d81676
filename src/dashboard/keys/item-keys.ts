import type { LogLine } from '../../view/log-buffer.ts';
import { shown } from '../../view/text/shown-text.ts';
import type { Board } from '../board.ts';
import { panelCursors } from '../ui-state.ts';
import type { OverviewSelection } from './overview-selection.ts';

/** Opens what is selected: a session of the overview, or the detail of an item. */
export function openSelected(board: Board, selection: OverviewSelection): void {
  const { ui, screen } = board;
  if (ui.sessionId === undefined) openSession(board, selection.on(screen));
  else if (ui.focus === 'events') openEvent(board);
  else {
    const item = screen?.lists[ui.focus]?.item;
    if (item === undefined) board.say('nothing is selected here', 'plain');
    else {
      const title = item.key === '' ? 'Detail' : shown(item.key, 100);
      board.change({ overlay: { kind: 'detail', title, fields: item.detail(board.style()) }, overlayTop: 0 });
    }
  }
}

/** Copies the detail on screen, or the selected item. */
export function copySelected(board: Board, selection: OverviewSelection): void {
  const text = selectedText(board, selection);
  if (text === undefined) board.say('nothing is selected here to copy', 'plain');
  else board.copy(text);
}

function openSession(board: Board, id: string | undefined): void {
  if (id === undefined || board.feed.state(id) === undefined) return;
  const overview = { key: id, row: board.ui.cursors.overview.row };
  board.change({ cursors: { ...panelCursors, overview }, sessionId: id, hasChosenFocus: false, follow: true });
}

function openEvent(board: Board): void {
  const line = selectedLine(board);
  if (line === undefined) return;
  const fields = [
    ['time', new Date(line.atMs).toISOString()],
    ['event', `${line.seq}`],
    ['type', line.type],
    ['text', line.text],
  ] as const;
  board.change({ overlay: { kind: 'detail', title: 'Event', fields }, overlayTop: 0 });
  board.loadEvent(line.session_id, line.seq, fields);
}

function selectedText(board: Board, selection: OverviewSelection): string | undefined {
  const { ui, screen } = board;
  if (ui.overlay?.kind === 'detail') {
    const fields = ui.overlay.fields.filter(([, value]) => value !== '');
    return fields.map(([label, value]) => `${label}: ${value}`).join('\n');
  }
  if (ui.sessionId === undefined) return selection.on(screen);
  return ui.focus === 'events' ? selectedLine(board)?.text : screen?.lists[ui.focus]?.item?.copy;
}

function selectedLine(board: Board): LogLine | undefined {
  const { ui } = board;
  const lines = board.lines();
  return ui.follow ? lines.at(-1) : (lines.find((line) => line.number >= Number(ui.cursors.events.key ?? '0')) ?? lines.at(-1));
}
