import { STATUS_CODES, type IncomingMessage, type Server, type ServerResponse } from 'node:http';
import type { Duplex } from 'node:stream';
import cors from 'cors';
import { errorBody, retryHeader } from '../../core/protocol/error-answer.ts';
import { errorTable, isWireCode, ShannonDashError } from '../../core/protocol/errors.ts';
import { CountedLog } from '../counted-log.ts';
import type { ServerLog } from '../server-log.ts';
import { tokenMissing, type Authenticator, type Caller } from './authenticator.ts';
import type { CallerLimits } from './limits/caller-limits.ts';
import { mayKnowPaths } from './local-caller.ts';
import type { OriginGuard } from './origin-guard.ts';
import { onTokenEnd } from './principal.ts';
import { markRequest, requestIdOf, type OnRefused } from './request-mark.ts';

/**
 * The headers of every answer, those of Engine.IO and refusals too. A browser must not guess another type for it, show it in a frame,
 * or give it to a page of another site. Set here and not by helmet: of its defaults, half concern
 * browsers that are gone, and those for pages would be weaker than these, which forbid everything; what a page needs, it adds.
 */
const pageHeaders: readonly (readonly [string, string])[] = [
  ['x-content-type-options', 'nosniff'],
  ['cross-origin-resource-policy', 'same-origin'],
  ['x-frame-options', 'DENY'],
  ['content-security-policy', "default-src 'none'; base-uri 'none'; form-action 'none'; frame-ancestors 'none'"],
];
/** Browsers that have seen this come by https only, for a year. */
const httpsOnly = ['strict-transport-security', 'max-age=31536000'] as const;

/** Lets the origin of a request read the answer. For requests only that the guard has let pass. */
const allowReading = cors({ origin: true, credentials: true, methods: ['GET', 'POST', 'DELETE'] });

/** Who sent a request that the guard has let pass. A property of the request: a map of all of them costs each request microseconds. */
const sender = Symbol('sender');
type SentRequest = IncomingMessage & { [sender]?: Caller };

/** Who sent a request. @throws Error the request did not come by the guard */
export function callerOf(request: SentRequest): Caller {
  const caller = request[sender];
  if (caller === undefined) throw new Error('A request has come past the guard');
  return caller;
}

/** Whether the caller may know where this machine keeps its files: only a program of the server's own user, on this machine. */
export function knowsPaths(request: IncomingMessage): boolean {
  return callerOf(request).kind === 'local' && mayKnowPaths(request);
}

export interface GuardParts {
  guard: OriginGuard;
  authenticator: Authenticator;
  limits: CallerLimits;
  log: ServerLog;
  onRefused: OnRefused;
  /** Whether browsers reach the server by https. */
  isHttps: boolean;
}

/**
 * Puts the guard before everything that answers requests of this server: routes, Engine.IO's polling, upgrades to WebSocket, and
 * preflights. It refuses foreign pages and wrong tokens; what a caller without a token may do, the edges decide. To be called once
 * all of them have added their listeners.
 */
