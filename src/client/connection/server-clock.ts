/**
 * The server's time, as its messages tell it. Between them it goes on by the monotonic clock: what this machine's own clock
 * says, or jumps to, plays no part.
 */
export class ServerClock {
  #told: { serverMs: number; atMs: number } | undefined;

  /** @param timestamp of a message that has just come */
  learn(timestamp: unknown): void {
    const serverMs = typeof timestamp === 'string' ? Date.parse(timestamp) : Number.NaN;
    if (!Number.isNaN(serverMs)) this.#told = { serverMs, atMs: performance.now() };
  }

  /** Milliseconds since 1970; by this machine's clock until the server has told its own. */
  get nowMs(): number {
    return this.#told === undefined ? Date.now() : this.#told.serverMs + (performance.now() - this.#told.atMs);
  }
}
