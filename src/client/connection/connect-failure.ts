import type { z } from 'zod';
import { check } from '../../core/json/parse.ts';
import { fieldPath } from '../../core/json/field-path.ts';
import { isErrorBody, type ErrorBody } from '../../core/protocol/error-answer.ts';
import { errorRow, localErrorTable, ShannonDashError } from '../../core/protocol/errors.ts';

const reasons: ReadonlyMap<string, string> = new Map([
  ['ECONNREFUSED', 'connection refused'],
  ['ENOTFOUND', 'no such host'],
  ['EAI_AGAIN', 'no such host'],
  ['ECONNRESET', 'connection reset'],
  ['ETIMEDOUT', 'timed out'],
  ['EHOSTUNREACH', 'no route to the host'],
  ['ENETUNREACH', 'no route to the network'],
  ['EPROTO', 'it does not speak HTTPS: try http://'],
  ['ERR_SSL_PACKET_LENGTH_TOO_LONG', 'it does not speak HTTPS: try http://'],
  ['ERR_SSL_WRONG_VERSION_NUMBER', 'it does not speak HTTPS: try http://'],
  ['bad port', 'browsers and fetch refuse this port: serve on another one'],
  ['CERT_HAS_EXPIRED', 'its certificate has expired'],
  ['DEPTH_ZERO_SELF_SIGNED_CERT', 'its certificate is self-signed'],
]);

/** The error that a server's error body stands for. That no answer came is for the client to say: no server can. */
export function errorFromBody({ code, error, details, retry_after_ms }: ErrorBody): ShannonDashError {
  return new ShannonDashError(Object.hasOwn(localErrorTable, code) ? 'INTERNAL' : code, error, details, { retryAfterMs: retry_after_ms });
}

/**
 * What a server sent, as its schema has it; unknown fields are kept.
 * @param from what: the message or answer, by its name
 * @throws ShannonDashError UNSUPPORTED it does not fit
 */
export function readAs<Schema extends z.ZodType>(schema: Schema, value: unknown, from: { url: string; what: string }): z.output<Schema> {
  const result = check(schema, value);
  if (result.success) return result.data;
  const [issue] = result.error.issues;
  const fault = issue === undefined ? 'it is invalid' : `${fieldPath('', issue.path) || 'it'} ${issue.message}`;
  throw new ShannonDashError('UNSUPPORTED', `${from.url} sent what this client cannot read: ${from.what}: ${fault}`, {
    message: from.what,
    path: fieldPath('', issue?.path ?? []),
  });
}

/** Whether the same again may succeed. A code that this version does not know is taken as final. */
export function isRetryable(error: unknown): boolean {
  return error instanceof ShannonDashError && errorRow(error.code)?.retryable === true;
}

/** Any thrown value as an error with a code. */
export function asShannonDashError(error: unknown): ShannonDashError {
  if (error instanceof ShannonDashError) return error;
  return new ShannonDashError('INTERNAL', error instanceof Error ? error.message : String(error), undefined, { cause: error });
}

/** `cannot reach URL (why)`. */
export function unreachable(url: string, reason: string, cause?: unknown): ShannonDashError {
  return new ShannonDashError('UNREACHABLE', `cannot reach ${url} (${reason})`, undefined, cause === undefined ? undefined : { cause });
}

/** Why a connection failed, in words: `connection refused`. */
export function reasonOf(error: unknown): string {
  const code = codeOf(error);
  if (code !== undefined) return reasons.get(code) ?? code;
  const message = innermost(error);
  return reasons.get(message) ?? message;
}

/** The message of the first cause: `fetch failed` alone does not tell why. */
function innermost(error: unknown): string {
  if (!(error instanceof Error)) return String(error);
  return error.cause instanceof Error ? innermost(error.cause) : error.message;
}

/** What Socket.IO's `connect_error` means: the server's own refusal, the status of a proxy, or no server there. */
export function connectFailure(url: string, error: Error): ShannonDashError {
  const { data, description, context } = error as {
    data?: unknown;
    description?: unknown;
    context?: { statusText?: unknown; responseText?: unknown };
  };
  if (isErrorBody(data)) return errorFromBody(data);
  if (description === 429) {
    const body = bodyOf(context?.responseText);
    if (isErrorBody(body)) return errorFromBody(body);
  }
  if (description === 401 || description === 403) {
    return new ShannonDashError(
      description === 401 ? 'UNAUTHENTICATED' : 'FORBIDDEN',
      messageOf(context?.responseText) ?? `${url} refused the connection (status ${description})`,
      undefined,
      { cause: error },
    );
  }
  if (typeof description === 'number' && description > 0) return unreachable(url, `it answered with status ${description}`, error);
  const code = codeOf(context?.statusText) ?? codeOf((description as { error?: unknown } | undefined)?.error);
  const reason = code === undefined ? undefined : (reasons.get(code) ?? code);
  return unreachable(url, reason ?? (error.message === 'timeout' ? 'no answer' : error.message), error);
}

/** Engine.IO's own refusals are `{code, message}` in the body of the answer. */
function messageOf(text: unknown): string | undefined {
  const { error, message } = (bodyOf(text) ?? {}) as { error?: unknown; message?: unknown };
  return typeof error === 'string' ? error : typeof message === 'string' ? message : undefined;
}

function bodyOf(text: unknown): unknown {
  try {
    return JSON.parse(String(text));
  } catch {
    return undefined;
  }
}

function codeOf(error: unknown): string | undefined {
  if (typeof error !== 'object' || error === null) return undefined;
  if ('code' in error && typeof error.code === 'string') return error.code;
  return 'cause' in error ? codeOf(error.cause) : undefined;
}
