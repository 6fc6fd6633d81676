import type { FastifyInstance } from 'fastify';

/** For how long nobody has used the server. */
export class UnusedTime {
  readonly #connections: () => number;
  #requests = 0;
  /** By the clock that only goes forward. */
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

  /** Milliseconds since the last connection or request, as far as one can tell who asks now and then. */
  elapsedMs(): number {
    if (this.#connections() + this.#requests > 0) this.#usedAtMs = performance.now();
    return performance.now() - this.#usedAtMs;
  }
}
