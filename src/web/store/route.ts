import { isSessionId } from '../../core/ids.ts';

/** What the address of the page names: all sessions, what they add up to, or one; and of that one now, or the moment after an event. */
export interface Route {
  session: string | undefined;
  at: number | undefined;
  /** What all sessions add up to, instead of their list. */
  analytics?: boolean;
}

/** The route of an address. What names no session is the overview. */
export function routeOf({ pathname, search }: Pick<URL, 'pathname' | 'search'>): Route {
  if (pathname === '/analytics') return { session: undefined, at: undefined, analytics: true };
  const [, name] = /^\/s\/([^/]+)$/.exec(pathname) ?? [];
  const session = name === undefined ? undefined : decoded(name);
  if (!isSessionId(session)) return { session: undefined, at: undefined };
  const at = new URLSearchParams(search).get('at') ?? '';
  return { session, at: /^\d{1,15}$/.test(at) && Number(at) > 0 ? Number(at) : undefined };
}

/** The address of a route, below the server's own. */
export function pathOf({ session, at, analytics }: Route): string {
  if (session === undefined) return analytics === true ? '/analytics' : '/';
  return `/s/${encodeURIComponent(session)}${at === undefined ? '' : `?at=${at}`}`;
}

function decoded(text: string): string {
  try {
    return decodeURIComponent(text);
  } catch {
    return '';
  }
}
