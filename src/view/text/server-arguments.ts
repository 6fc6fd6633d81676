import { isLoopback } from '../../core/loopback.ts';
import { serverUrls } from '../../core/text/server-urls.ts';
import { shown } from './shown-text.ts';

/** What a command to type needs so that it reaches this server, with a space before it. */
export function urlArgument(url: string): string {
  return url === 'http://127.0.0.1:8000' ? '' : ` --url ${shown(url, 200)}`;
}

/** The same for `serve`. Undefined: this URL is none of this machine's. */
export function serveArgument(url: string): string | undefined {
  if (serverUrls(url).length > 1) return undefined;
  const { hostname, port, protocol } = URL.parse(url) ?? new URL('http://127.0.0.1:8000');
  if (protocol !== 'http:' || !isLoopback(hostname)) return undefined;
  const host = hostname === 'localhost' || hostname === '127.0.0.1' ? '' : ` --host ${hostname.replaceAll(/[[\]]/g, '')}`;
  return `${host}${port === '8000' ? '' : ` --port ${port === '' ? '80' : port}`}`;
}
