/** Tells one reader that something has happened since it looked last: many beats at a time are one. */
export class Pulse {
  #isBeaten = false;
  #isEnded = false;
  #failure: unknown;
  #wake: () => void = () => undefined;

  beat(): void {
    this.#isBeaten = true;
    this.#wake();
  }

  /** No beat comes any more. @param failure why, where that is a failure */
  end(failure?: unknown): void {
    this.#isEnded = true;
    this.#failure = failure;
    this.#wake();
  }

  /** Ends with `end`, or with the signal. @throws what `end` was given */
  async *beats(signal: AbortSignal): AsyncGenerator<void, undefined> {
    const wake = () => this.#wake();
    signal.addEventListener('abort', wake);
    try {
      while (!signal.aborted) {
        if (this.#isBeaten) {
          this.#isBeaten = false;
          yield;
        } else if (this.#isEnded) {
          if (this.#failure !== undefined) throw this.#failure;
          return;
        } else {
          await new Promise<void>((resolve) => (this.#wake = resolve));
        }
      }
    } finally {
      signal.removeEventListener('abort', wake);
    }
  }
}
