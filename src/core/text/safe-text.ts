import { cutText } from './cut-text.ts';

/**
 * Terminal control sequences, 7-bit and 8-bit: CSI (ECMA-48 5.4), the strings OSC, DCS, SOS, PM and APC up to BEL, ST or
 * the end of the text (ECMA-48 5.6), and two-character escapes.
 */
const controlSequence =
  // oxlint-disable-next-line no-control-regex
  /(?:\x1b\[|\x9b)[0-?]*[ -/]*[@-~]?|(?:\x1b[\]PX^_]|[\x90\x98\x9d-\x9f])[^\x07\x1b\x9c]*(?:\x07|\x1b\\|\x9c)?|\x1b[ -/]*[0-~]?/g;

/** Line and paragraph separators, tabs: each becomes one space. */
const lineBreak = /\r\n|[\t\n\v\f\r\u0085\u2028\u2029]/g;

/**
 * What remains invisible or reorders: C0 and C1 controls, bidirectional controls (Unicode UAX 9), zero-width and filler
 * characters, shorthand and musical format controls, tag characters, unassigned-in-practice specials, lone surrogates.
 */
const unseen =
  // oxlint-disable-next-line no-control-regex, no-misleading-character-class
  /[\x00-\x1f\x7f-\x9f\u00ad\u034f\u061c\u115f\u1160\u17b4\u17b5\u180b-\u180f\u200b\u200c\u200e\u200f\u202a-\u202e\u2060-\u206f\u3164\ufeff\uffa0\ufff0-\ufffb]|[\u{1bca0}-\u{1bca3}\u{1d173}-\u{1d17a}\u{e0000}-\u{e0fff}]|\p{Surrogate}/gu;

/** A joiner that joins no pictographs only hides; one within an emoji is part of it. */
// oxlint-disable-next-line no-misleading-character-class
const idleJoiner = /(?<![\p{Extended_Pictographic}\u{1f3fb}-\u{1f3ff}\ufe0f])\u200d|\u200d(?!\p{Extended_Pictographic})/gu;

/** More marks on one character than any script uses would climb over the lines around. */
const stackedMarks = /(\p{M}{4})\p{M}+/gu;

/**
 * A text from outside as one line that a terminal can show: nothing in it moves the cursor, sets the title, writes the
 * clipboard, makes a link, hides or reorders text. At most `maxChars` UTF-16 units, the cut marked by an ellipsis.
 */
export function safeLine(text: string, maxChars = 2_000): string {
  // Cut first, generously: a huge text must not cost time in the patterns.
  const near = cutText(text, maxChars * 4);
  const clean = near
    .replace(controlSequence, '')
    .replace(lineBreak, ' ')
    .replace(unseen, '')
    .replace(idleJoiner, '')
    .replace(stackedMarks, '$1');
  if (clean.length <= maxChars && near.length === text.length) return clean;
  return `${cutText(clean, Math.max(0, maxChars - 1)).replace(/\u200d$/u, '')}…`;
}

// oxlint-disable-next-line no-control-regex
const colours = /(\x1b\[[\d;:]*m)/;

/** The same with its colours (SGR sequences), which end with the line. For lines that are shown on a terminal by themselves. */
export function coloredLine(text: string, maxChars = 2_000): string {
  if (!colours.test(text)) return safeLine(text, maxChars);
  let left = maxChars;
  const parts = cutText(text, maxChars * 4)
    .split(colours)
    .map((part, at) => {
      if (at % 2 === 1) return conceals(part) ? '' : part;
      const clean = left > 0 ? safeLine(part, left) : '';
      left -= clean.length;
      return clean;
    });
  return `${parts.join('')}\x1b[0m`;
}

/** Whether an SGR sequence has the parameter 8, which hides what follows, and not as a part of a colour (38, 48, 58). */
function conceals(sequence: string): boolean {
  const parameters = sequence.slice(2, -1).split(';');
  for (let at = 0; at < parameters.length; at++) {
    const parameter = Number(parameters[at]);
    if (parameter === 8) return true;
    if (parameter === 38 || parameter === 48 || parameter === 58) at += Number(parameters[at + 1]) === 2 ? 4 : 2;
  }
  return false;
}

/** The same for a text of several lines: its lines, at most `maxLines` of them. */
export function safeLines(text: string, maxLines = 1_000, maxChars = 2_000): string[] {
  return text.split(/\r\n|[\n\v\f\u0085\u2028\u2029]/, maxLines).map((line) => safeLine(line, maxChars));
}

const plainAscii = /^[\x20-\x7e]*$/;

/**
 * JSON in which everything that a terminal would act on, hide or reorder by is written as `\u` escapes: the same value,
 * safe to look at. For JSON of one line.
 */
export function safeJson(json: string): string {
  if (plainAscii.test(json)) return json;
  return json.replace(unseen, escaped).replace(lineSeparator, escaped).replace(idleJoiner, escaped);
}

const lineSeparator = /[\u2028\u2029]/g;

function escaped(character: string): string {
  return Array.from({ length: character.length }, (_, at) => `\\u${character.charCodeAt(at).toString(16).padStart(4, '0')}`).join('');
}
