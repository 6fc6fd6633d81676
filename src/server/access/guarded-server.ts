import type { IncomingMessage, Server, ServerResponse } from 'node:http';
import type { Duplex } from 'node:stream';
import cors from 'cors';
import type { Logger } from 'pino';
import { errorBody } from '../../core/protocol/error-answer.ts';
import { ShannonDashError } from '../../core/protocol/errors.ts';
import { CountedLog } from '../counted-log.ts';
import type { OriginGuard, Refusal } from './origin-guard.ts';

/** The headers of every answer. A browser must not guess another type for it, show it in a frame, or give it to a page of another site. */
const pageHeaders = {
  'x-content-type-options': 'nosniff',
  'cross-origin-resource-policy': 'same-origin',
  'x-frame-options': 'DENY',
  'content-security-policy': "default-src 'none'; frame-ancestors 'none'",
} as const;

/** Lets the origin of a request read the answer. For requests only that the guard has let pass. */
const allowReading = cors({ origin: true, credentials: true, methods: ['GET', 'POST', 'DELETE'] });

/**
 * Puts the guard before everything that answers requests of this server: routes, Engine.IO's polling, upgrades to WebSocket, and
 * preflights. To be called once all of them have added their listeners.
 */
export function guardServer(server: Server, guard: OriginGuard, log: Logger): void {
  const refusals = new CountedLog(log);
  const refuse = (request: IncomingMessage, { rule, sentence }: Refusal): string => {
    const { origin, host } = request.headers;
    refusals.warn(rule, { rule, origin, host, path: pathOf(request) }, sentence);
    return JSON.stringify(errorBody(new ShannonDashError('FORBIDDEN', sentence)));
  };

  const onRequest = takeListeners(server, 'request');
  server.on('request', (request: IncomingMessage, response: ServerResponse) => {
    for (const [name, value] of Object.entries(pageHeaders)) response.setHeader(name, value);
    tellOfEnd(request, response, log);
    const refusal = guard.refusalOf(request);
    if (refusal === undefined) {
      allowReading(request, response, () => onRequest(request, response));
      return;
    }
    response.writeHead(403, { 'content-type': 'application/json; charset=utf-8' }).end(refuse(request, refusal));
  });

  const onUpgrade = takeListeners(server, 'upgrade');
  server.on('upgrade', (request: IncomingMessage, socket: Duplex, head: Buffer) => {
    const refusal = guard.refusalOf(request);
    if (refusal === undefined) {
      onUpgrade(request, socket, head);
      return;
    }
    const body = refuse(request, refusal);
    socket.on('error', () => undefined);
    socket.end(
      `HTTP/1.1 403 Forbidden\r\nContent-Type: application/json; charset=utf-8\r\nContent-Length: ${Buffer.byteLength(body)}\r\nConnection: close\r\n\r\n${body}`,
    );
  });
}

/** Logs one line for each request at debug level. It leaves the query out, which may hold a secret. */
function tellOfEnd(request: IncomingMessage, response: ServerResponse, log: Logger): void {
  if (!log.isLevelEnabled('debug')) return;
  const startedAt = performance.now();
  response.once('close', () => {
    const { method, headers } = request;
    const isWhole = response.writableFinished;
    log.debug(
      {
        method,
        path: pathOf(request),
        status: response.statusCode,
        ms: Math.round(performance.now() - startedAt),
        client: headers['x-client'],
        isWhole,
      },
      'request',
    );
  });
}

/** The path of a request without the secret of a decision's link. */
function pathOf({ url = '' }: IncomingMessage): string {
  return (url.split('?', 1)[0] ?? '').replace(/\/answer\/[^/]*/, '/answer/...');
}

/** Removes the listeners of an event, and returns one function that calls them. */
function takeListeners(server: Server, event: 'request' | 'upgrade'): (...args: unknown[]) => void {
  const listeners = server.listeners(event) as ((...args: unknown[]) => void)[];
  server.removeAllListeners(event);
  return (...args) => {
    for (const listener of listeners) listener.apply(server, args);
  };
}
