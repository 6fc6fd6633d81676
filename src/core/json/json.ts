import { ShannonDashError } from '../protocol/errors.ts';
import { fieldPath } from './field-path.ts';
import { limits } from '../protocol/limits.ts';
import { notWellFormed } from '../text/text.ts';

/**
 * The JSON of a value from outside. A value without one (a cycle), nested so deep that writing it as JSON could end a
 * program's stack, or with a text that is not well-formed Unicode is refused here, at the door, so that nobody behind it
 * has to expect that.
 * @param at what the value is called; `fieldsAt` is what the paths of its fields begin with
 * @throws ShannonDashError INVALID
 */
export function jsonText(value: unknown, at: string, fieldsAt = at): string {
  const json = anyJsonText(value, at);
  const path = mayHoldHalfCharacters(json) ? malformedPath(value) : undefined;
  if (path === undefined) return json;
  throw new ShannonDashError('INVALID', `${fieldPath(fieldsAt, path)}: ${notWellFormed}`);
}

/** The same with texts as they are, well-formed Unicode or not. */
export function anyJsonText(value: unknown, at: string): string {
  let json: string | undefined;
  try {
    json = JSON.stringify(value);
  } catch (cause) {
    throw new ShannonDashError('INVALID', `${at} cannot be written as JSON, or is nested too deep`, undefined, { cause });
  }
  // Every level takes two characters: most events are too short to be too deep.
  if (json.length > limits.nesting * 2 && nestingOf(json) > limits.nesting) {
    throw new ShannonDashError('INVALID', `${at} is nested more than ${limits.nesting} deep`);
  }
  return json;
}

/** JSON writes half of a surrogate pair as an escape, `\ud83d`. True also where a text holds a backslash before `ud`. */
export function mayHoldHalfCharacters(json: string): boolean {
  return json.includes('\\ud');
}

/** The path of the first text, or name of a field, that is not well-formed Unicode; undefined when all are. */
export function malformedPath(value: unknown): PropertyKey[] | undefined {
  if (typeof value === 'string') return value.isWellFormed() ? undefined : [];
  if (typeof value !== 'object' || value === null) return undefined;
  for (const [key, each] of Object.entries(value)) {
    const path = key.isWellFormed() ? malformedPath(each) : [];
    if (path !== undefined) return [Array.isArray(value) ? Number(key) : key.toWellFormed(), ...path];
  }
  return undefined;
}

/** The path of the first number that JSON cannot say (Infinity, NaN); undefined when there is none. */
export function nonFinitePath(value: unknown): PropertyKey[] | undefined {
  if (typeof value === 'number') return Number.isFinite(value) ? undefined : [];
  if (typeof value !== 'object' || value === null || 'toJSON' in value) return undefined;
  for (const [key, each] of Object.entries(value)) {
    const path = nonFinitePath(each);
    if (path !== undefined) return [Array.isArray(value) ? Number(key) : key, ...path];
  }
  return undefined;
}

/** The same value with U+FFFD for each half of a surrogate pair, in texts and in names of fields. */
export function wellFormed(value: unknown): unknown {
  if (typeof value === 'string') return value.toWellFormed();
  if (typeof value !== 'object' || value === null) return value;
  if (Array.isArray(value)) return value.map(wellFormed);
  return Object.fromEntries(Object.entries(value).map(([key, each]) => [key.toWellFormed(), wellFormed(each)]));
}

/** Bytes of a text in UTF-8. */
export function utf8Bytes(text: string): number {
  let bytes = text.length;
  for (let at = 0; at < text.length; at++) {
    const unit = text.charCodeAt(at);
    if (unit < 0x80) continue;
    // A pair of surrogates is four bytes: two for each of its halves.
    bytes += unit < 0x800 || (unit >= 0xd800 && unit <= 0xdfff) ? 1 : 2;
  }
  return bytes;
}

function nestingOf(json: string): number {
  let depth = 0;
  let deepest = 0;
  let isText = false;
  for (let at = 0; at < json.length; at++) {
    const sign = json[at];
    if (sign === '"') isText = !isText;
    else if (isText && sign === '\\') at++;
    else if (isText) continue;
    else if (sign === '[' || sign === '{') deepest = Math.max(deepest, ++depth);
    else if (sign === ']' || sign === '}') depth--;
  }
  return deepest;
}
