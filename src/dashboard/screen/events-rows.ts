import { count } from '../../view/text/numbers.ts';
import type { ListCursor } from '../rows/list-cursor.ts';
import type { LogLine } from '../../view/log/log-lines.ts';
import { logCells } from '../../view/log/log-cells.ts';
import { rowOfCells, type Row } from '../rows/row.ts';
import type { Style } from '../../view/style.ts';

/** What the log shows and how. */
export interface EventsView {
  lines: readonly LogLine[];
  follow: boolean;
  cursor: ListCursor;
  globs: readonly string[];
  typed: string;
  /** Where the session started, for elapsed timestamps. */
  startedAtMs: number;
  withSession: boolean;
  /** Events of the session before the first that can be scrolled to without asking the server. */
  earlier: number;
  /** The moment of the past up to which the events are shown; undefined: now. */
  until: number | undefined;
  /** Events that overload has kept out of the log. */
  notShown: number;
}

/** `Events  follow ON  filter: -`; in the past `Events  up to 812  filter: -`. */
export function eventsTitle(view: EventsView): string {
  const filter = [...view.globs, view.typed].filter((each) => each !== '').join(' ');
  const overload = view.notShown === 0 ? '' : `  ! ${count(view.notShown)} too many to show`;
  const end = view.until === undefined ? `follow ${view.follow ? 'ON' : 'OFF'}` : `up to ${count(view.until)}`;
  return `Events  ${end}  filter: ${filter === '' ? '-' : filter}${overload}`;
}

/** `142 new ↓ G` while scrolled up; the place in the list else. */
export function eventsPlace(view: EventsView, height: number, style: Style): string {
  if (view.lines.length === 0) return '';
  const { top } = eventsWindow(view, height);
  const below = view.lines.length - top - height;
  if (!view.follow && below > 0) {
    const earlier = view.earlier === 0 ? '' : `, ${count(view.earlier)} earlier`;
    return `${count(below)} ${view.until === undefined ? 'new' : 'later'} ${style.glyphs.down} G${earlier}`;
  }
  const earlier = view.earlier === 0 ? '' : `, ${count(view.earlier)} earlier ${style.glyphs.up} k`;
  return `${count(top + 1)}-${count(Math.min(view.lines.length, top + height))} of ${count(view.lines.length)}${earlier}`;
}

/** The rows on screen, the newest at the bottom. */
export function eventsRows(view: EventsView, width: number, height: number, isFocused: boolean, style: Style): Row[] {
  const { top, selected } = eventsWindow(view, height);
  return view.lines.slice(top, top + height).map((line, offset) => ({
    spans: rowOfCells(width, logCells(line, view, style), style.glyphs.ellipsis),
    reversed: isFocused && !view.follow && top + offset === selected,
  }));
}

/** The lines on screen. */
export function shownLines(view: EventsView, height: number): readonly LogLine[] {
  const { top } = eventsWindow(view, height);
  return view.lines.slice(top, top + height);
}

/** The keys of the lines, for moving the cursor. */
export function eventKeys(lines: readonly LogLine[]): string[] {
  return lines.map((line) => String(line.number));
}

function eventsWindow(view: EventsView, height: number): { top: number; selected: number } {
  if (view.follow) return { top: Math.max(0, view.lines.length - height), selected: view.lines.length - 1 };
  // Line numbers ascend, so that the selected line is found without a list of keys; one let go meanwhile gives the first.
  const wanted = Number(view.cursor.key ?? '0');
  const selected = Math.max(
    0,
    view.lines.findIndex((line) => line.number >= wanted),
  );
  const lastTop = Math.max(0, view.lines.length - height);
  return { top: Math.max(0, Math.min(lastTop, selected - Math.min(view.cursor.row, height - 1))), selected };
}
