import { randomBytes } from 'node:crypto';
import { ShannonDashError } from '../../../core/protocol/errors.ts';
import { onTokenEnd, type Principal } from '../principal.ts';
import { hashOf } from '../tokens/token-text.ts';

/** How many passes one caller, and all callers together, may have at once. */
const [mostOfOne, mostOfAll] = [50, 1_000];

/** A secret that stands for a principal for a while. */
export interface Pass {
  /** Whom it was made for. */
  readonly maker: Principal;
  /** The same principal, as one who is let in by the pass: what is let in so ends with the pass. */
  readonly principal: Principal;
  /** Ends it, and what it let in. */
  readonly end: () => void;
}

/** Passes, kept in memory as hashes. A pass ends with its time, and with the token of its maker. */
export class Passes {
  readonly #lifeMs: number;
  /** By the hash of the secret, the oldest at the front. */
  readonly #byHash = new Map<string, Pass>();

  constructor(lifeMs: number) {
    this.#lifeMs = lifeMs;
  }

  get size(): number {
    return this.#byHash.size;
  }

  /**
   * Makes a pass. A caller with too many loses its oldest.
   * @throws ShannonDashError LIMIT_REACHED other callers have too many
   */
  make(maker: Principal): { secret: string; expiresAt: Date } {
    const own = [...this.#byHash.values()].filter((pass) => ownerOf(pass.maker) === ownerOf(maker));
    if (own.length >= mostOfOne) own[0]?.end();
    else if (this.#byHash.size >= mostOfAll) {
      throw new ShannonDashError('LIMIT_REACHED', `${mostOfAll} browsers are logged in, or about to; try again later`, undefined, {
        limit: 'browsers',
      });
    }
    const secret = randomBytes(32).toString('base64url');
    const hash = hashOf(secret);
    const ended = new AbortController();
    const end = () => {
      clearTimeout(timer);
      forget?.();
      this.#byHash.delete(hash);
      ended.abort();
    };
    const timer = setTimeout(end, this.#lifeMs).unref();
    const forget = maker.token && onTokenEnd(maker.token, end);
    const token = { owner: undefined, ...maker.token, id: `browser:${hash.slice(0, 16)}`, ended: ended.signal };
    const principal = { ...maker, token };
    this.#byHash.set(hash, { maker, principal, end });
    return { secret, expiresAt: new Date(Date.now() + this.#lifeMs) };
  }

  /** The pass of a secret; undefined for one that is unknown, used up or over. */
  find(secret: string): Pass | undefined {
    return this.#byHash.get(hashOf(secret));
  }

  /** The same, and the secret opens nothing from now on. What it has let in stays until the pass is ended. */
  take(secret: string): Pass | undefined {
    const hash = hashOf(secret);
    const pass = this.#byHash.get(hash);
    this.#byHash.delete(hash);
    return pass;
  }

  close(): void {
    for (const pass of this.#byHash.values()) pass.end();
  }
}

/** Logins that were made from another login, and tokens that take the place of a former one, count together. */
function ownerOf({ token }: Principal): string | undefined {
  return token?.owner ?? token?.id;
}
