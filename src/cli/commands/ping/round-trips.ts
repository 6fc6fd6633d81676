/** The document that `ping --json` prints. */
export interface RoundTrips {
  sent: number;
  received: number;
  loss_percent: number;
  min_ms: number | null;
  avg_ms: number | null;
  p50_ms: number | null;
  p99_ms: number | null;
  max_ms: number | null;
}

/** Sums up the round trips that were measured; null where there was none. */
export function summaryOf(sent: number, times: readonly number[]): RoundTrips {
  const sorted = times.toSorted((one, other) => one - other);
  const rounded = (ms: number | undefined) => (ms === undefined ? null : Math.round(ms * 1_000) / 1_000);
  // Nearest rank: a time that was really measured.
  const at = (share: number) => rounded(sorted[Math.max(0, Math.ceil(sorted.length * share) - 1)]);
  return {
    sent,
    received: sorted.length,
    loss_percent: sent === 0 ? 0 : Math.round(((sent - sorted.length) / sent) * 1_000) / 10,
    min_ms: rounded(sorted[0]),
    avg_ms: sorted.length === 0 ? null : rounded(sorted.reduce((sum, ms) => sum + ms, 0) / sorted.length),
    p50_ms: at(0.5),
    p99_ms: at(0.99),
    max_ms: rounded(sorted.at(-1)),
  };
}
