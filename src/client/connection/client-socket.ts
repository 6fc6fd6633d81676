import { io, type Socket } from 'socket.io-client';
import { ShannonDashError } from '../../core/protocol/errors.ts';
import { limits } from '../../core/protocol/limits.ts';
import type { ClientToken } from './client-token.ts';

/**
 * A socket to a server of ours that is not connected yet.
 * @throws ShannonDashError INVALID it is no URL of a server
 */
export function openSocket(
  url: string,
  { token, client, timeoutMs }: { token: ClientToken; client: string | undefined; timeoutMs: number },
): Socket {
  const { origin, pathname } = parseUrl(url);
  return io(origin, {
    path: `${pathname.replace(/\/+$/, '')}/socket.io`,
    auth: (send) =>
      void token
        .get()
        .then((text) =>
          send({ ...(text === undefined ? {} : { token: text }), ...(client === undefined ? {} : { client }), subscribe: false }),
        ),
    transports: ['websocket', 'polling'],
    tryAllTransports: true,
    forceNew: true,
    autoConnect: false,
    timeout: timeoutMs,
    // Socket.IO's own reconnection neither tells when it tries again nor does it after the server ended the connection.
    reconnection: false,
  });
}

/** Why a connection ended, in words. @param details Socket.IO's; the code 1009 of WebSocket: a message was too large */
export function lossReason(reason: string, details: unknown): string {
  const { context } = (details ?? {}) as { context?: { code?: unknown } };
  return context?.code === 1009
    ? `a message was larger than the server takes (${limits.requestBytes} bytes); send less at a time`
    : `connection lost: ${reason}`;
}

/** @throws ShannonDashError INVALID */
function parseUrl(url: string): URL {
  const parsed = URL.parse(url);
  if (parsed === null || !/^https?:$/.test(parsed.protocol)) throw new ShannonDashError('INVALID', `url: ${url} is not an http(s) URL`);
  return parsed;
}
