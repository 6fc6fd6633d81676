import { may } from '../../../core/access.ts';
import { mayReach } from '../policy.ts';
import { principalOfGrant, type Principal } from '../principal.ts';
import { versionOf } from '../own-file.ts';
import { changeTokenFile, readTokenFile, type StoredToken } from './token-file.ts';
import { isTokenText, type ShownToken } from './token-text.ts';
import { TokenUses } from './token-uses.ts';

/** How often the registry looks for a changed file and for tokens that have expired. What a token let in ends when that is seen. */
const lookMs = 1_000;

export interface TokenRegistryOptions {
  /** Opens the workspace of a tenant that a token names. It may be called again for one that is open. */
  prepare: (tenant: string) => Promise<void>;
  /** Takes a sentence for the person that runs the server. */
  onProblem: (sentence: string) => void;
}

interface KnownToken {
  stored: StoredToken;
  principal: Principal;
  end: AbortController;
}

/** The tokens that are valid now. It follows the file, which the command line changes, also while the server runs. */
export class TokenRegistry {
  readonly #path: string;
  readonly #options: TokenRegistryOptions;
  /** By the hash of the token: to look a hash up takes the same time whatever the token is. */
  readonly #byHash = new Map<string, KnownToken>();
  readonly #uses: TokenUses;
  readonly #timer: NodeJS.Timeout;
  #version = '';

  /** Resolves when the workspaces of all tenants are open that the tokens name at the start. */
  readonly ready: Promise<unknown>;

  /** @throws ShannonDashError as `readTokenFile` */
  constructor(path: string, options: TokenRegistryOptions) {
    this.#path = path;
    this.#options = options;
    this.#uses = new TokenUses(path);
    this.#version = versionOf(path);
    this.ready = this.#take(readTokenFile(path));
    this.#timer = setInterval(() => this.#look(), lookMs);
    this.#timer.unref();
  }

  get size(): number {
    return this.#byHash.size;
  }

  /** The principal of a token; undefined for one that is unknown, expired or revoked. */
  find({ text, sha256 }: ShownToken): Principal | undefined {
    // Whoever has just made a token uses it at once.
    if (!this.#byHash.has(sha256) && isTokenText(text)) this.#look();
    const known = this.#byHash.get(sha256);
    if (known?.stored.share !== undefined) return undefined;
    return this.#used(known);
  }

  /** The principal of the browser that has opened a link, by the secret of its cookie. */
  findShared(sha256: string): Principal | undefined {
    const known = this.#byHash.get(sha256);
    return known?.stored.share?.opened === true ? this.#used(known) : undefined;
  }

  /** A token or a link as it is kept, by its hash. */
  stored(sha256: string): StoredToken | undefined {
    return this.#byHash.get(sha256)?.stored;
  }

  /** All that are valid now. */
  all(): StoredToken[] {
    return [...this.#byHash.values()].map(({ stored }) => stored).filter((stored) => !isOver(stored));
  }

  /** Changes the file, and takes the change at once. @throws ShannonDashError as `changeTokenFile` */
  change(change: (tokens: readonly StoredToken[]) => StoredToken[]): void {
    changeTokenFile(this.#path, change);
    this.#look();
  }

  #used(known: KnownToken | undefined): Principal | undefined {
    if (known !== undefined && isOver(known.stored)) this.#end(known);
    if (known === undefined || known.end.signal.aborted) return undefined;
    this.#uses.note(known.stored.id);
    return known.principal;
  }

  /** The principal of the token with a name. */
  findByName(name: string): Principal | undefined {
    return [...this.#byHash.values()].find(({ stored }) => stored.name === name && !isOver(stored))?.principal;
  }

  close(): void {
    clearInterval(this.#timer);
    this.#writeUses({ atOnce: true });
  }

  #writeUses(options?: { atOnce: boolean }): void {
    const known = new Set([...this.#byHash.values()].map(({ stored }) => stored.id));
    try {
      this.#uses.write(known, options);
    } catch (error) {
      this.#options.onProblem(`When tokens were last used is not written: ${error instanceof Error ? error.message : String(error)}`);
    }
  }

  #look(): void {
    this.#writeUses();
    for (const known of this.#byHash.values()) if (isOver(known.stored)) this.#end(known);
    const version = versionOf(this.#path);
    if (version === this.#version) return;
    this.#version = version;
    try {
      void this.#take(readTokenFile(this.#path));
    } catch (error) {
      // Who is let in stays so: a file that is being mended must not lock everybody out.
      this.#options.onProblem(`The tokens are as they were: ${error instanceof Error ? error.message : String(error)}`);
    }
  }

  #take(tokens: readonly StoredToken[]): Promise<unknown> {
    const before = new Map(this.#byHash);
    for (const stored of tokens) {
      if (isOver(stored) || !isOfMaker(stored, tokens)) continue;
      const known = before.get(stored.sha256);
      if (known !== undefined && JSON.stringify(known.stored) === JSON.stringify(stored)) {
        before.delete(stored.sha256);
        continue;
      }
      const end = new AbortController();
      const { id, name, role, steer, sessions, tenant } = stored;
      const principal = principalOfGrant({ name, role, canSteer: steer, sessions, tenant }, { id, owner: name, ended: end.signal });
      this.#byHash.set(stored.sha256, { stored, principal, end });
      known?.end.abort();
      before.delete(stored.sha256);
    }
    for (const known of before.values()) this.#end(known);
    const tenants = new Set(tokens.flatMap(({ tenant }) => tenant ?? []));
    return Promise.all([...tenants].map((tenant) => this.#options.prepare(tenant)));
  }

  #end(known: KnownToken): void {
    this.#byHash.delete(known.stored.sha256);
    known.end.abort();
  }
}

/** Whether a link is still one that the token may make by which it was made. Other tokens are nobody's. */
function isOfMaker({ share, sessions, tenant }: StoredToken, tokens: readonly StoredToken[]): boolean {
  if (share === undefined || share.token === null) return true;
  const maker = tokens.find(({ id }) => id === share.token);
  return maker !== undefined && may(maker.role, 'share') && maker.tenant === tenant && sessions.every((id) => mayReach(maker, id));
}

function isOver({ expires_at }: StoredToken): boolean {
  return expires_at !== null && Date.parse(expires_at) <= Date.now();
}
