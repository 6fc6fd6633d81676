/** The functions that are called with each value told. */
export class Listeners<Value> {
  readonly #listeners = new Set<(value: Value) => void>();
  #held: Value[] | undefined;

  add(listener: (value: Value) => void): () => void {
    this.#listeners.add(listener);
    const held = this.#held ?? [];
    this.#held = undefined;
    for (const value of held) call(listener, value);
    return () => void this.#listeners.delete(listener);
  }

  tell(value: Value): void {
    this.#held?.push(value);
    for (const listener of Array.from(this.#listeners)) call(listener, value);
  }

  /**
   * From now on keeps what is told for the first listener, until the turn of the event loop in which `until` resolves is
   * over: the code that awaits it can still add a listener then and miss nothing.
   */
  holdUntil(until: Promise<void>): void {
    this.#held = [];
    const release = () => setTimeout(() => (this.#held = undefined), 0);
    until.then(release, release);
  }
}

/** What a listener throws surfaces as an uncaught error of its own, and harms neither the others nor the teller. */
function call<Value>(listener: (value: Value) => void, value: Value): void {
  try {
    listener(value);
  } catch (error) {
    queueMicrotask(() => {
      throw error;
    });
  }
}
