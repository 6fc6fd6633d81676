import type { JournalChange, JournalListener } from './journal.ts';

/** Tells the listeners of a journal what is new in it, in its order. */
export class ChangeFeed {
  readonly #listeners = new Set<JournalListener>();
  #untold: JournalChange[] = [];

  subscribe(listener: JournalListener): () => void {
    this.#listeners.add(listener);
    return () => this.#listeners.delete(listener);
  }

  /** Tells what waits to be told, and these changes behind it. */
  tell(changes: readonly JournalChange[] = []): void {
    const told = [...this.#untold, ...changes];
    this.#untold = [];
    if (told.length > 0) for (const listener of this.#listeners) listener(told);
  }

  /** Tells them in this turn of the event loop still, but after what follows at once from it. */
  tellSoon(changes: readonly JournalChange[]): void {
    if (this.#untold.length === 0) process.nextTick(() => this.tell());
    this.#untold.push(...changes);
  }
}
