import { cutText } from '../text/cut-text.ts';
import { ShannonDashError } from '../protocol/errors.ts';
import { fieldPath } from './field-path.ts';

/** A number in JSON that JavaScript would change: a whole number of too many digits, or one beyond all numbers. */
export interface InexactNumber {
  source: string;
  /** Where it begins in the text. */
  start: number;
  /** To be asked for before the walk goes on. */
  path: () => PropertyKey[];
}

/**
 * The value of a JSON text, every number as it was written.
 * @param at what the paths of its fields begin with
 * @throws SyntaxError it is no JSON; ShannonDashError INVALID the first number that would be changed
 */
export function parseJson(text: string, at = ''): unknown {
  const value: unknown = JSON.parse(text);
  const inexact = firstInexactNumber(text);
  if (inexact !== undefined) throw inexactNumber(inexact, at);
  return value;
}

/** How such a number is refused. */
export function inexactNumber({ source, path }: InexactNumber, at = ''): ShannonDashError {
  const field = fieldPath(at, path());
  const number = `${cutText(source, 40)} cannot be kept as a number without changing it; send it as a text`;
  return new ShannonDashError('INVALID', field === '' ? number : `${field}: ${number}`);
}

/** The first such number; undefined when there is none, as in almost every text. */
export function firstInexactNumber(text: string): InexactNumber | undefined {
  return mayHoldInexactNumbers(text) ? inexactNumbers(text).next().value : undefined;
}

/** How many such numbers are made texts in one JSON: more would take a server's time from all others. */
const mostQuoted = 1_000;

/** The same JSON with every such number as a text of its digits; undefined where there are too many. */
export function withExactNumbers(text: string): string | undefined {
  if (!mayHoldInexactNumbers(text)) return text;
  let exact = '';
  let from = 0;
  let quoted = 0;
  for (const { source, start } of inexactNumbers(text)) {
    if (++quoted > mostQuoted) return undefined;
    exact += `${text.slice(from, start)}"${source}"`;
    from = start + source.length;
  }
  return exact + text.slice(from);
}

/** A number of 16 digits or more, or with a large exponent, behind what a number stands behind. Without going back over digits. */
const suspicious = /[:[,\s]-?\d{16}|\d[eE](?:\+?\d\d|-\d{3})(?<=[:[,\s]-?[\d.]+[eE][+-]?\d+)/;

function mayHoldInexactNumbers(text: string): boolean {
  return suspicious.test(text);
}

const [quote, comma, openList, openObject, closeList, closeObject] = [0x22, 0x2c, 0x5b, 0x7b, 0x5d, 0x7d];

/** Walks over JSON once, without recursion: it may be nested to any depth. What is no JSON is walked over too. */
function* inexactNumbers(text: string): Generator<InexactNumber, undefined> {
  /** At each level the index in a list, or where the name of the field stands in the text. */
  const levels: (number | { start: number; end: number })[] = [];
  for (let at = 0; at < text.length; at++) {
    const sign = text.charCodeAt(at);
    const top = levels.length - 1;
    if (sign === quote) {
      const end = endOfText(text, at);
      if (typeof levels[top] === 'object' && isFieldName(text, end)) levels[top] = { start: at, end };
      at = end - 1;
    } else if (sign === openObject) levels.push({ start: at, end: at });
    else if (sign === openList) levels.push(0);
    else if (sign === closeObject || sign === closeList) levels.pop();
    else if (sign === comma) {
      const index = levels[top];
      if (typeof index === 'number') levels[top] = index + 1;
    } else if (isOfNumber(sign)) {
      const start = at;
      let hasExponent = false;
      for (; isOfNumber(text.charCodeAt(at + 1)); at++) hasExponent ||= (text.charCodeAt(at + 1) | 0x20) === 0x65;
      // Shorter ones, as almost all are, lose nothing.
      if (!hasExponent && at - start < 15) continue;
      const source = text.slice(start, at + 1);
      if (isChanged(source)) yield { source, start, path: () => levels.map((level) => nameOf(text, level)) };
    }
  }
}

/** Digits, `.`, `-`, `+`, `e` and `E`. Outside of texts `e` stands in `true` and `false` too, which are no numbers. */
function isOfNumber(sign: number): boolean {
  return (sign >= 0x30 && sign <= 0x39) || sign === 0x2e || sign === 0x2d || sign === 0x2b || sign === 0x65 || sign === 0x45;
}

/** Behind the quote that ends the text which begins with the quote at this place. */
function endOfText(text: string, start: number): number {
  for (let end = text.indexOf('"', start + 1); end !== -1; end = text.indexOf('"', end + 1)) {
    let backslashes = 0;
    while (text.charCodeAt(end - 1 - backslashes) === 0x5c) backslashes++;
    if (backslashes % 2 === 0) return end + 1;
  }
  return text.length;
}

function isFieldName(text: string, end: number): boolean {
  let at = end;
  while (text[at] === ' ' || text[at] === '\n' || text[at] === '\r' || text[at] === '\t') at++;
  return text[at] === ':';
}

function nameOf(text: string, level: number | { start: number; end: number }): PropertyKey {
  if (typeof level === 'number') return level;
  try {
    return String(JSON.parse(text.slice(level.start, level.end)));
  } catch {
    return '?';
  }
}

/** Fractions are rounded, as everywhere; a whole number is another one when a digit is lost. */
function isChanged(source: string): boolean {
  const value = Number(source);
  if (Number.isNaN(value)) return false;
  const given = normal(source);
  if (!Number.isFinite(value)) return true;
  if (value === 0) return given.digits !== '';
  if (given.exponent < 0) return false;
  const kept = normal(String(value));
  return kept.digits !== given.digits || kept.exponent !== given.exponent;
}

/** A number as its digits without zeros around them, times a power of ten. */
function normal(source: string): { digits: string; exponent: number } {
  const [, whole = '', part = '', power = '0'] = /^-?(\d+)(?:\.(\d+))?(?:[eE]([+-]?\d+))?$/.exec(source) ?? [];
  const digits = (whole + part).replace(/0+$/, '');
  return { digits: digits.replace(/^0+/, ''), exponent: Number(power) - part.length + (whole.length + part.length - digits.length) };
}
