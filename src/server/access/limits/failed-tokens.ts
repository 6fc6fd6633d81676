import { randomInt } from 'node:crypto';
import { crc32 } from 'node:zlib';
import RateLimiterMemory from 'rate-limiter-flexible/lib/RateLimiterMemory.js';
import { ShannonDashError } from '../../../core/protocol/errors.ts';
import { accessLimits, limits } from '../../../core/protocol/limits.ts';
import type { ShownToken } from '../tokens/token-text.ts';
import { tooMuch } from './rate.ts';

const { failedTokens, failedTokensMs, longestBackOffMs } = accessLimits;
const doublings = 30;

/** A key for an address or an id, of few: strangers may show any number of them. Which share one, nobody can tell. */
const salt = randomInt(2 ** 32);
export function bucketOf(text: string): string {
  return String(crc32(text, salt) & 0xffff);
}

/**
 * Slows down whoever shows tokens that are not valid. An address with too many failures has to wait, longer with each: meanwhile no
 * token is looked at that was not good at this address before, so a guess is not even told to be wrong. The same holds for
 * the id that stands in a token, wherever it comes from.
 */
export class FailedTokens {
  readonly #failures = new RateLimiterMemory({ points: Number.MAX_SAFE_INTEGER, duration: failedTokensMs / 1_000 });
  readonly #waits = new RateLimiterMemory({ points: 1, duration: longestBackOffMs / 1_000 });
  /** An address, and the hash of a token that was good there, the oldest first. */
  readonly #good = new Set<string>();

  /**
   * Has a token looked up, unless its address has to wait.
   * @param find throws, or rejects with, UNAUTHENTICATED for a token that is not valid
   * @throws ShannonDashError LIMIT_REACHED; what `find` throws
   */
  check<Found>({ text, sha256 }: ShownToken, address: string, find: () => Found | Promise<Found>): Found | Promise<Found> {
    const pair = `${address} ${sha256}`;
    if (!this.#good.has(pair)) return this.#checkNew({ pair, keys: keysOf(text, address) }, find);
    try {
      const found = find();
      return found instanceof Promise ? found.catch((error: unknown) => this.#failed(error, { pair, keys: keysOf(text, address) })) : found;
    } catch (error) {
      return this.#failed(error, { pair, keys: keysOf(text, address) });
    }
  }

  async #checkNew<Found>({ pair, keys }: Tried, find: () => Found | Promise<Found>): Promise<Found> {
    const waits = await Promise.all(keys.map((key) => this.#waits.get(key)));
    const waitMs = Math.max(...waits.map((wait) => wait?.msBeforeNext ?? 0));
    if (waitMs > 0) throw tooMuch('Too many tokens from there are not valid', waitMs, 'failed_tokens');
    try {
      const found = await find();
      this.#remember(pair);
      return found;
    } catch (error) {
      return this.#failed(error, { pair, keys });
    }
  }

  async #failed(error: unknown, { pair, keys }: Tried): Promise<never> {
    if (error instanceof ShannonDashError && error.code === 'UNAUTHENTICATED') {
      this.#good.delete(pair);
      for (const key of keys) {
        const { consumedPoints } = await this.#failures.penalty(key);
        const beyond = Math.min(consumedPoints - failedTokens, doublings);
        if (beyond > 0) await this.#waits.block(key, Math.min(2 ** (beyond - 1), longestBackOffMs / 1_000));
      }
    }
    throw error;
  }

  #remember(pair: string): void {
    const [oldest] = this.#good;
    if (this.#good.size >= limits.tokens && oldest !== undefined) this.#good.delete(oldest);
    this.#good.add(pair);
  }
}

/** A token that was shown. */
interface Tried {
  pair: string;
  /** What its failure counts against. */
  keys: readonly string[];
}

function keysOf(token: string, address: string): string[] {
  const [, id] = /^sd_([0-9A-Za-z]{8})_/.exec(token) ?? [];
  return [`address ${bucketOf(address)}`, ...(id === undefined ? [] : [`id ${bucketOf(id)}`])];
}
