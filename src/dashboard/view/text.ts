import cliTruncate from 'cli-truncate';
import stringWidth from 'string-width';
import { safeLine } from '../../core/text/safe-text.ts';

const plainAscii = /^[\x20-\x7e]*$/;
/** What terminals disagree on the width of: joined pictographs, presentation selectors, skin tones, keycaps. */
const widthDisputed = /\u200d\p{Extended_Pictographic}?|[\ufe00-\ufe0f\u20e3]|[\u{1f3fb}-\u{1f3ff}]/gu;
const regionalIndicator = /[\u{1f1e6}-\u{1f1ff}]/gu;
const firstIndicator = 0x1f1e6;

/**
 * A text from outside, ready for a cell of the screen. Cleaned in `core`, once; then brought to characters whose width
 * every terminal counts alike (a family becomes its first member, a flag its letters), since one that is counted
 * differently moves all columns after it.
 */
export function shown(text: string, maxChars = 500): string {
  const clean = safeLine(text, maxChars);
  if (plainAscii.test(clean)) return clean;
  return clean
    .replace(widthDisputed, '')
    .replace(regionalIndicator, (letter) => String.fromCodePoint((letter.codePointAt(0) ?? firstIndicator) - firstIndicator + 65));
}

/** Columns that a cleaned text takes. */
export function textWidth(text: string): number {
  return plainAscii.test(text) ? text.length : stringWidth(text);
}

/** Where a text that is too long is cut: paths tell most at their end. */
export type Cut = 'end' | 'middle' | 'start';

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
