/** Seconds over which the rate is told. */
const windowSeconds = 5;
/** Seconds that are kept: a power of two. */
const keptSeconds = 64;

/** Events per second: over the last five seconds, and for each of the last minute. */
export class RateMeter {
  /** The second of each count: one of another round counts no more. */
  readonly #seconds = new Float64Array(keptSeconds);
  readonly #counts = new Float64Array(keptSeconds);
  #firstSecond: number | undefined;

  add(events: number, nowMs: number): void {
    const second = Math.floor(nowMs / 1_000);
    this.#firstSecond ??= second;
    const at = second % keptSeconds;
    if (this.#seconds[at] !== second) this.#counts[at] = 0;
    this.#seconds[at] = second;
    this.#counts[at] = (this.#counts[at] ?? 0) + events;
  }

  /** The mean over the full seconds of the window: the running one would make the figure jump. */
  perSecond(nowMs: number): number {
    const second = Math.floor(nowMs / 1_000);
    if (this.#firstSecond === undefined) return 0;
    const seconds = Math.min(windowSeconds, second - this.#firstSecond);
    if (seconds === 0) return this.#in(second);
    return this.lastSeconds(nowMs, seconds).reduce((sum, events) => sum + events, 0) / Math.max(1, seconds);
  }

  /** The events of each of the last full seconds, at most a minute of them, the latest last. */
  lastSeconds(nowMs: number, seconds: number): number[] {
    const now = Math.floor(nowMs / 1_000);
    const length = Math.max(0, Math.min(seconds, keptSeconds - 1));
    return Array.from({ length }, (_, index) => this.#in(now - length + index));
  }

  #in(second: number): number {
    const at = ((second % keptSeconds) + keptSeconds) % keptSeconds;
    return this.#seconds[at] === second ? (this.#counts[at] ?? 0) : 0;
  }
}
