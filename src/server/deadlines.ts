/** The longest time that setTimeout takes. A later deadline is set again at the end of it. */
const longestTimerMs = 2 ** 31 - 1;

/**
 * Work that is due at a time, one piece for each key. It does not keep the process alive. Times are measured by the monotonic
 * clock: a change of the machine's clock does not move a deadline.
 */
export class Deadlines {
  readonly #timers = new Map<string, NodeJS.Timeout>();

  get size(): number {
    return this.#timers.size;
  }

  /** Cancels the work of one session. Its keys are `<kind> <session id>\n<id>`. */
  cancelBelow(sessionId: string): void {
    for (const key of this.#timers.keys()) {
      if (key.slice(key.indexOf(' ') + 1).startsWith(`${sessionId}\n`)) this.cancel(key);
    }
  }

  /** Calls `run` after `waitMs`. It replaces the work that the key had. */
  set(key: string, waitMs: number, run: () => void): void {
    this.cancel(key);
    const dueAt = performance.now() + waitMs;
    const timer = setTimeout(
      () => {
        this.#timers.delete(key);
        if (waitMs > longestTimerMs) this.set(key, dueAt - performance.now(), run);
        else run();
      },
      Math.min(Math.max(0, waitMs), longestTimerMs),
    );
    timer.unref();
    this.#timers.set(key, timer);
  }

  has(key: string): boolean {
    return this.#timers.has(key);
  }

  cancel(key: string): void {
    clearTimeout(this.#timers.get(key));
    this.#timers.delete(key);
  }

  close(): void {
    for (const timer of this.#timers.values()) clearTimeout(timer);
    this.#timers.clear();
  }
}
