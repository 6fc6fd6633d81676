import type { IncomingMessage } from 'node:http';
import { tokenPattern } from '../../core/text/token-pattern.ts';
import { ShannonDashError } from '../../core/protocol/errors.ts';
import { foreignPage, type BrowserLogins } from './browser/browser-logins.ts';
import { isDirect } from './local-caller.ts';
import type { IdentityProvider } from './identity-provider.ts';
import type { CallerAddresses } from './limits/caller-address.ts';
import type { FailedTokens } from './limits/failed-tokens.ts';
import type { LocalUsers } from './local-users.ts';
import type { OwnToken } from './own-token.ts';
import { isEngineRequest } from './origin-guard.ts';
import { tokenEnded } from './policy.ts';
import { isOfProvider, type Principal } from './principal.ts';
import { readChildToken, type ChildTokenText } from './tokens/child-tokens.ts';
import type { TokenRegistry } from './tokens/token-registry.ts';
import { hashOf, type ShownToken } from './tokens/token-text.ts';

/** Who sent a request, as far as the request itself shows: a process of the server's user, the holder of a token, or neither. */
export type Caller = { kind: 'local' } | { kind: 'token'; principal: Principal } | { kind: 'unknown' };

const local: Caller = { kind: 'local' };
const unknown: Caller = { kind: 'unknown' };
/** Names under which other programs pass tokens in a URL. */
const tokenParameters = ['token', 'access_token', 'auth', 'authorization'];

export interface AuthenticatorParts {
  /** Absent where no file of tokens is kept. */
  tokens: TokenRegistry | undefined;
  /** Absent where no identity provider is named. */
  provider: IdentityProvider | undefined;
  /** Finds the principal of the token of an orchestrator's child. */
  findChild: (token: ChildTokenText) => Principal | undefined | Promise<Principal | undefined>;
  users: LocalUsers;
  logins: BrowserLogins;
  addresses: CallerAddresses;
  failures: FailedTokens;
  /** Whether processes of the server's own user need a token too. */
  asksEverybody: boolean;
  /** By which the programs of the server's own user are known then. */
  own?: OwnToken | undefined;
}

/**
 * Finds out who calls. A token comes in the header `Authorization`, or in the `auth` of a Socket.IO client; never in a URL. A
 * browser that is logged in shows its cookie.
 */
export class Authenticator {
  readonly #parts: AuthenticatorParts;
  readonly #children = new WeakMap<Principal, Principal>();

  constructor(parts: AuthenticatorParts) {
    this.#parts = parts;
  }

  /**
   * @throws ShannonDashError INVALID a token in the URL, or a header of another form; UNAUTHENTICATED a token that is not valid;
   * FORBIDDEN a page of another origin caused the request, and the cookie is all that it shows
   */
  callerOf(request: IncomingMessage): Caller | Promise<Caller> {
    checkUrl(request.url ?? '');
    const { authorization } = request.headers;
    if (authorization !== undefined && !isEmpty(authorization)) return this.callerWith(bearerOf(authorization), request);
    const { logins } = this.#parts;
    const principal = logins.principalIn(request);
    if (principal === undefined) return this.#withoutToken(request);
    if (logins.counts(request)) return ofPrincipal(principal);
    const caller = this.#withoutToken(request);
    // A Socket.IO client may still send a token in its `auth`; without one it is not let in.
    if (isEngineRequest(request.url)) return caller;
    return caller instanceof Promise ? caller.then(unlessUnknown) : unlessUnknown(caller);
  }

  #withoutToken(request: IncomingMessage): Caller | Promise<Caller> {
    if (this.#parts.asksEverybody || !isDirect(request)) return unknown;
    const isOwn = this.#parts.users.isOwn(request.socket);
    return typeof isOwn === 'boolean' ? callerWithoutToken(isOwn) : isOwn.then(callerWithoutToken);
  }