export function guardServer(server: Server, { guard, authenticator, limits, log, onRefused, isHttps }: GuardParts): void {
  const refusals = new CountedLog(log);
  const tellOfRefusal = (request: IncomingMessage, { code, message }: ShannonDashError) =>
    refusals.warn(
      code,
      { rule: 'token', address: limits.addressOf(request), path: pathOf(request), request_id: requestIdOf(request) },
      message,
    );
  /** Lets a request pass, or gives the reason why not. */
  const judge = (request: SentRequest, pass: (caller: Caller) => void, refuse: (error: ShannonDashError) => void): void => {
    const refusal = guard.refusalOf(request);
    if (refusal !== undefined) {
      const { origin, host } = request.headers;
      refusals.warn(
        refusal.rule,
        { rule: refusal.rule, origin, host, path: pathOf(request), request_id: requestIdOf(request) },
        refusal.sentence,
      );
      refuse(new ShannonDashError('FORBIDDEN', refusal.sentence));
      return;
    }
    const letIn = (caller: Caller) => {
      if (limits.owners.isForeign(request, caller))
        throw new ShannonDashError('FORBIDDEN', 'This connection was opened by another caller; open one of your own');
      const letPass = () => {
        request[sender] = caller;
        if (!request.socket.destroyed) pass(caller);
      };
      const admitted = limits.admit(request, caller);
      return admitted === undefined ? letPass() : admitted.then(letPass);
    };
    const refuseCaller = (error: unknown) => {
      if (!(error instanceof ShannonDashError)) throw error;
      tellOfRefusal(request, error);
      refuse(error);
    };
    try {
      const caller = authenticator.callerOf(request);
      if (caller instanceof Promise) caller.then(letIn).catch(refuseCaller);
      else letIn(caller)?.catch(refuseCaller);
    } catch (error) {
      refuseCaller(error);
    }
  };

  const headers = isHttps ? [...pageHeaders, httpsOnly] : pageHeaders;
  const onRequest = takeListeners(server, 'request');
  server.on('request', (request: IncomingMessage, response: ServerResponse) => {
    for (const [name, value] of headers) response.setHeader(name, value);
    const id = markRequest(request, onRefused);
    response.setHeader('x-request-id', id);
    tellOfEnd(request, response, log);
    judge(
      request,
      (caller) => {
        endWithToken(request, response);
        if (caller.kind === 'unknown') response.once('close', () => response.statusCode === 401 && tellOfRefusal(request, tokenMissing()));
        if (limits.answering(request, caller)) response.setHeader('connection', 'close');
        allowReading(request, response, () => onRequest(request, response));
      },
      (error) => {
        onRefused(error);
        for (const [name, value] of Object.entries(refusalHeaders(error))) response.setHeader(name, value);
        // What may follow of a refused request is not read.
        response.writeHead(statusOf(error), { connection: 'close' }).end(JSON.stringify(errorBody(error, id)));
      },
    );
  });

  const onUpgrade = takeListeners(server, 'upgrade');
  server.on('upgrade', (request: IncomingMessage, socket: Duplex, head: Buffer) => {
    const ignore = () => undefined;
    const id = markRequest(request, onRefused);
    // While the caller is looked up nobody else listens, and an error would end the process.
    socket.on('error', ignore);
    judge(
      request,
      () => {
        socket.off('error', ignore);
        endWithToken(request, socket);
        onUpgrade(request, socket, head);
        limits.upgraded(request);
      },
      (error) => {
        onRefused(error);
        const body = JSON.stringify(errorBody(error, id));
        const headers = Object.entries({
          ...refusalHeaders(error),
          'x-request-id': id,
          'content-length': Buffer.byteLength(body),
          connection: 'close',
        });
        const lines = headers.map(([name, value]) => `${name}: ${value}\r\n`).join('');
        socket.end(`HTTP/1.1 ${statusOf(error)} ${STATUS_CODES[statusOf(error)]}\r\n${lines}\r\n${body}`);
      },
    );
  });
}

/** Destroys a connection when the token that let a request in expires or is revoked, as long as `lasting`, which it answers, is open. */
function endWithToken(request: IncomingMessage, lasting: ServerResponse | Duplex): void {
  const caller = callerOf(request);
  if (caller.kind !== 'token' || caller.principal.token === undefined) return;
  lasting.once(
    'close',
    onTokenEnd(caller.principal.token, () => request.socket.destroy()),
  );
}

function statusOf({ code }: ShannonDashError): number {
  return errorTable[isWireCode(code) ? code : 'INTERNAL'].status;
}

/** The headers of a refusal; RFC 6750, section 3, for one that wants a token. */
function refusalHeaders({ code, retryAfterMs }: ShannonDashError): Record<string, string> {
  return {
    'content-type': 'application/json; charset=utf-8',
    ...retryHeader({ retry_after_ms: retryAfterMs }),
    ...(code === 'UNAUTHENTICATED' ? { 'www-authenticate': 'Bearer realm="shannon-dash"' } : {}),
  };
}

/** Logs one line for each request at debug level. It leaves the query out, which may hold a secret. */
function tellOfEnd(request: IncomingMessage, response: ServerResponse, log: ServerLog): void {
  if (!log.isLevelEnabled('debug')) return;
  const startedAt = performance.now();
  response.once('close', () => {
    const { method, headers } = request;
    const isWhole = response.writableFinished;
    log.debug(
      {
        request_id: requestIdOf(request),
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
