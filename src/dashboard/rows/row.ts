import type { Cell, Span } from '../../view/cells.ts';
import { clip, padded, textWidth } from './text-width.ts';

/** A piece of a row. */
export interface RowSpan extends Span {
  /** Light on dark turned round. */
  reversed?: boolean | undefined;
  /** It is this option of a decision, from 0: a click chooses it. */
  option?: number | undefined;
}

/** One row of the screen, exactly as wide as its region. */
export interface Row {
  spans: readonly RowSpan[];
  /** The whole row turned round: the selected one, the header while a decision waits. */
  reversed?: boolean;
}

/** Cells with one space between them, exactly `width` wide. */
export function rowOfCells(width: number, cells: readonly Cell[], ellipsis: string): Span[] {
  let kept = cells.filter((cell) => (cell.leastRowWidth ?? 0) <= width);
  while (restOf(width, kept) < 10) {
    const last = kept.findLastIndex((cell) => isOptional(cell, width));
    if (last === -1) break;
    kept = kept.toSpliced(last, 1);
  }
  const rest = Math.max(0, restOf(width, kept));
  const spans: Span[] = [];
  for (const cell of kept) {
    if (spans.length > 0) spans.push({ text: ' ' });
    spans.push({ text: padded(cell.text, cellWidth(cell, width) ?? rest, ellipsis, cell.align, cell.cut), tone: cell.tone });
  }
  return fitted(spans, width, ellipsis);
}

function restOf(rowWidth: number, cells: readonly Cell[]): number {
  return cells.reduce((left, cell) => left - (cellWidth(cell, rowWidth) ?? 0), rowWidth - cells.length + 1);
}

/** The cell's columns in a row of this width; undefined: what the others leave. */
function cellWidth({ width }: Cell, rowWidth: number): number | undefined {
  if (typeof width !== 'object') return width;
  return Math.max(width.least, Math.min(width.most, Math.floor(rowWidth / width.oneOf)));
}

function isOptional({ optional = false }: Cell, rowWidth: number): boolean {
  return typeof optional === 'object' ? rowWidth < optional.below : optional;
}

/** The spans in exactly `width` columns: cut at the end, or filled with spaces. */
export function fitted(spans: readonly RowSpan[], width: number, ellipsis: string): RowSpan[] {
  const fitting: RowSpan[] = [];
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
