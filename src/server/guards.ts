import type { IncomingMessage } from 'node:http';

/** Where the older browser dashboards of Shannon v4 are served from. */
const dashboardOrigins = ['http://localhost:3000', 'http://127.0.0.1:3000', 'http://localhost:5173', 'http://127.0.0.1:5173'];
const loopbackHosts = new Set(['localhost', '127.0.0.1', '[::1]']);

export interface Guards {
  /** Whether a page of this origin may call. */
  allowsOrigin(origin: string, host: string | undefined): boolean;
  /** Why a request is refused; undefined when it may pass. */
  refusalOf(request: IncomingMessage): string | undefined;
}

/**
 * Keeps foreign web pages out. A browser sends `Origin`, which must be our own or a listed one; and a server on the
 * loopback interface answers to loopback names only, so that a name rebound to 127.0.0.1 gets nothing.
 * @param origins further origins that may call; `*` allows any
 */
export function createGuards(options: { origins?: readonly string[] | undefined; isLoopback: () => boolean }): Guards {
  const origins = new Set([...dashboardOrigins, ...(options.origins ?? [])]);
  const allowsOrigin = (origin: string, host: string | undefined): boolean =>
    origins.has('*') || origins.has(origin) || (host !== undefined && (origin === `http://${host}` || origin === `https://${host}`));
  return {
    allowsOrigin,
    refusalOf({ headers: { host, origin } }) {
      const name = host?.replace(/:\d+$/, '').toLowerCase();
      if (options.isLoopback() && name !== undefined && !loopbackHosts.has(name)) {
        return `This server answers to localhost only, not to ${name.slice(0, 100)}`;
      }
      if (origin !== undefined && !allowsOrigin(origin, host)) {
        return `Origin ${origin.slice(0, 200)} is not allowed; start the server with --cors-origin ${origin.slice(0, 200)}`;
      }
      return undefined;
    },
  };
}
