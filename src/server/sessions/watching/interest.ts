/**
 * Which sessions somebody at this server has to do with. Only those are followed while other servers write to them; the others are read
 * when somebody asks for them.
 */
export class Interest {
  readonly #reasons: ((sessionId: string) => boolean)[] = [];
  /** How many requests hold a session now. */
  readonly #held = new Map<string, number>();

  /** @param reason tells whether a session is to be followed */
  add(reason: (sessionId: string) => boolean): void {
    this.#reasons.push(reason);
  }

  /** Follows a session until what this gives is called. */
  hold(sessionId: string): () => void {
    this.#held.set(sessionId, (this.#held.get(sessionId) ?? 0) + 1);
    return () => {
      const left = (this.#held.get(sessionId) ?? 0) - 1;
      if (left > 0) this.#held.set(sessionId, left);
      else this.#held.delete(sessionId);
    };
  }

  has(sessionId: string): boolean {
    return this.#held.has(sessionId) || this.#reasons.some((reason) => reason(sessionId));
  }
}
