import { duration } from '../../view/text/numbers.ts';

/** A length of time: `0.4 ms`, `14 ms`, `5s`, `3m10s`, `2h05m`. */
export function shownDuration(ms: number): string {
  if (ms < 10) return `${Math.round(ms * 10) / 10} ms`;
  return ms < 1_000 ? `${Math.round(ms)} ms` : duration(ms);
}
