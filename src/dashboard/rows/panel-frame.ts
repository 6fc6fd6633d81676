import { clip, textWidth } from './text-width.ts';
import { fitted, type Row, type RowSpan } from './row.ts';
import type { Style } from '../../view/style.ts';
import type { Span } from '../../view/cells.ts';

/** What stands in the border of a panel. */
export interface FrameLabels {
  title: string;
  /** In the lower border: `1-5 of 18`. */
  place: string;
  isFocused: boolean;
  /** Known until a moment that has passed: the connection is away. */
  isStale?: boolean;
}

/** Rows in a border with its title and place, exactly `width` by `height`; what is missing is filled up. */
export function framed(rows: readonly Row[], labels: FrameLabels, width: number, height: number, style: Style): Row[] {
  const { glyphs } = style;
  const tone = labels.isFocused ? 'active' : 'line';
  const inner = width - 2;
  const side: Span = { text: glyphs.vertical, tone };
  const body: Row[] = [];
  for (let index = 0; index < height - 2; index++) {
    const row = rows[index];
    const spans = fitted(row?.spans ?? [], inner, glyphs.ellipsis);
    const turned: RowSpan[] = [{ text: spans.map((span) => span.text).join(''), reversed: true }];
    body.push({ spans: [side, ...(row?.reversed === true ? turned : spans), side] });
  }
  const title = labels.isStale === true ? `${labels.title} (stale)` : labels.title;
  return [
    { spans: edge(title, 'left', labels.isFocused, width, style) },
    ...body,
    { spans: edge(labels.place, 'right', labels.isFocused, width, style) },
  ];
}

function edge(label: string, at: 'left' | 'right', isFocused: boolean, width: number, style: Style): Span[] {
  const { glyphs } = style;
  const tone = isFocused ? 'active' : 'line';
  const text = label === '' ? '' : ` ${clip(label, width - 6, glyphs.ellipsis)} `;
  const line = glyphs.horizontal.repeat(Math.max(0, width - 3 - textWidth(text)));
  const [first, last] = at === 'left' ? [glyphs.topLeft, glyphs.topRight] : [glyphs.bottomLeft, glyphs.bottomRight];
  const labelSpan: Span = { text, tone: isFocused ? 'strong' : 'plain' };
  return at === 'left'
    ? [{ text: first + glyphs.horizontal, tone }, labelSpan, { text: line + last, tone }]
    : [{ text: first + line, tone }, labelSpan, { text: glyphs.horizontal + last, tone }];
}