  /**
   * Who shows a token.
   * @param request with which the token came, or the connection
   * @throws ShannonDashError UNAUTHENTICATED; LIMIT_REACHED too many tokens from there were not valid; UNAVAILABLE the identity
   * provider does not answer
   */
  callerWith(token: string, request: IncomingMessage): Caller | Promise<Caller> {
    const shown = { text: token, sha256: hashOf(token) };
    if (this.#parts.own?.isIt(shown) === true) return local;
    return this.#parts.failures.check(shown, this.#parts.addresses.networkOf(request), () => this.#find(shown));
  }

  #find(token: ShownToken): Caller | Promise<Caller> {
    if (this.#parts.provider !== undefined && isJwtText(token.text)) return this.#parts.provider.find(token).then(ofPrincipal);
    const child = readChildToken(token.text);
    if (child === undefined) return ofPrincipal(found(this.#parts.tokens?.find(token)));
    const principal = this.#parts.findChild(child);
    return principal instanceof Promise ? principal.then((each) => this.#ofChild(each)) : this.#ofChild(principal);
  }

  /** The token of a child ends with that of its orchestrator. */
  #ofChild(principal: Principal | undefined): Caller {
    const child = found(principal);
    const { token } = child;
    if (token?.owner === undefined || isOfProvider(token.owner)) return ofPrincipal(child);
    const known = this.#children.get(child);
    if (known !== undefined) return ofPrincipal(known);
    const ownersToken = this.#parts.tokens?.findByName(token.owner)?.token;
    if (ownersToken === undefined) throw tokenEnded();
    const ended = AbortSignal.any([token.ended, ownersToken.ended]);
    const underOwner = { ...child, token: { ...token, ended } };
    this.#children.set(child, underOwner);
    return ofPrincipal(underOwner);
  }
}

/** How a caller that must show a token, and shows none, is answered. */
export function tokenMissing(): ShannonDashError {
  return new ShannonDashError(
    'UNAUTHENTICATED',
    'A token is needed here: send "Authorization: Bearer TOKEN", or auth.token with Socket.IO. Whoever runs the server makes one: shannon-dash token create',
  );
}

/** @throws ShannonDashError UNAUTHENTICATED */
function found(principal: Principal | undefined): Principal {
  if (principal === undefined) throw tokenEnded();
  return principal;
}

function ofPrincipal(principal: Principal): Caller {
  return { kind: 'token', principal };
}

/** @throws ShannonDashError FORBIDDEN */
function unlessUnknown(caller: Caller): Caller {
  if (caller.kind === 'unknown') throw foreignPage();
  return caller;
}

/** Whether a text has the form of a JSON Web Token: three parts with dots between them. */
function isJwtText(text: string): boolean {
  return /^[\w-]+\.[\w-]+\.[\w-]+$/.test(text);
}

function callerWithoutToken(isOwn: boolean): Caller {
  return isOwn ? local : unknown;
}

/** URLs end up in logs, histories and headers of other requests. */
function checkUrl(url: string): void {
  const at = url.indexOf('?');
  const names = at === -1 ? [] : [...new URLSearchParams(url.slice(at + 1)).keys()];
  const found = names.find((name) => tokenParameters.includes(name.toLowerCase()));
  if (found !== undefined || url.search(tokenPattern) !== -1) {
    throw new ShannonDashError(
      'INVALID',
      `${found === undefined ? 'The URL' : `The parameter "${found}"`} holds a token, and URLs are logged; send "Authorization: Bearer TOKEN" instead, and have this token replaced: shannon-dash token rotate`,
    );
  }
}

/** A hook whose settings name a token from the environment, where there is none, sends the scheme alone: no token is shown. */
function isEmpty(authorization: string): boolean {
  return /^Bearer *$/i.test(authorization);
}

function bearerOf(header: string): string {
  const [, token] = /^Bearer +(\S+)$/i.exec(header) ?? [];
  if (token !== undefined) return token;
  throw new ShannonDashError('INVALID', 'Authorization: must be "Bearer TOKEN"');
}
