/** Sentences kept until somebody listens. */
const mostKept = 100;

/** Tells whoever runs the server what it should know of the journal. */
export class ProblemFeed {
  readonly #listeners = new Set<(sentence: string) => void>();
  #kept: string[] = [];

  subscribe(listener: (sentence: string) => void): () => void {
    this.#listeners.add(listener);
    for (const sentence of this.#kept.splice(0)) listener(sentence);
    return () => this.#listeners.delete(listener);
  }

  readonly tell = (sentence: string): void => {
    if (this.#listeners.size === 0 && this.#kept.length < mostKept) this.#kept.push(sentence);
    for (const listener of this.#listeners) listener(sentence);
  };
}
