import type { RateLimiterRes } from 'rate-limiter-flexible';
import RateLimiterMemory from 'rate-limiter-flexible/lib/RateLimiterMemory.js';
import { ShannonDashError, type LimitName } from '../../../core/protocol/errors.ts';

/** How often something may happen in a period, counted by a key. What is counted is forgotten when the period is over. */
export class Rate {
  readonly #limiter: RateLimiterMemory;
  readonly #refusal: string;
  readonly #limit: LimitName;

  /** @param refusal what was too much: the beginning of the sentence that the caller is told */
  constructor({ most, periodMs, refusal, limit }: { most: number; periodMs: number; refusal: string; limit: LimitName }) {
    this.#limiter = new RateLimiterMemory({ points: most, duration: periodMs / 1_000 });
    this.#refusal = refusal;
    this.#limit = limit;
  }

  /** @throws ShannonDashError LIMIT_REACHED there were too many in this period */
  async take(key: string, count = 1): Promise<void> {
    try {
      await this.#limiter.consume(key, count);
    } catch (reached) {
      throw tooMuch(this.#refusal, (reached as RateLimiterRes).msBeforeNext, this.#limit);
    }
  }
}

/** The answer to what was sent too often. */
export function tooMuch(what: string, retryAfterMs: number, limit: LimitName): ShannonDashError {
  const afterMs = Math.max(1, Math.ceil(retryAfterMs));
  return new ShannonDashError('LIMIT_REACHED', `${what}; try again in ${Math.ceil(afterMs / 1_000)} s`, undefined, {
    retryAfterMs: afterMs,
    limit,
  });
}
