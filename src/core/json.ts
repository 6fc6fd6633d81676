import { ShannonDashError } from './errors.ts';
import { limits } from './limits.ts';

/**
 * The JSON of a value from outside. A value without one (a cycle) or nested so deep that writing it as JSON could end a
 * program's stack is refused here, at the door, so that nobody behind it has to expect that.
 * @throws ShannonDashError INVALID
 */
export function jsonText(value: unknown, at: string): string {
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
