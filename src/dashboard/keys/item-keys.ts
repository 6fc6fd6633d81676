import type { SessionEvent } from '../../core/protocol/event.ts';
import { eventDetail } from '../../view/log/event-detail.ts';
import type { GoingOn } from '../../view/log/going-on.ts';
import type { LogLine } from '../../view/log/log-lines.ts';
import type { DetailField, PanelItem } from '../../view/panels/panel.ts';
import { count } from '../../view/text/numbers.ts';
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
    else openItem(board, ui.sessionId, item);
  }
}

function openItem(board: Board, sessionId: string, item: PanelItem): void {
  const { ui, feed } = board;
  const { lastEvent } = item;
  const title = item.key === '' ? 'Detail' : shown(item.key, 100);
  const fields = item.detail(board.style());
  if (lastEvent === undefined) {
    openDetail(board, title, fields);
    return;
  }
  const newest = ui.history?.seq ?? feed.state(sessionId)?.seq ?? 0;
  openDetail(board, title, fields, async () => {
    const event = await board.details.find({
      sessionId,
      from: newest + 1,
      direction: -1,
      newest,
      types: lastEvent.types,
      passes: ({ data }) => lastEvent.isOne(data),
    });
    return event ?? undefined;
  });
}

/** Shows a detail, and below it an event whole, as soon as that has come. */
function openDetail(board: Board, title: string, fields: readonly DetailField[], load?: () => Promise<SessionEvent | undefined>): void {
  const overlay = { kind: 'detail', title, fields } as const;
  board.change({ overlay, overlayTop: 0 });
  load?.()
    .then((event) => {
      const { ui, feed } = board;
      if (event === undefined || ui.overlay !== overlay) return;
      const state = ui.history?.state ?? feed.state(event.session_id);
      const whole: DetailField[] = [['event', `${event.seq}  ${shown(event.type, 100)}`, 'strong'], ...eventDetail(event, state)];
      board.change({ overlay: { ...overlay, fields: [...fields.filter(([label]) => label !== 'event'), ...whole] } });
      board.draw();
    })
    .catch(() => undefined);
}

/** Copies the detail on screen, or the selected item. */
export function copySelected(board: Board, selection: OverviewSelection): void {
  const text = selectedText(board, selection);
  if (text === undefined) board.say('nothing is selected here to copy', 'plain');
  else board.copy(text);
}

/** Puts a session on screen. */
export function openSession(board: Board, id: string | undefined): void {
  if (id === undefined || board.feed.state(id) === undefined) return;
  board.scrubber.leave();
  const overview = { key: id, row: board.ui.cursors.overview.row };
  board.change({ cursors: { ...panelCursors, overview }, sessionId: id, hasChosenFocus: false, follow: true });
}

function openEvent(board: Board): void {
  const line = selectedLine(board);
  if (line === undefined) return;
  const fields = [
    ['time', new Date(line.atMs).toISOString()],
    ['text', line.text],
    ['events', line.goesOn === undefined || line.goesOn.count === 1 ? '' : foldedText(line.goesOn)],
    ['event', `${line.seq}  ${line.type}`],
  ] as const;
  openDetail(board, 'Event', fields, line.seq < 1 ? undefined : () => board.feed.event(line.session_id, line.seq));
}

function foldedText({ count: events, first }: GoingOn): string {
  return `this is the last of ${count(events)} like it, the first of them event ${count(first)}`;
}

function selectedText(board: Board, selection: OverviewSelection): string | undefined {
  const { ui, screen } = board;
  if (ui.overlay?.kind === 'detail') {
    const fields = ui.overlay.fields.filter(([, value]) => value !== '');
    return fields.map(([label, value]) => (label === '' ? value : `${label}: ${value}`)).join('\n');
  }
  if (ui.sessionId === undefined) return selection.on(screen);
  return ui.focus === 'events' ? selectedLine(board)?.text : screen?.lists[ui.focus]?.item?.copy;
}

/** The line of the events that is selected: the newest while it follows. */
export function selectedLine(board: Board): LogLine | undefined {
  const { ui } = board;
  const lines = board.lines();
  return ui.follow ? lines.at(-1) : (lines.find((line) => line.number >= Number(ui.cursors.events.key ?? '0')) ?? lines.at(-1));
}
