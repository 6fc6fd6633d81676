/** A number with separators: 81,204. */
export function count(value: number): string {
  return Math.round(value)
    .toString()
    .replace(/\B(?=(?:\d{3})+$)/g, ',');
}

/** `1 decision`, `2 decisions`. */
export function counted(value: number, noun: string): string {
  return `${count(value)} ${noun}${value === 1 ? '' : 's'}`;
}

/** A running clock: 00:14:32. */
export function clock(ms: number): string {
  const seconds = wholeSeconds(ms);
  return `${two(Math.floor(seconds / 3_600))}:${two(Math.floor(seconds / 60) % 60)}:${two(seconds % 60)}`;
}

/** A length of time, short: 48s, 3m10s, 2h05m, 4d02h. */
export function duration(ms: number): string {
  const seconds = wholeSeconds(ms);
  if (seconds < 60) return `${seconds}s`;
  if (seconds < 3_600) return `${Math.floor(seconds / 60)}m${two(seconds % 60)}s`;
  if (seconds < 86_400) return `${Math.floor(seconds / 3_600)}h${two(Math.floor(seconds / 60) % 60)}m`;
  if (seconds >= 8_640_000) return `${Math.floor(seconds / 86_400)}d`;
  return `${Math.floor(seconds / 86_400)}d${two(Math.floor(seconds / 3_600) % 24)}h`;
}

/** The length of something finished, where less than a second tells apart as well: 420ms. */
export function finishedDuration(ms: number | null): string {
  if (ms === null) return '';
  return ms < 1_000 ? `${Math.round(ms)}ms` : duration(ms);
}

/** The time since a timestamp of a session, empty where there is none. */
export function durationSince(timestamp: string | null, nowMs: number): string {
  const at = timestamp === null ? Number.NaN : Date.parse(timestamp);
  return Number.isNaN(at) ? '' : duration(nowMs - at);
}

/** The time of the day here: 12:04:31.420. */
export function timeOfDay(ms: number): string {
  const at = new Date(ms);
  if (Number.isNaN(at.getTime())) return '--:--:--.---';
  return `${two(at.getHours())}:${two(at.getMinutes())}:${two(at.getSeconds())}.${at.getMilliseconds().toString().padStart(3, '0')}`;
}

/** Events per second, with one digit below ten: 142, 3.4. */
export function rate(perSecond: number): string {
  return perSecond >= 10 || perSecond === 0 ? count(perSecond) : perSecond.toFixed(1);
}

function wholeSeconds(ms: number): number {
  // Clocks of two machines differ: what has just happened there may lie ahead of now here.
  return Number.isFinite(ms) ? Math.max(0, Math.floor(ms / 1_000)) : 0;
}

function two(value: number): string {
  return value.toString().padStart(2, '0');
}
