const windowSeconds = 5;

/** Events per second over the last five seconds, in buckets of one second. */
export class RateMeter {
  readonly #buckets = new Map<number, number>();
  #firstSecond: number | undefined;

  add(events: number, nowMs: number): void {
    const second = Math.floor(nowMs / 1_000);
    this.#firstSecond ??= second;
    this.#buckets.set(second, (this.#buckets.get(second) ?? 0) + events);
    for (const known of this.#buckets.keys()) if (known < second - windowSeconds) this.#buckets.delete(known);
  }

  /** The mean over the full seconds of the window: the running one would make the figure jump. */
  perSecond(nowMs: number): number {
    const second = Math.floor(nowMs / 1_000);
    if (this.#firstSecond === undefined) return 0;
    const seconds = Math.min(windowSeconds, second - this.#firstSecond);
    if (seconds === 0) return this.#buckets.get(second) ?? 0;
    let events = 0;
    for (let each = second - seconds; each < second; each++) events += this.#buckets.get(each) ?? 0;
    return events / seconds;
  }
}
