import { z } from 'zod';
import { knownWord, openObject } from '../json/open-object.ts';
import { errorTable, isWireCode, ShannonDashError, type WireErrorCode } from './errors.ts';

/** What a refused request is answered with, on every transport. A newer server may have codes that are not in the table. */
export const errorAnswer = openObject({
  success: z.literal(false),
  error: z.string(),
  code: knownWord(Object.keys(errorTable) as WireErrorCode[]),
  timestamp: z.string(),
  details: z.unknown().optional(),
  /** After how long the same may be sent again, where it was sent too often. */
  retry_after_ms: z.number().optional(),
  /** By which the log of the server names the request; over HTTP also in the header `x-request-id`. */
  request_id: z.string().optional(),
});

export interface ErrorBody extends z.output<typeof errorAnswer> {}

/** The wire form of any thrown value. The text of an unexpected or a local error stays in the server's log. */
export function errorBody(error: unknown, requestId?: string): ErrorBody {
  const isTold = error instanceof ShannonDashError && isWireCode(error.code);
  const known = isTold ? error : new ShannonDashError('INTERNAL', 'Internal error');
  return {
    success: false,
    error: known.message,
    code: known.code as WireErrorCode,
    timestamp: new Date().toISOString(),
    ...(known.details === undefined ? {} : { details: known.details }),
    ...(known.retryAfterMs === undefined ? {} : { retry_after_ms: known.retryAfterMs }),
    ...(requestId === undefined ? {} : { request_id: requestId }),
  };
}

/** The header of an answer over HTTP that says the same in whole seconds: RFC 9110, section 10.2.3. */
export function retryHeader({ retry_after_ms }: Pick<ErrorBody, 'retry_after_ms'>): { 'retry-after'?: string } {
  return retry_after_ms === undefined ? {} : { 'retry-after': String(Math.ceil(retry_after_ms / 1_000)) };
}

/** Tells an error body from any other answer. */
export function isErrorBody(value: unknown): value is ErrorBody {
  return (
    typeof value === 'object' &&
    value !== null &&
    'success' in value &&
    value.success === false &&
    'error' in value &&
    typeof value.error === 'string' &&
    'code' in value &&
    typeof value.code === 'string'
  );
}
