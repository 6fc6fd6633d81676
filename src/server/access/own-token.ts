import { createHmac, randomBytes, timingSafeEqual } from 'node:crypto';
import { hashOf, newToken } from './tokens/token-text.ts';

/**
 * The token of the programs of the server's own user, for a server that asks these too. It lives as long as the server. The user's
 * programs read it in a file that nobody else can read; there they also find the key by which the server proves that it wrote the file.
 */
export class OwnToken {
  readonly text: string;
  readonly key = randomBytes(32).toString('base64url');
  readonly #hash: Buffer;

  constructor() {
    const { text, sha256 } = newToken();
    this.text = text;
    this.#hash = Buffer.from(sha256);
  }

  isIt(token: string): boolean {
    return timingSafeEqual(Buffer.from(hashOf(token)), this.#hash);
  }

  /** What only the server can answer to a challenge. */
  prove(challenge: string): string {
    return createHmac('sha256', this.key).update(challenge).digest('base64url');
  }
}
