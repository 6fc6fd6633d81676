import { createRemoteJWKSet, errors, jwtVerify, type JWTPayload, type JWTVerifyGetKey } from 'jose';
import { z } from 'zod';
import { roles } from '../../core/access.ts';
import { check } from '../../core/json/parse.ts';
import { ShannonDashError } from '../../core/protocol/errors.ts';
import { limits } from '../../core/protocol/limits.ts';
import { sessionGlob, tenantName, tokenName } from '../../core/protocol/tokens.ts';
import { tokenEnded } from './policy.ts';
import { ownerOfProvider, principalOfGrant, type Principal } from './principal.ts';
import type { ShownToken } from './tokens/token-text.ts';

/** Which claim of a token says what. */
export interface ClaimNames {
  name: string;
  role: string;
  /** True: an operator may also send the commands that can run code. */
  steer: string;
  /** Globs over session ids: a list, or a text with spaces between them. Absent in a token: every session. */
  sessions: string;
  tenant: string;
}

/** The claims that a token has unless the server is told otherwise. */
const defaultClaimNames: ClaimNames = {
  name: 'sub',
  role: 'shannon_dash_role',
  steer: 'shannon_dash_steer',
  sessions: 'shannon_dash_sessions',
  tenant: 'shannon_dash_tenant',
};

export interface IdentityProviderOptions {
  /** Where the provider publishes its keys: RFC 7517. */
  jwksUrl: string;
  issuer: string;
  audience: string;
  claims?: Partial<ClaimNames> | undefined;
}

/** Signatures by a key that the server need not keep secret. None that takes a public key for a secret. */
const algorithms = ['EdDSA', 'Ed25519', 'ES256', 'ES384', 'PS256', 'RS256'];
const clockToleranceS = 5;
/** Verified tokens that are remembered, so that a signature is checked once for each. */
const rememberedTokens = 10_000;
const longestTimerMs = 2 ** 31 - 1;

const sessionGlobs = z.array(sessionGlob).min(1).max(limits.tokenSessions);
const grant = z.object({
  name: tokenName,
  role: z.enum(roles),
  steer: z.boolean().default(false),
  sessions: z
    .union([sessionGlobs, z.string().transform((text) => text.split(/\s+/).filter((glob) => glob !== ''))])
    .pipe(sessionGlobs)
    .default(['*']),
  tenant: tenantName.optional(),
});

interface Verified {
  principal: Principal;
  expiresAtMs: number;
}

/** Tokens of an identity provider: JSON Web Tokens (RFC 7519), checked with the keys that it publishes. */
export class IdentityProvider {
  readonly #options: IdentityProviderOptions;
  readonly #claims: ClaimNames;
  readonly #keys: JWTVerifyGetKey;
  readonly #prepare: (tenant: string) => Promise<void>;
  /** By the hash of the token, the one verified first at the front. */
  readonly #verified = new Map<string, Verified>();

  /** @param prepare opens the workspace of a tenant */
  constructor(options: IdentityProviderOptions, prepare: (tenant: string) => Promise<void>) {
    this.#options = options;
    this.#claims = { ...defaultClaimNames, ...options.claims };
    this.#keys = createRemoteJWKSet(new URL(options.jwksUrl));
    this.#prepare = prepare;
  }

  /** @throws ShannonDashError UNAUTHENTICATED the token is not valid; UNAVAILABLE the provider does not answer */
  async find({ text, sha256: id }: ShownToken): Promise<Principal> {
    const known = this.#verified.get(id);
    if (known !== undefined && known.expiresAtMs > Date.now()) return known.principal;
    const payload = await this.#verify(text);
    const { name, role, steer, sessions, tenant } = this.#grantIn(payload);
    if (role === 'orchestrator' && sessions.includes('*')) throw tokenEnded();
    if (tenant !== undefined) await this.#prepare(tenant);
    const expiresAtMs = ((payload.exp ?? 0) + clockToleranceS) * 1_000;
    const ended = endingAt(expiresAtMs);
    const holder = { id: `jwt:${id.slice(0, 16)}`, owner: ownerOfProvider(name), ended };
    const principal = principalOfGrant({ name, role, canSteer: steer, sessions, tenant }, holder);
    this.#remember(id, { principal, expiresAtMs });
    return principal;
  }

  async #verify(token: string): Promise<JWTPayload> {
    const { issuer, audience } = this.#options;
    try {
      const { payload } = await jwtVerify(token, this.#keys, {
        issuer,
        audience,
        algorithms,
        clockTolerance: clockToleranceS,
        requiredClaims: ['exp', 'sub'],
      });
      return payload;
    } catch (error) {
      const isAboutToken = error instanceof errors.JOSEError && !(error instanceof errors.JWKSTimeout) && error.code !== 'ERR_JOSE_GENERIC';
      if (isAboutToken) throw tokenEnded();
      throw new ShannonDashError('UNAVAILABLE', 'The identity provider does not give its keys; try again', undefined, { cause: error });
    }
  }

  #grantIn(payload: JWTPayload): z.output<typeof grant> {
    const names = Object.entries(this.#claims) as [keyof ClaimNames, string][];
    const found = check(grant, Object.fromEntries(names.map(([field, claim]) => [field, payload[claim]])));
    if (found.success) return found.data;
    throw tokenEnded();
  }

  #remember(id: string, verified: Verified): void {
    const [oldest] = this.#verified.keys();
    if (this.#verified.size >= rememberedTokens && oldest !== undefined) this.#verified.delete(oldest);
    this.#verified.set(id, verified);
  }
}

/** A signal that is aborted at a time of day. */
function endingAt(atMs: number): AbortSignal {
  const end = new AbortController();
  const wait = () => {
    const restMs = atMs - Date.now();
    if (restMs <= 0) end.abort();
    else setTimeout(wait, Math.min(restMs, longestTimerMs)).unref();
  };
  wait();
  return end.signal;
}
