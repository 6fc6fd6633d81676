import type { Role } from '../../../core/access.ts';
import { sessionGlob, tenantName, tokenName } from '../../../core/protocol/tokens.ts';
import { parse } from '../../../core/json/parse.ts';
import { ShannonDashError } from '../../../core/protocol/errors.ts';
import { changeTokenFile, type StoredToken } from './token-file.ts';
import { newToken } from './token-text.ts';

/** What a token is made for. */
export interface TokenRequest {
  name: string;
  role: Role;
  steer?: boolean;
  /** Globs over the ids of the sessions that it reaches. Default: every session. */
  sessions?: readonly string[];
  /** The tenant whose sessions it reaches; absent: the server's own workspace. */
  tenant?: string | undefined;
  /** Absent: it does not expire. */
  expiresAt?: Date | undefined;
}

/** Makes a token. Its text is given once and is kept nowhere. @throws ShannonDashError INVALID, CONFLICT for a name that another one has */
export function createToken(
  path: string,
  { name, role, steer = false, sessions = ['*'], tenant, expiresAt }: TokenRequest,
): { text: string; token: StoredToken } {
  parse(tokenName, name, 'name');
  if (tenant !== undefined) parse(tenantName, tenant, 'tenant');
  sessions.forEach((glob, at) => parse(sessionGlob, glob, `sessions[${at}]`));
  if (role === 'orchestrator' && sessions.includes('*')) {
    throw new ShannonDashError('INVALID', 'sessions: an orchestrator publishes to named sessions only; give globs such as ci-*, not *');
  }
  const { id, text, sha256 } = newToken();
  const token: StoredToken = {
    id,
    sha256,
    name,
    role,
    steer,
    sessions: [...sessions],
    ...(tenant === undefined ? {} : { tenant }),
    created_at: new Date().toISOString(),
    expires_at: expiresAt?.toISOString() ?? null,
  };
  changeTokenFile(path, (tokens) => {
    if (tokens.some((each) => each.name === name)) {
      throw new ShannonDashError('CONFLICT', `There is a token named ${name} already; take another name, or rotate that one`);
    }
    return [...tokens, token];
  });
  return { text, token };
}

/** Takes tokens away by id or name. @throws ShannonDashError NOT_FOUND */
export function revokeToken(path: string, given: string): StoredToken {
  let revoked: StoredToken | undefined;
  changeTokenFile(path, (tokens) => {
    revoked = findToken(tokens, given);
    return tokens.filter((each) => each !== revoked);
  });
  return revoked ?? missing(given);
}

/** Replaces a token by a new one of the same name, role, sessions and expiry. @throws ShannonDashError NOT_FOUND; CONFLICT it is a link */
export function rotateToken(path: string, given: string): { text: string; token: StoredToken } {
  const { id, text, sha256 } = newToken();
  let rotated: StoredToken | undefined;
  changeTokenFile(path, (tokens) => {
    const before = findToken(tokens, given);
    if (before.share !== undefined)
      throw new ShannonDashError('CONFLICT', `${given} is a link to a session; make another one: shannon-dash open SESSION --share`);
    rotated = { ...before, id, sha256, created_at: new Date().toISOString() };
    return tokens.map((each) => (each === before ? (rotated ?? each) : each));
  });
  return { text, token: rotated ?? missing(given) };
}

function findToken(tokens: readonly StoredToken[], given: string): StoredToken {
  return tokens.find(({ id, name }) => id === given || name === given) ?? missing(given);
}

function missing(given: string): never {
  throw new ShannonDashError('NOT_FOUND', `There is no token ${given}`);
}
