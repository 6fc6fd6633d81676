import { cutText } from './cut-text.ts';
import { ShannonDashError } from './errors.ts';
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

/** The same JSON with every such number as a text of its digits. */
export function withExactNumbers(text: string): string {
  if (!mayHoldInexactNumbers(text)) return text;
  let exact = '';
  let from = 0;
  for (const { source, start } of inexactNumbers(text)) {
    exact += `${text.slice(from, start)}"${source}"`;
    from = start + source.length;
  }
  return exact + text.slice(from);
}

/** A number of 16 digits or more, or with a large exponent, behind what a number stands behind. */
const suspicious = /[:[,\s]-?\d+(?:\d{15}|(?:\.\d+)?[eE](?:\+?\d\d|-\d{3}))/;

function mayHoldInexactNumbers(text: string): boolean {
  return suspicious.test(text);
}

const numberHere = /-?\d+(?:\.\d+)?(?:[eE][+-]?\d+)?/y;

/** Walks over JSON once, without recursion: it may be nested to any depth. What is no JSON is walked over too. */
function* inexactNumbers(text: string): Generator<InexactNumber, undefined> {
  /** At each level the index in a list, or where the name of the field stands in the text. */
  const levels: (number | { start: number; end: number })[] = [];
  for (let at = 0; at < text.length; at++) {
    const sign = text[at];
    if (sign === '"') {
      const end = endOfText(text, at);
      const level = levels.length - 1;
      if (typeof levels[level] === 'object' && isFieldName(text, end)) levels[level] = { start: at, end };
      at = end - 1;
    } else if (sign === '{') levels.push({ start: at, end: at });
    else if (sign === '[') levels.push(0);
    else if (sign === '}' || sign === ']') levels.pop();
    else if (sign === ',') {
      const level = levels.length - 1;
      const index = levels[level];
      if (typeof index === 'number') levels[level] = index + 1;
    } else if (sign === '-' || (sign !== undefined && sign >= '0' && sign <= '9')) {
      numberHere.lastIndex = at;
      const [source = sign] = numberHere.exec(text) ?? [];
      if (isChanged(source)) yield { source, start: at, path: () => levels.map((level) => nameOf(text, level)) };
      at += source.length - 1;
    }
  }
}

/** Behind the quote that ends the text which begins with the quote at this place. */
function endOfText(text: string, start: number): number {
  for (let at = start + 1; at < text.length; at++) {
    if (text[at] === '\\') at++;
    else if (text[at] === '"') return at + 1;
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
  if (source.length < 16 && !/e/i.test(source)) return false;
  const value = Number(source);
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
