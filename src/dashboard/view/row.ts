import type { Glyphs } from './glyphs.ts';
import { clip, padded, textWidth, type Cut } from './text.ts';

/** What a piece of text means; how that looks is the painter's. `line` is for borders and bars: nothing that is read. */
export type Tone = 'plain' | 'line' | 'strong' | 'good' | 'bad' | 'warn' | 'active';

/** A piece of a row in one tone. The text is clean already. */
export interface Span {
  text: string;
  tone?: Tone | undefined;
  /** Light on dark turned round. */
  reversed?: boolean | undefined;
}

/** One row of the screen, exactly as wide as its region. */
export interface Row {
  spans: readonly Span[];
  /** The whole row turned round: the selected one, the header while a decision waits. */
  reversed?: boolean;
}

/** How things are shown: signs, the time to count from, the form of timestamps. */
export interface Look {
  glyphs: Glyphs;
  /** Now, or the moment up to which something is known. */
  nowMs: number;
  timestamps: Timestamps;
}

/** The forms of a time in the log: of the day, since the session started, none. */
export type Timestamps = 'clock' | 'elapsed' | 'none';

/** A column of a row. Without `width` it takes what the others leave; `optional` ones go first where room is short. */
export interface Cell extends Span {
  width?: number;
  align?: 'left' | 'right';
  cut?: Cut;
  optional?: boolean;
}

/** Columns with one space between them, exactly `width` wide. */
export function columns(width: number, cells: readonly Cell[], ellipsis: string): Span[] {
  let kept = cells;
  while (restOf(width, kept) < 10) {
    const last = kept.findLastIndex((cell) => cell.optional === true);
    if (last === -1) break;
    kept = kept.toSpliced(last, 1);
  }
  const rest = Math.max(0, restOf(width, kept));
  const spans: Span[] = [];
  for (const cell of kept) {
    if (spans.length > 0) spans.push({ text: ' ' });
    spans.push({ text: padded(cell.text, cell.width ?? rest, ellipsis, cell.align, cell.cut), tone: cell.tone });
  }
  return fitted(spans, width, ellipsis);
}

function restOf(width: number, cells: readonly Cell[]): number {
  return cells.reduce((left, cell) => left - (cell.width ?? 0), width - cells.length + 1);
}

/** The spans in exactly `width` columns: cut at the end, or filled with spaces. */
export function fitted(spans: readonly Span[], width: number, ellipsis: string): Span[] {
  const fitting: Span[] = [];
  let left = width;
  for (const span of spans) {
    const spanWidth = textWidth(span.text);
    if (spanWidth > left) {
      const text = padded(span.text, left, ellipsis);
      if (text !== '') fitting.push({ ...span, text });
      return fitting;
    }
    if (span.text !== '') fitting.push(span);
    left -= spanWidth;
  }
  if (left > 0) fitting.push({ text: ' '.repeat(left) });
  return fitting;
}

/** Left and right parts of one row; the left one is cut where they would meet. */
export function sides(left: readonly Span[], right: readonly Span[], width: number, ellipsis: string): Span[] {
  const rightWidth = spansWidth(right);
  if (rightWidth >= width) return fitted(right, width, ellipsis);
  return [...fitted(left, width - rightWidth, ellipsis), ...right];
}

/** Columns that spans take together. */
export function spansWidth(spans: readonly Span[]): number {
  return spans.reduce((sum, span) => sum + textWidth(span.text), 0);
}

/** The text of a row without its tones. */
export function rowText(row: Row): string {
  return row.spans.map((span) => span.text).join('');
}

/** A text as rows of at most `width` columns, broken at spaces where there are any. */
export function wrapped(text: string, width: number, maxRows: number, ellipsis: string): string[] {
  const rows: string[] = [];
  let row = '';
  for (const word of text.split(' ')) {
    const longer = row === '' ? word : `${row} ${word}`;
    if (textWidth(longer) <= width) {
      row = longer;
      continue;
    }
    if (row !== '') rows.push(row);
    row = word;
    while (textWidth(row) > width && rows.length <= maxRows) {
      const head = clip(row, width, '');
      rows.push(head);
      row = row.slice(head.length);
    }
    if (rows.length > maxRows) break;
  }
  if (row !== '') rows.push(row);
  if (rows.length <= maxRows) return rows;
  const last = rows[maxRows - 1] ?? '';
  return [...rows.slice(0, maxRows - 1), textWidth(last) < width ? last + ellipsis : clip(`${last} `, width, ellipsis)];
}
