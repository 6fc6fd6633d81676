import type { Socket } from 'node:net';
import type { FastifyReply, FastifyRequest } from 'fastify';
import { commandNames } from '../../core/protocol/command.ts';
import { cutText } from '../../core/text/cut-text.ts';
import { errorBody, isErrorBody, retryHeader, type ErrorBody } from '../../core/protocol/error-answer.ts';
import { errorTable, ShannonDashError, type ErrorCode } from '../../core/protocol/errors.ts';
import { limits } from '../../core/protocol/limits.ts';
import { knowsPaths } from '../access/guarded-server.ts';
import { toldError } from '../access/local-caller.ts';
import { hasPatience, newRequestId, noteRefused, requestIdOf } from '../access/request-mark.ts';

/** Answers any error in the one form, also those of Fastify's own router. To be set before any plugin adds routes. */
export function answerError(error: unknown, request: FastifyRequest, reply: FastifyReply): void {
  void sendError(reply, toKnownError(error, request));
}

/** As `answerError`, for the routes of commands: the refusal names the command. */
export function answerCommandError(error: unknown, request: FastifyRequest, reply: FastifyReply): void {
  const body = refusalBody(request, toKnownError(error, request));
  void reply
    .code(errorTable[body.code].status)
    .headers(retryHeader(body))
    .send({ ...body, ...commandNames(request.body) });
}

const timeoutCode = 'ERR_HTTP_REQUEST_TIMEOUT';

const badRequests: ReadonlyMap<string | undefined, string> = new Map([
  ['HPE_HEADER_OVERFLOW', '431 Request Header Fields Too Large'],
  [timeoutCode, '408 Request Timeout'],
]);

/** Answers what is no HTTP at all, or does not come to an end. */
export function answerBadRequest(error: Error & { code?: string }, socket: Socket): void {
  // Node says so once for each request.
  if (error.code === timeoutCode && hasPatience(socket)) return;
  if (socket.writable && error.code !== 'ECONNRESET') {
    const status = badRequests.get(error.code) ?? '400 Bad Request';
    const sentence =
      error.code === timeoutCode
        ? `A request must be whole within ${limits.requestMs / 1_000} s, and its headers within ${limits.headersMs / 1_000} s; send less at a time`
        : `This is no HTTP request that can be read: ${error.message}`;
    const body = JSON.stringify(errorBody(new ShannonDashError('INVALID', sentence), newRequestId()));
    socket.write(
      `HTTP/1.1 ${status}\r\nContent-Type: application/json\r\nContent-Length: ${Buffer.byteLength(body)}\r\nConnection: close\r\n\r\n${body}`,
    );
  }
  socket.destroySoon();
}

export function sendError(reply: FastifyReply, error: ShannonDashError): FastifyReply {
  const body = refusalBody(reply.request, error);
  return reply.code(errorTable[body.code].status).headers(retryHeader(body)).send(body);
}

/** What a request is refused with, which is counted. */
export function refusalBody({ raw }: FastifyRequest, error: ShannonDashError): ErrorBody {
  noteRefused(raw, error);
  return errorBody(error, requestIdOf(raw));
}

/** Fastify's own errors in our form; anything unexpected is logged and answered without its text. */
function toKnownError(error: unknown, request: FastifyRequest): ShannonDashError {
  if (error instanceof ShannonDashError) return toldError(error, knowsPaths(request.raw)) as ShannonDashError;
  if (isErrorBody(error)) return new ShannonDashError(error.code, error.error);
  const { statusCode, message } = error as { statusCode?: number; message?: string };
  const byStatus: Record<number, ErrorCode> = {
    400: 'INVALID',
    404: 'NOT_FOUND',
    413: 'TOO_LARGE',
    // A name longer than any can be.
    414: 'NOT_FOUND',
    415: 'UNSUPPORTED',
    503: 'UNAVAILABLE',
  };
  const code = statusCode === undefined ? undefined : byStatus[statusCode];
  if (code === 'UNSUPPORTED') return unreadType(request);
  if (code === 'TOO_LARGE')
    return new ShannonDashError(code, `A request must be at most ${limits.requestBytes} bytes; send less at a time`);
  if (code !== undefined) return new ShannonDashError(code, cutText(message ?? 'Bad request', 300));
  request.log.error({ err: error }, 'a request failed');
  return new ShannonDashError('INTERNAL', 'Internal error');
}

/** What `curl -d` sends unless told otherwise is a form. */
function unreadType({ headers }: FastifyRequest): ShannonDashError {
  const type = headers['content-type']?.slice(0, 100) ?? 'none';
  return new ShannonDashError('UNSUPPORTED', `Content-Type ${type} is not read here; send application/json or application/x-ndjson`);
}
