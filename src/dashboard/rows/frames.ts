import type { Span } from '../../view/cells.ts';
import type { Style } from '../../view/style.ts';
import { fitted, spansWidth, type Row, type RowSpan } from './row.ts';
import { clip, textWidth } from './text-width.ts';

/** A part of the screen, in columns and rows. */
export interface Area {
  x: number;
  y: number;
  width: number;
  height: number;
}

/** Rows with a border around them, which is part of the area. Frames that touch share it: they overlap by one. */
export interface Frame extends Area {
  /** In the upper border, at its left. */
  title: string;
  /** In the upper border, at its right: `1-5 of 18`. */
  place: string;
  isFocused: boolean;
  /** Known until a moment that has passed: the connection is away. */
  isStale?: boolean;
  /** That it is to stand out among the others. */
  tone?: 'warn';
  /** What is within; what is missing is filled up. */
  rows: readonly Row[];
}

/** What stands in a row from a column on. */
interface Piece {
  x: number;
  spans: readonly RowSpan[];
}

/** The lines of a cell's border, as `Glyphs.lines` counts them. */
const up = 1;
const down = 2;
const left = 4;
const right = 8;

/** The tones of borders: where two frames share one, the later tone is seen. */
const tones = ['line', 'active', 'warn'] as const;

/** The rows of an area with frames in it, exactly as large as the area; where the borders of frames meet they are joined. */
export function framesIn(area: Area, frames: readonly Frame[], style: Style): Row[] {
  const { width, height } = area;
  const lines = new Uint8Array(width * height);
  const ranks = new Uint8Array(width * height);
  const placed: Piece[][] = Array.from({ length: height }, () => []);
  for (const frame of frames) {
    const at = { ...frame, x: frame.x - area.x, y: frame.y - area.y };
    drawBorder(at, lines, ranks, width);
    placed[at.y]?.push(...labels(at, style));
    for (let row = 1; row < at.height - 1; row++) {
      placed[at.y + row]?.push({ x: at.x + 1, spans: inner(frame.rows[row - 1], at.width - 2, style) });
    }
  }
  return placed.map((row, y): Row => ({ spans: rowOf(y * width, width, row, lines, ranks, style) }));
}

/** One frame that fills an area. */
export function framed(frame: Frame, style: Style): Row[] {
  return framesIn(frame, [frame], style);
}

function drawBorder(frame: Frame, lines: Uint8Array, ranks: Uint8Array, columns: number): void {
  const rank = tones.indexOf(toneOf(frame));
  const [x1, y1] = [frame.x + frame.width - 1, frame.y + frame.height - 1];
  const draw = (x: number, y: number, directions: number) => {
    const cell = y * columns + x;
    lines[cell] = (lines[cell] ?? 0) | directions;
    ranks[cell] = Math.max(ranks[cell] ?? 0, rank);
  };
  for (let x = frame.x; x <= x1; x++) {
    const directions = (x > frame.x ? left : 0) | (x < x1 ? right : 0);
    draw(x, frame.y, directions);
    draw(x, y1, directions);
  }
  for (let y = frame.y; y <= y1; y++) {
    const directions = (y > frame.y ? up : 0) | (y < y1 ? down : 0);
    draw(frame.x, y, directions);
    draw(x1, y, directions);
  }
}

function toneOf({ tone, isFocused }: Frame): (typeof tones)[number] {
  return tone ?? (isFocused ? 'active' : 'line');
}

/** Of a title so much stays readable, whatever stands beside it. */
const leastTitle = 20;

/** The title and the place in the upper border; where they would meet first the place is cut, then the title. */
function labels(frame: Frame, { glyphs }: Style): Piece[] {
  const { x, width, tone, isFocused, isStale, place } = frame;
  const whole = isStale === true ? `${frame.title} (stale)` : frame.title;
  const placeRoom = width - 9 - Math.min(textWidth(whole), leastTitle);
  const placeText = place === '' ? '' : ` ${clip(place, Math.max(0, placeRoom), glyphs.ellipsis)} `;
  const room = width - 6 - (placeText === '' ? 0 : textWidth(placeText) + 1);
  const title = clip(whole, Math.max(0, room), glyphs.ellipsis);
  const piece = (at: number, span: Span): Piece[] => (span.text.trim() === '' ? [] : [{ x: at, spans: [span] }]);
  return [
    ...piece(x + 2, { text: ` ${title} `, tone: isFocused ? 'strong' : (tone ?? 'plain') }),
    ...piece(x + width - 2 - textWidth(placeText), { text: placeText, tone: tone ?? 'plain' }),
  ];
}

function inner(row: Row | undefined, width: number, { glyphs }: Style): RowSpan[] {
  const spans = fitted(row?.spans ?? [], width, glyphs.ellipsis);
  return row?.reversed === true ? [{ text: spans.map(({ text }) => text).join(''), reversed: true }] : spans;
}

/** A row of cells: the pieces that are placed in it, and the borders between them. */
function rowOf(from: number, width: number, placed: readonly Piece[], lines: Uint8Array, ranks: Uint8Array, { glyphs }: Style): RowSpan[] {
  const spans: RowSpan[] = [];
  let x = 0;
  const borderUpTo = (end: number) => {
    while (x < end) {
      const rank = ranks[from + x] ?? 0;
      let text = '';
      for (; x < end && (ranks[from + x] ?? 0) === rank; x++) text += glyphs.lines[lines[from + x] ?? 0] ?? ' ';
      spans.push({ text, tone: tones[rank] });
    }
  };
  for (const piece of placed.toSorted((one, other) => one.x - other.x)) {
    borderUpTo(piece.x);
    spans.push(...piece.spans);
    x += spansWidth(piece.spans);
  }
  borderUpTo(width);
  return spans;
}
