/** Bounds of the waiting between attempts, in milliseconds. */
const firstMs = 100;
const longestMs = 5_000;

/** How long to wait before attempt 1, 2, 3 ...: doubling, with jitter, so that many clients do not come back as one. */
export function backoffMs(attempt: number): number {
  const full = Math.min(longestMs, firstMs * 2 ** Math.min(attempt - 1, 16));
  return Math.round(full * (0.5 + Math.random() / 2));
}
