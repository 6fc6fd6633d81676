import type { JournalChange, JournalListener } from './journal.ts';

/** Tells the listeners of a journal what is new in it, in its order. */
export class ChangeFeed {
  readonly #listeners = new Set<JournalListener>();
  #untold: JournalChange[] = [];
  #isTelling = false;

  subscribe(listener: JournalListener): () => void {
    this.#listeners.add(listener);
    return () => this.#listeners.delete(listener);
  }

  /**
   * Tells what waits to be told, and these changes behind it. What a listener brings about by being told comes after that:
   * each of them hears of one change after the other.
   */
  tell(changes: readonly JournalChange[] = []): void {
    this.#untold = this.#untold.concat(changes);
    if (this.#isTelling) return;
    this.#isTelling = true;
    try {
      while (this.#untold.length > 0) {
        const told = this.#untold;
        this.#untold = [];
        for (const listener of this.#listeners) listener(told);
      }
    } finally {
      this.#isTelling = false;
    }
  }

  /** Tells them in this turn of the event loop still, but after what follows at once from it. */
  tellSoon(changes: readonly JournalChange[]): void {
    if (this.#untold.length === 0) process.nextTick(() => this.tell());
    this.#untold = this.#untold.concat(changes);
  }
}
