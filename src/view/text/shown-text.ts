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
