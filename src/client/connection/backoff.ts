import { ShannonDashError } from '../../core/protocol/errors.ts';

/** Bounds of the waiting between attempts, in milliseconds. */
const firstMs = 100;
const longestMs = 5_000;

/** How long to wait before attempt 1, 2, 3 ...: doubling, with jitter, so that many clients do not come back as one. */
export function backoffMs(attempt: number): number {
  const full = Math.min(longestMs, firstMs * 2 ** Math.min(attempt - 1, 16));
  return Math.round(full * (0.5 + Math.random() / 2));
}

/** How long to wait before attempt 1, 2, 3 ... after this error: as long as the server asks, where it does. */
export function waitMsAfter(error: unknown, attempt: number): number {
  const askedMs = error instanceof ShannonDashError ? error.retryAfterMs : undefined;
  return askedMs === undefined ? backoffMs(attempt) : askedMs + backoffMs(1);
}

/** Waits so long, or until the signal; leaves no timer behind. */
export function pauseFor(ms: number, signal?: AbortSignal): Promise<void> {
  return new Promise((resolve) => {
    if (signal?.aborted === true) return resolve();
    const end = () => {
      clearTimeout(timer);
      signal?.removeEventListener('abort', end);
      resolve();
    };
    const timer = setTimeout(end, ms);
    signal?.addEventListener('abort', end, { once: true });
  });
}
