import type { IncomingMessage, ServerResponse } from 'node:http';
import { ShannonDashError } from '../../../core/protocol/errors.ts';
import type { OriginGuard } from '../origin-guard.ts';
import type { Principal } from '../principal.ts';
import type { Shares } from '../tokens/shares.ts';
import { Passes } from './passes.ts';

/** How long a code to log in with is valid, and how long a browser stays logged in. */
const [codeMs, loginMs] = [60_000, 12 * 60 * 60_000];

/**
 * Logs browsers in. A caller gets a code for itself, which works once; the browser that shows it gets a cookie, and is then the
 * same principal: with the caller's role, sessions and tenant, until the caller's token ends, and no longer than twelve hours.
 */
export class BrowserLogins {
  readonly #guard: OriginGuard;
  readonly #shares: Shares | undefined;
  readonly #codes = new Passes(codeMs);
  readonly #logins = new Passes(loginMs);

  /** @param shares absent where no file of tokens is kept */
  constructor(guard: OriginGuard, shares?: Shares) {
    this.#guard = guard;
    this.#shares = shares;
  }

  /** How many codes wait for a browser to show them. */
  get waiting(): number {
    return this.#codes.size;
  }

  /** @throws ShannonDashError LIMIT_REACHED */
  makeCode(principal: Principal): { code: string; expiresAt: Date } {
    const { secret, expiresAt } = this.#codes.make(principal);
    return { code: secret, expiresAt };
  }

  /**
   * Uses a code up. @returns the header `Set-Cookie`
   * @throws ShannonDashError FORBIDDEN it is not a page of this server that asks; UNAUTHENTICATED the code is not valid any more; UNAVAILABLE
   * it is that of a link, whose file another process changes: it stays good
   */
  login(request: IncomingMessage, code: string): string {
    if (!this.#guard.isOwnPage(request)) throw foreignPage();
    const pass = this.#codes.take(code);
    pass?.end();
    if (pass === undefined) {
      const opened = this.#shares?.open(code);
      if (opened !== undefined) return this.#cookie(request, opened.secret, Math.ceil((opened.expiresAt.getTime() - Date.now()) / 1_000));
      throw new ShannonDashError('UNAUTHENTICATED', 'This link was used already, or is too old; get another one: shannon-dash open');
    }
    const { secret } = this.#logins.make(pass.maker);
    return this.#cookie(request, secret, loginMs / 1_000);
  }

  /**
   * Ends the login of a browser once it is answered. @returns the header `Set-Cookie`
   * @throws ShannonDashError FORBIDDEN it is not a page of this server that asks
   */
  logout(request: IncomingMessage, response: ServerResponse): string {
    if (!this.#guard.isOwnPage(request)) throw foreignPage();
    const secret = this.#secretIn(request);
    const pass = secret === undefined ? undefined : this.#logins.take(secret);
    if (pass !== undefined) response.once('close', pass.end);
    else if (secret !== undefined) response.once('close', () => this.#shares?.leave(secret));
    return this.#cookie(request, '', 0);
  }

  /** The principal of the cookie that a request carries, whoever has caused the request; undefined without a valid one. */
  principalIn(request: IncomingMessage): Principal | undefined {
    const secret = request.headers.cookie === undefined ? undefined : this.#secretIn(request);
    return secret === undefined ? undefined : (this.#logins.find(secret)?.principal ?? this.#shares?.find(secret));
  }

  /**
   * Whether the cookie of a request proves who calls. A browser adds it to whatever a page of the same host asks for, whichever
   * port that page has; so the page must be one of this server, unless the request only reads and no page could read the answer.
   */
  counts(request: IncomingMessage): boolean {
    return this.#guard.isOwnPage(request) || this.#guard.isVisit(request);
  }

  close(): void {
    this.#codes.close();
    this.#logins.close();
  }

  #secretIn(request: IncomingMessage): string | undefined {
    const start = `${this.#nameFor(request)}=`;
    const parts = (request.headers.cookie ?? '').split(';').map((part) => part.trim());
    return parts.find((part) => part.startsWith(start))?.slice(start.length);
  }

  /** A browser has the cookies of a host in common for all its ports, so the name tells servers on one machine apart. */
  #nameFor(request: IncomingMessage): string {
    return this.#guard.isBehindTls(request) ? '__Host-shannon-dash' : `shannon-dash-${request.socket.localPort}`;
  }

  #cookie(request: IncomingMessage, secret: string, seconds: number): string {
    const secure = this.#guard.isBehindTls(request) ? '; Secure' : '';
    return `${this.#nameFor(request)}=${secret}; HttpOnly; SameSite=Strict; Path=/; Max-Age=${seconds}${secure}`;
  }
}

/** How a request is refused that only a page of this server may make. */
export function foreignPage(): ShannonDashError {
  return new ShannonDashError('FORBIDDEN', 'Only a page of this server may do this with a cookie; another program sends a token');
}
