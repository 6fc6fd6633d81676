import { createHmac, randomBytes } from 'node:crypto';
import { newToken, type ShownToken } from './tokens/token-text.ts';

/**
 * The token of the programs of the server's own user, for a server that asks these too. It lives as long as the server. The user's
 * programs read it in a file that nobody else can read; there they also find the key by which the server proves that it wrote the file.
 */
export class OwnToken {
  readonly text: string;
  readonly key = randomBytes(32).toString('base64url');
  readonly #sha256: string;

  constructor() {
    const { text, sha256 } = newToken();
    this.text = text;
    this.#sha256 = sha256;
  }

  /** How long it takes to compare hashes says nothing of the token. */
  isIt({ sha256 }: ShownToken): boolean {
    return sha256 === this.#sha256;
  }

  /** What only the server can answer to a challenge. */
  prove(challenge: string): string {
    return createHmac('sha256', this.key).update(challenge).digest('base64url');
  }
}
