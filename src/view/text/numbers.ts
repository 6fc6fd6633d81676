/** A number with separators: 81,204. */
export function count(value: number): string {
  return Math.round(value)
    .toString()
    .replace(/\B(?=(?:\d{3})+$)/g, ',');
}

/** A number in four characters or little more: 812, 48.2k, 271k, 1.3M. */
export function shortCount(value: number): string {
  if (value < 1_000) return count(value);
  const [part, unit] = value < 999_500 ? [value / 1_000, 'k'] : [value / 1_000_000, 'M'];
  return `${part < 99.95 ? part.toFixed(1) : count(part)}${unit}`;
}

/** What takes room: 81 bytes, 4.2 MB. */
export function bytes(size: number): string {
  if (size < 1_000) return `${size} bytes`;
  const [value, unit] =
    size < 1_000_000 ? [size / 1_000, 'kB'] : size < 1_000_000_000 ? [size / 1_000_000, 'MB'] : [size / 1_000_000_000, 'GB'];
  return `${value.toFixed(1)} ${unit}`;
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

/** A length of time that lies ahead, to the nearest of what is shown: 365d, 4d02h, 48s. */
export function timeLeft(ms: number): string {
  const shown = [8_640_000_000, 86_400_000, 3_600_000].findIndex((each) => ms >= each);
  const unitMs = [86_400_000, 3_600_000, 60_000][shown] ?? 1_000;
  return duration(Math.round(ms / unitMs) * unitMs);
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

/** Numbers as bars beside each other, the highest as high as there is; empty where all are 0. @param bars the lowest first */
export function sparkline(values: readonly number[], bars: string): string {
  const highest = Math.max(0, ...values);
  if (highest === 0) return '';
  const levels = Array.from(bars);
  // Whatever is more than nothing stands out from it.
  const levelOf = (value: number) => (value <= 0 ? 0 : Math.max(1, Math.round((value / highest) * (levels.length - 1))));
  return values.map((value) => levels[levelOf(value)] ?? '').join('');
}

function wholeSeconds(ms: number): number {
  // Clocks of two machines differ: what has just happened there may lie ahead of now here.
  return Number.isFinite(ms) ? Math.max(0, Math.floor(ms / 1_000)) : 0;
}

function two(value: number): string {
  return value.toString().padStart(2, '0');
}
