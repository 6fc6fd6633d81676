import { usageFailure } from '../failure.ts';
import { parseDurationMs } from '../../core/text/parse-duration.ts';

/** A time that `--since` gives, or how long ago it is, in milliseconds since 1970. @throws Failure it is neither */
export function pointInTime(given: string): number {
  const ms = parseDurationMs(given);
  const time = ms === undefined ? Date.parse(given) : Date.now() - ms;
  const isTime = Number.isFinite(time) && Math.abs(time) <= 8.64e15 && (ms !== undefined || /^\d{4}-/.test(given));
  if (isTime) return time;
  throw usageFailure(`--since ${given} must be a time, or how long ago`, 'such as: --since 24h, or: --since 2026-01-31T08:00:00Z');
}
