import type { IncomingMessage } from 'node:http';
import { hostname, networkInterfaces } from 'node:os';
import { isLoopback, normalHost } from '../../core/loopback.ts';

/** Where the older browser dashboards of Shannon v4 are served from while they are developed. */
const devOrigins = new Set(['localhost', '127.0.0.1', '[::1]'].flatMap((host) => [`http://${host}:3000`, `http://${host}:5173`]));

/** Why a request is refused. */
export interface Refusal {
  /** The rule that refused it. */
  rule: 'host' | 'origin' | 'site' | 'jsonp';
  /** A sentence with the way out. */
  sentence: string;
}

export interface OriginGuardOptions {
  /** Further web origins that may call; `*` allows any. */
  origins: readonly string[];
  /** Further hosts by which the server may be called; `*` allows any. */
  hosts: readonly string[];
  /** Whether pages on localhost:3000 and :5173 may call over loopback. */
  allowsDevOrigins: boolean;
  /** The URL by which browsers reach the server where that is not its address, as behind a proxy. */
  publicUrl?: string | undefined;
}

/**
 * Refuses requests of foreign web pages. A browser names the calling page in `Origin`, or at least says in `Sec-Fetch-Site` that
 * another site calls. `Host` holds the name that the page called: a name that an attacker has pointed to this machine is not
 * among the names by which clients may call this server.
 */
export class OriginGuard {
  readonly #origins: ReadonlySet<string>;
  readonly #hosts: Set<string>;
  readonly #allowsAnyHost: boolean;
  readonly #allowsDevOrigins: boolean;
  readonly #publicUrl: URL | undefined;
  /** Whether other machines can reach the server, and so call it by the addresses of this one. */
  #isOpen = false;

  constructor({ origins, hosts, allowsDevOrigins, publicUrl }: OriginGuardOptions) {
    this.#publicUrl = publicUrl === undefined ? undefined : new URL(publicUrl);
    const { origin, hostname } = this.#publicUrl ?? {};
    this.#origins = new Set(origin === undefined ? origins : [...origins, origin]);
    this.#hosts = new Set([...hosts, hostname ?? []].flat().flatMap((host) => normalHost(host) ?? []));
    this.#allowsAnyHost = hosts.includes('*');
    this.#allowsDevOrigins = allowsDevOrigins;
  }

  /**
   * Tells where the server listens.
   * @param host as it was asked for
   * @param address to which it is bound
   */
  listensAt(host: string, address: string): void {
    this.#isOpen = !isLoopback(address);
    for (const name of this.#isOpen ? [host, ...ownHosts()] : [host]) {
      const known = normalHost(name);
      if (known !== undefined) this.#hosts.add(known);
    }
  }

  /** Why a request is refused; undefined when it may pass. */
  refusalOf(request: IncomingMessage): Refusal | undefined {
    return this.#refusalOfHost(request) ?? this.#refusalOfPage(request) ?? refusalOfForm(request);
  }

  /** Whether a page of this server itself makes a request: its origin is that of the public URL, or of the host that it calls. */
  isOwnPage(request: IncomingMessage): boolean {
    const { headers, method } = request;
    const { host, origin } = headers;
    // A browser names no origin where a page reads from its own server, but says that it is the same.
    if (origin === undefined) return method === 'GET' && headers['sec-fetch-site'] === 'same-origin';
    if (host === undefined) return false;
    if (this.#isPublic(host) && origin === this.#publicUrl?.origin) return true;
    return !this.isBehindTls(request) && (origin === `http://${host}` || origin === `https://${host}`);
  }

  /** Whether a request only reads, and no page reads the answer: a person opens a URL, or a program asks. */
  isVisit({ headers, method, url }: IncomingMessage): boolean {
    return headers.origin === undefined && (method === 'GET' || method === 'HEAD') && !isEngineRequest(url);
  }

  /** Whether a request has come to the public URL, and that is https. */
  isBehindTls({ headers: { host } }: IncomingMessage): boolean {
    return this.#publicUrl?.protocol === 'https:' && host !== undefined && this.#isPublic(host);
  }

  #isPublic(host: string): boolean {
    return this.#publicUrl !== undefined && normalHost(host) === normalHost(this.#publicUrl.hostname);
  }

  #refusalOfHost({ headers: { host }, socket }: IncomingMessage): Refusal | undefined {
    // Only a client of HTTP/1.0 sends none, and no browser does.
    if (host === undefined || this.#allowsAnyHost || isLoopback(host)) return undefined;
    const name = normalHost(host);
    if (name !== undefined && (this.#hosts.has(name) || (this.#isOpen && name === normalHost(socket.localAddress ?? '')))) return undefined;
    const wayOut = `start it with --allowed-host ${name ?? 'NAME'}`;
    return { rule: 'host', sentence: `This server does not answer to the host ${host.slice(0, 200)}; ${wayOut}` };
  }

  #refusalOfPage({ headers, method, url, socket }: IncomingMessage): Refusal | undefined {
    if (this.#origins.has('*')) return undefined;
    const { origin, host } = headers;
    if (origin === undefined) {
      const site = headers['sec-fetch-site'];
      if ((site !== 'cross-site' && site !== 'same-site') || isFollowedLink({ headers, method, url })) return undefined;
      return { rule: 'site', sentence: `A page of another site may not call this server (Sec-Fetch-Site: ${site})` };
    }
    const isOwn = host !== undefined && (origin === `http://${host}` || origin === `https://${host}`);
    const isDev = this.#allowsDevOrigins && devOrigins.has(origin) && isLoopback(socket.localAddress ?? '');
    if (isOwn || isDev || this.#origins.has(origin)) return undefined;
    const shown = origin.slice(0, 200);
    return { rule: 'origin', sentence: `Origin ${shown} is not allowed; start the server with --cors-origin ${shown}` };
  }
}

/** Whether this is a request of Engine.IO, which Socket.IO is built on. */
export function isEngineRequest(url: string | undefined): boolean {
  return url?.startsWith('/socket.io/') === true;
}

/** Whether the user followed a link to here. The page with the link cannot read what the tab then shows. */
function isFollowedLink({ headers, method, url }: Pick<IncomingMessage, 'headers' | 'method' | 'url'>): boolean {
  const isNavigation = headers['sec-fetch-mode'] === 'navigate' && headers['sec-fetch-dest'] === 'document';
  return isNavigation && (method === 'GET' || method === 'HEAD') && !isEngineRequest(url);
}

/** JSONP answers with a script, which any page may load and read. */
function refusalOfForm({ url = '' }: IncomingMessage): Refusal | undefined {
  if (!isEngineRequest(url) || !new URLSearchParams(url.slice(url.indexOf('?') + 1)).has('j')) return undefined;
  return { rule: 'jsonp', sentence: 'JSONP polling (j=) is not served; use a client that polls without it, or WebSocket' };
}

/** The names and addresses of this machine. */
function ownHosts(): string[] {
  const name = hostname();
  const addresses = Object.values(networkInterfaces()).flatMap((each) => each?.map(({ address }) => address) ?? []);
  return [name, `${name}.local`, ...addresses];
}
