import type { IncomingMessage } from 'node:http';
import { ShannonDashError } from '../../core/protocol/errors.ts';
import { isLoopback } from '../../core/loopback.ts';

/** What a proxy adds to a request that comes from somewhere else. */
const proxyHeaders = ['forwarded', 'x-forwarded-for', 'x-forwarded-host', 'x-real-ip', 'via'];

/**
 * Whether a caller may know where this machine keeps its files. A program on this machine may, as the command line. A caller on
 * another machine may not, also when it calls through a proxy here, and neither may a web page. To be asked before an answer names a path.
 */
export function mayKnowPaths(request: Pick<IncomingMessage, 'socket' | 'headers'>): boolean {
  const { socket, headers } = request;
  const isFromHere = isLoopback(socket.localAddress ?? '') && isLoopback(socket.remoteAddress ?? '');
  const isProgram = headers.origin === undefined && headers['sec-fetch-site'] === undefined;
  return isFromHere && isProgram && isDirect(request);
}

/** Whether a request names this machine and shows no sign of a proxy, which would call for somebody else. */
export function isDirect({ headers }: Pick<IncomingMessage, 'headers'>): boolean {
  return (headers.host === undefined || isLoopback(headers.host)) && proxyHeaders.every((name) => headers[name] === undefined);
}

/** An error as a caller may read it: only a caller that may know paths reads the path of a file that failed. The log has the whole error. */
export function toldError(error: unknown, knowsPaths: boolean): unknown {
  if (knowsPaths || !(error instanceof ShannonDashError) || error.code !== 'JOURNAL_FAILED') return error;
  return new ShannonDashError('JOURNAL_FAILED', "The journal failed; the server's log says why", undefined, { cause: error });
}
