/** Work that nobody waits for while the server runs. A part that closes waits for its own, before what it needs is closed. */
export class UnderWay {
  readonly #work = new Set<Promise<unknown>>();

  /** Notes work until it ends, and gives it back. */
  add<Result>(work: Promise<Result>): Promise<Result> {
    this.#work.add(work);
    const end = () => this.#work.delete(work);
    work.then(end, end);
    return work;
  }

  /** Resolves once nothing is under way, however it ended. */
  async settled(): Promise<void> {
    while (this.#work.size > 0) await Promise.allSettled(this.#work);
  }
}
