import { clock, count, timeOfDay } from './figures.ts';
import type { ListCursor } from './list-cursor.ts';
import type { LogLine } from './log-buffer.ts';
import { columns, type Cell, type Look, type Row } from './row.ts';

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
  /** Events that overload has kept out of the log. */
  notShown: number;
}

/** `Events  follow ON  filter: -`. */
export function eventsTitle(view: EventsView): string {
  const filter = [...view.globs, view.typed].filter((each) => each !== '').join(' ');
  const overload = view.notShown === 0 ? '' : `  ! ${count(view.notShown)} too many to show`;
  return `Events  follow ${view.follow ? 'ON' : 'OFF'}  filter: ${filter === '' ? '-' : filter}${overload}`;
}

/** `142 new ↓ G` while scrolled up; the place in the list else. */
export function eventsPlace(view: EventsView, height: number, look: Look): string {
  if (view.lines.length === 0) return '';
  const { top } = eventsWindow(view, height);
  const below = view.lines.length - top - height;
  if (!view.follow && below > 0) return `${count(below)} new ${look.glyphs.down} G`;
  return `${count(top + 1)}-${count(Math.min(view.lines.length, top + height))} of ${count(view.lines.length)}`;
}

/** The rows on screen, the newest at the bottom. */
export function eventsRows(view: EventsView, width: number, height: number, isFocused: boolean, look: Look): Row[] {
  const { top, selected } = eventsWindow(view, height);
  return view.lines.slice(top, top + height).map((line, offset) => ({
    spans: lineSpans(line, view, width, look),
    reversed: isFocused && !view.follow && top + offset === selected,
  }));
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

function lineSpans(line: LogLine, view: EventsView, width: number, look: Look) {
  const time: Cell[] = [];
  if (look.timestamps === 'clock') time.push({ text: timeOfDay(line.atMs), width: 12, optional: width < 60 });
  if (look.timestamps === 'elapsed') time.push({ text: `+${clock(line.atMs - view.startedAtMs)}`, width: 9, optional: width < 60 });
  const session: Cell[] = view.withSession ? [{ text: line.session_id, width: Math.min(18, Math.floor(width / 5)), optional: true }] : [];
  return columns(
    width,
    [...time, ...session, { text: line.group, width: 8, optional: width < 50 }, { text: line.text, tone: line.tone }],
    look.glyphs.ellipsis,
  );
}
