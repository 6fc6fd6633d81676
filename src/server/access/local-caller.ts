import type { IncomingMessage } from 'node:http';
import { ShannonDashError } from '../../core/protocol/errors.ts';
import { isLoopback } from '../../core/loopback.ts';

/** What a proxy adds to a request that comes from somewhere else. */
const proxyHeaders = ['forwarded', 'x-forwarded-for', 'x-forwarded-host', 'x-real-ip', 'via'];

/**
 * Whether a caller may know where this machine keeps its files: a program on it, as the command line. Nobody who calls from
 * elsewhere, be it by way of a proxy here, and no web page. To be asked before an answer names a path.
 */
export function mayKnowPaths({ socket, headers }: Pick<IncomingMessage, 'socket' | 'headers'>): boolean {
  const isFromHere = isLoopback(socket.localAddress ?? '') && isLoopback(socket.remoteAddress ?? '');
  const isProgram = headers.origin === undefined && headers['sec-fetch-site'] === undefined;
  const isDirect = (headers.host === undefined || isLoopback(headers.host)) && proxyHeaders.every((name) => headers[name] === undefined);
  return isFromHere && isProgram && isDirect;
}

/** An error as a caller may read it: what goes wrong with a file is told with its path. The log has the whole. */
export function toldError(error: unknown, knowsPaths: boolean): unknown {
  if (knowsPaths || !(error instanceof ShannonDashError) || error.code !== 'JOURNAL_FAILED') return error;
  return new ShannonDashError('JOURNAL_FAILED', "The journal failed; the server's log says why", undefined, { cause: error });
}
