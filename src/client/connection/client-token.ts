import { readEnvironment } from '../environment.ts';
import { ownServerToken } from './own-server.ts';

/** The token of a client: the one that it was given, else that of its environment, else the one that a server of the same user has left for it. */
export class ClientToken {
  readonly #url: string;
  readonly #given: string | undefined;
  #last: string | undefined;

  constructor(url: string, given: string | undefined) {
    this.#url = url;
    this.#given = given ?? readEnvironment().token;
  }

  /** To be asked before each attempt to connect: a server that has started again has another token for its user's programs. */
  async get(): Promise<string | undefined> {
    return (this.#last = this.#given ?? (await ownServerToken(this.#url)));
  }

  /** Whether it is another one than it was at the last attempt. */
  async hasChanged(): Promise<boolean> {
    const before = this.#last;
    return (await this.get()) !== before;
  }
}
