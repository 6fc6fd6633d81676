const windowSeconds = 10;
const samples = 1_024;

/** Figures of the last seconds, for people that look now: for `/api/stats` and `/health`. */
export class RecentRates {
  /** By the monotonic clock. */
  readonly #startedAt = performance.now();
  readonly #perSecond = new Float64Array(windowSeconds);
  readonly #recentMs = new Float64Array(samples);
  #second = 0;
  #measured = 0;
  #eventsTotal = 0;

  get uptimeSeconds(): number {
    return Math.round((performance.now() - this.#startedAt) / 100) / 10;
  }

  get eventsTotal(): number {
    return this.#eventsTotal;
  }

  /** Mean over the last ten seconds, or since the start. */
  get eventsPerSecond(): number {
    this.#turn();
    const sum = this.#perSecond.reduce((total, each) => total + each, 0);
    return Math.round((sum / Math.min(windowSeconds, Math.max(1, this.uptimeSeconds))) * 10) / 10;
  }

  /** Milliseconds from an event received to its fan-out, over the last 1,024 publishes; null before the first. */
  latency(): { p50_ms: number | null; p99_ms: number | null } {
    const sorted = this.#recentMs.slice(0, Math.min(this.#measured, samples)).sort();
    const at = (share: number) =>
      sorted.length === 0 ? null : Math.round((sorted[Math.floor((sorted.length - 1) * share)] ?? 0) * 1_000) / 1_000;
    return { p50_ms: at(0.5), p99_ms: at(0.99) };
  }

  noteEvents(events: number): void {
    this.#eventsTotal += events;
    this.#turn();
    const at = this.#second % windowSeconds;
    this.#perSecond[at] = (this.#perSecond[at] ?? 0) + events;
  }

  noteLatency(elapsedMs: number): void {
    this.#recentMs[this.#measured++ % samples] = elapsedMs;
  }

  /** Sets the seconds that have passed since the last call to zero. */
  #turn(): void {
    const second = Math.floor(performance.now() / 1_000);
    for (let each = Math.max(this.#second + 1, second - windowSeconds + 1); each <= second; each++)
      this.#perSecond[each % windowSeconds] = 0;
    this.#second = second;
  }
}
