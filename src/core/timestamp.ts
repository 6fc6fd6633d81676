let lastMs = 0;
let lastText = '';

/** The time now as the wire has it: ISO 8601, UTC, with milliseconds. Formatted once a millisecond, for it is asked for often. */
export function timestampNow(): string {
  const ms = Date.now();
  if (ms !== lastMs) {
    lastMs = ms;
    lastText = new Date(ms).toISOString();
  }
  return lastText;
}
