/** setTimeout takes at most this many milliseconds; later deadlines are looked at again then. */
const longestTimerMs = 2 ** 31 - 1;

/** Things to do at a time, one for each key. They keep no process alive. */
export class Deadlines {
  readonly #timers = new Map<string, NodeJS.Timeout>();

  /** Cancels all of a session, whose keys are `<kind> <session id>\n<id>`. */
  cancelBelow(sessionId: string): void {
    for (const key of this.#timers.keys()) {
      if (key.slice(key.indexOf(' ') + 1).startsWith(`${sessionId}\n`)) this.cancel(key);
    }
  }

  /** Does `run` at `at` (ms since the epoch), at once if that has passed. Replaces what the key had. */
  set(key: string, at: number, run: () => void): void {
    this.cancel(key);
    const waitMs = Math.max(0, at - Date.now());
    const timer = setTimeout(
      () => {
        this.#timers.delete(key);
        if (waitMs > longestTimerMs) this.set(key, at, run);
        else run();
      },
      Math.min(waitMs, longestTimerMs),
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
