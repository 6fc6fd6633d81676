import { ShannonDashError } from '../../core/protocol/errors.ts';
import { limits } from '../../core/protocol/limits.ts';

/** Levels around an event in a request: the packet, its payload, the list of events. */
const outerLevels = 4;

/**
 * Whether parsing a text as JSON could hold up the event loop. JSON.parse cannot be interrupted, and takes seconds for 4 MiB of
 * brackets or field names. This counts objects, lists and fields; texts and numbers are cheap, and are not counted.
 */
export function isDearJson(text: string): boolean {
  // Too short to hold so many.
  if (text.length <= limits.requestParts) return false;
  let parts = 0;
  let depth = 0;
  let at = 0;
  while (at < text.length) {
    const sign = text.charCodeAt(at);
    if (sign === 0x22) at = endOfText(text, at);
    else if (sign === 0x5b || sign === 0x7b) {
      parts++;
      if (++depth > limits.nesting + outerLevels) return true;
    } else if (sign === 0x5d || sign === 0x7d) depth--;
    else if (sign === 0x3a) parts++;
    if (parts > limits.requestParts) return true;
    at++;
  }
  return false;
}

/** How such a request is refused. */
export function dearJson(what: string): ShannonDashError {
  return new ShannonDashError(
    'INVALID',
    `${what} has more than ${limits.requestParts} objects, lists and fields, or is nested more than ${limits.nesting} deep; send less at a time`,
  );
}

/** Where the text that begins with the quote at this place ends. */
function endOfText(text: string, start: number): number {
  for (let at = start + 1; ;) {
    const quote = text.indexOf('"', at);
    if (quote === -1) return text.length;
    let backslashes = 0;
    while (text.charCodeAt(quote - 1 - backslashes) === 0x5c) backslashes++;
    if (backslashes % 2 === 0) return quote;
    at = quote + 1;
  }
}
