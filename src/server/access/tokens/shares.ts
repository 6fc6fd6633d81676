import { ShannonDashError } from '../../../core/protocol/errors.ts';
import { nameOfLink } from '../../../core/access.ts';
import { limits, accessLimits } from '../../../core/protocol/limits.ts';
import type { Principal } from '../principal.ts';
import type { StoredToken } from './token-file.ts';
import type { TokenRegistry } from './token-registry.ts';
import { hashOf, newToken } from './token-text.ts';

/** A link to one session, as those are told who may make one. */
export interface Share {
  id: string;
  by: string;
  created_at: string;
  expires_at: string;
  /** Whether a browser has opened it: it opens for no other one. */
  opened: boolean;
}

/** Which session a link leads to. */
export interface SharedSession {
  sessionId: string;
  tenant: string | undefined;
}

/**
 * Links by which a browser watches one session. A link stands in the file with the tokens, as a viewer: so it outlives a restart, and
 * is listed and revoked as tokens are. Its code opens it once; the browser that shows it gets a secret of its own in place of the code.
 */
export class Shares {
  readonly #tokens: TokenRegistry;

  constructor(tokens: TokenRegistry) {
    this.#tokens = tokens;
  }

  /**
   * Makes a link that ends after so long, or with the token of its maker.
   * @throws ShannonDashError LIMIT_REACHED; UNAVAILABLE another process changes the file
   */
  make({ by, token }: Principal, { sessionId, tenant }: SharedSession, lifeMs: number): { code: string; share: Share } {
    const { id, text, sha256 } = newToken();
    const nowMs = Date.now();
    const created_at = new Date(nowMs).toISOString();
    const makers = token?.owner === undefined ? undefined : this.#tokens.all().find(({ name }) => name === token.owner);
    const ends = new Date(Math.min(nowMs + lifeMs, Date.parse(makers?.expires_at ?? '') || Infinity)).toISOString();
    const made: StoredToken = {
      id,
      sha256,
      name: nameOfLink(id),
      role: 'viewer',
      steer: false,
      sessions: [sessionId],
      ...(tenant === undefined ? {} : { tenant }),
      created_at,
      expires_at: ends,
      share: { by: by.slice(0, limits.idChars), token: makers?.id ?? null, opened: false },
    };
    this.#tokens.change((tokens) => {
      // Links are many and short: those that are over make room.
      const kept = tokens.filter(({ share, expires_at }) => share === undefined || Date.parse(expires_at ?? '') > nowMs);
      if (kept.filter(({ share }) => share?.token === made.share?.token && share !== undefined).length >= accessLimits.shares) {
        throw new ShannonDashError('LIMIT_REACHED', `One token has at most ${accessLimits.shares} links; revoke some first`, undefined, {
          limit: 'shares',
        });
      }
      return [...kept, made];
    });
    return { code: text, share: shown(made) };
  }

  /**
   * Uses the code of a link up. @returns the secret that lets the browser in from now on; undefined for a code that is not good any more
   * @throws ShannonDashError UNAVAILABLE another process changes the file: the code stays good
   */
  open(code: string): { secret: string; expiresAt: Date } | undefined {
    const sha256 = hashOf(code);
    // Most codes are none of these: the file is not touched for them.
    if (this.#tokens.stored(sha256)?.share?.opened !== false) return undefined;
    const secret = newToken();
    let expires_at: string | null = null;
    this.#tokens.change((tokens) =>
      tokens.map((each) => {
        if (each.sha256 !== sha256 || each.share?.opened !== false) return each;
        ({ expires_at } = each);
        return { ...each, sha256: secret.sha256, share: { ...each.share, opened: true } };
      }),
    );
    return expires_at === null ? undefined : { secret: secret.text, expiresAt: new Date(expires_at) };
  }

  /** The principal of a browser that has opened a link. */
  find(secret: string): Principal | undefined {
    return this.#tokens.findShared(hashOf(secret));
  }

  /** The links to a session that are good now, the newest last. */
  of(place: SharedSession): Share[] {
    return this.#tokens
      .all()
      .filter((each) => leadsTo(each, place))
      .map(shown);
  }

  /** Ends a link, and what it let in. @throws ShannonDashError NOT_FOUND; UNAVAILABLE another process changes the file */
  revoke(place: SharedSession, id: string): void {
    const found = this.#tokens.all().find((each) => each.id === id && leadsTo(each, place));
    if (found === undefined) throw new ShannonDashError('NOT_FOUND', 'There is no such link to this session, or not any more');
    this.#tokens.change((tokens) => tokens.filter((each) => each.id !== id));
  }

  /** Ends the link that a browser has opened. @throws ShannonDashError UNAVAILABLE another process changes the file */
  leave(secret: string): void {
    const sha256 = hashOf(secret);
    if (this.#tokens.stored(sha256)?.share !== undefined) this.#tokens.change((tokens) => tokens.filter((each) => each.sha256 !== sha256));
  }
}

function leadsTo({ share, sessions, tenant }: StoredToken, place: SharedSession): boolean {
  return share !== undefined && sessions[0] === place.sessionId && tenant === place.tenant;
}

function shown({ id, created_at, expires_at, share }: StoredToken): Share {
  return { id, by: share?.by ?? '', created_at, expires_at: expires_at ?? '', opened: share?.opened === true };
}
