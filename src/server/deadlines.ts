/** setTimeout takes at most this many milliseconds; later deadlines are looked at again then. */
const longestTimerMs = 2 ** 31 - 1;

/**
 * Things to do at a time, one for each key. They keep no process alive. Times are told by the clock that only goes forward,
 * so that setting the machine's clock neither brings a deadline forward nor puts it off.
 */
export class Deadlines {
  readonly #timers = new Map<string, NodeJS.Timeout>();

  /** Cancels all of a session, whose keys are `<kind> <session id>\n<id>`. */
  cancelBelow(sessionId: string): void {
    for (const key of this.#timers.keys()) {
      if (key.slice(key.indexOf(' ') + 1).startsWith(`${sessionId}\n`)) this.cancel(key);
    }
  }

  /** Does `run` after so long. Replaces what the key had. */
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
