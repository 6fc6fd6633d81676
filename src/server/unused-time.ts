import type { FastifyInstance } from 'fastify';

/** Measures how long the server has been without a client. */
export class UnusedTime {
  readonly #connections: () => number;
  #requests = 0;
  /** By the monotonic clock. */
  #usedAtMs = performance.now();

  /** @param connections how many clients are connected now */
  constructor(connections: () => number) {
    this.#connections = connections;
  }

  /** Counts every HTTP request as a use, from its beginning to the end of its answer. */
  count(app: FastifyInstance): void {
    app.addHook('onRequest', (_request, reply, done) => {
      this.#requests++;
      reply.raw.once('close', () => {
        this.#requests--;
        this.#usedAtMs = performance.now();
      });
      done();
    });
  }

  /** Milliseconds since a call found a connection, or a request ended. */
  elapsedMs(): number {
    if (this.#connections() + this.#requests > 0) this.#usedAtMs = performance.now();
    return performance.now() - this.#usedAtMs;
  }
}
