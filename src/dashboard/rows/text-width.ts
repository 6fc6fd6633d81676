import cliTruncate from 'cli-truncate';
import stringWidth from 'string-width';
import type { Cut } from '../../view/cells.ts';

const plainAscii = /^[\x20-\x7e]*$/;

/** Columns that a cleaned text takes. */
export function textWidth(text: string): number {
  return plainAscii.test(text) ? text.length : stringWidth(text);
}

/** The text in at most `width` columns, the cut marked. */
export function clip(text: string, width: number, ellipsis: string, cut: Cut = 'end'): string {
  if (width <= 0) return '';
  if (textWidth(text) <= width) return text;
  const mark = textWidth(ellipsis) < width ? ellipsis : '';
  if (plainAscii.test(text)) {
    const keep = width - mark.length;
    if (cut === 'end') return text.slice(0, keep) + mark;
    if (cut === 'start') return mark + text.slice(text.length - keep);
    const head = Math.ceil(keep / 2);
    return text.slice(0, head) + mark + text.slice(text.length - (keep - head));
  }
  return cliTruncate(text, width, { position: cut, truncationCharacter: mark });
}

/** The text in exactly `width` columns. */
export function padded(text: string, width: number, ellipsis: string, align: 'left' | 'right' = 'left', cut: Cut = 'end'): string {
  const fitting = clip(text, width, ellipsis, cut);
  const space = ' '.repeat(Math.max(0, width - textWidth(fitting)));
  return align === 'left' ? fitting + space : space + fitting;
}
