import type { Socket } from 'socket.io-client';
import { ShannonDashError } from '../../core/protocol/errors.ts';
import { serverUrls } from '../../core/text/server-urls.ts';
import { readEnvironment } from '../environment.ts';
import { openSocket } from './client-socket.ts';
import { ClientToken } from './client-token.ts';

export interface ConnectOptions {
  /** Default: $SHANNON_DASH_URL, else http://127.0.0.1:8000. Several with commas between, as in `urls`. */
  url?: string | undefined;
  /** Servers that share a journal, instead of `url`: the first that answers is taken, and when it goes away the next. */
  urls?: readonly string[] | undefined;
  /** Default: $SHANNON_DASH_TOKEN, else what a server of the same user on this machine has left for its programs. */
  token?: string | undefined;
  /** A name shown to others. */
  client?: string | undefined;
  /** Gives up connecting and, later, closes the connection. */
  signal?: AbortSignal | undefined;
  /**
   * True (default): keep trying while the server is away. False: the first connection must succeed at once, or UNREACHABLE;
   * a connection that stood once comes back all the same.
   */
  retry?: boolean | undefined;
  /** How long to wait for the answer to a request, in milliseconds (default 10,000). */
  timeoutMs?: number | undefined;
}

/** One of the servers that a connection can stand to. */
export interface ServerLink {
  readonly url: string;
  readonly token: ClientToken;
  readonly socket: Socket;
}

/** More servers than this are no list that somebody wrote. */
const mostServers = 64;

/** The servers of a connection, in the order in which they are tried. @throws ShannonDashError INVALID */
export function serverLinks({ url, urls, token, client }: ConnectOptions, timeoutMs: number): readonly [ServerLink, ...ServerLink[]] {
  const given = urls ?? serverUrls(url ?? readEnvironment().url ?? 'http://127.0.0.1:8000');
  if (given.length > mostServers) throw new ShannonDashError('INVALID', `urls: ${given.length} servers; ${mostServers} are the most`);
  const links = [...new Set(given)].map((each) => {
    const clientToken = new ClientToken(each, token);
    return { url: each, token: clientToken, socket: openSocket(each, { token: clientToken, client, timeoutMs }) };
  });
  const [first, ...others] = links;
  if (first === undefined) throw new ShannonDashError('INVALID', 'urls: no server is named');
  return [first, ...others];
}
