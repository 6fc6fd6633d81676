import { z } from 'zod';
import { knownWord, openObject } from '../json/open-object.ts';
import { maskPasswords } from '../text/mask-passwords.ts';

/** One row per error: HTTP status, whether trying again can help, and the way out. Codes are wire names. */
export const errorTable = {
  INVALID: { status: 400, retryable: false, hint: 'correct the named field and send it again' },
  UNAUTHENTICATED: { status: 401, retryable: false, hint: 'send a token' },
  FORBIDDEN: { status: 403, retryable: false, hint: 'use an allowed origin, host or role' },
  NOT_FOUND: { status: 404, retryable: false, hint: 'list what exists: GET /api/sessions' },
  CONFLICT: { status: 409, retryable: false, hint: 'look at the current state, then decide again' },
  SUPERSEDED: { status: 409, retryable: false, hint: 'another orchestrator has taken this session over' },
  TOO_LARGE: { status: 413, retryable: false, hint: 'send less at a time' },
  UNSUPPORTED: { status: 415, retryable: false, hint: 'send application/json or application/x-ndjson' },
  LIMIT_REACHED: { status: 429, retryable: true, hint: 'finish or delete something first' },
  INTERNAL: { status: 500, retryable: false, hint: 'look at the log of the server' },
  JOURNAL_FAILED: { status: 503, retryable: true, hint: 'check the disk of the server, then send it again with the same id' },
  UNAVAILABLE: { status: 503, retryable: true, hint: 'try again in a moment' },
  UNREACHABLE: { status: 503, retryable: true, hint: 'start a server: shannon-dash serve' },
  TIMEOUT: { status: 504, retryable: true, hint: 'the outcome is unknown: look before you send it again' },
} as const satisfies Record<string, { status: number; retryable: boolean; hint: string }>;

export type ErrorCode = keyof typeof errorTable;

/** What a refused request is answered with, on every transport. A newer server may have codes that are not in the table. */
export const errorAnswer = openObject({
  success: z.literal(false),
  error: z.string(),
  code: knownWord(Object.keys(errorTable) as ErrorCode[]),
  timestamp: z.string(),
  details: z.unknown().optional(),
});

export interface ErrorBody extends z.output<typeof errorAnswer> {}

/** An error with a code of the table. `message` is a sentence for people; `details` is JSON for programs. */
export class ShannonDashError extends Error {
  readonly code: ErrorCode;
  readonly details: unknown;

  constructor(code: ErrorCode, message: string, details?: unknown, options?: ErrorOptions) {
    // Many name the URL that was asked, and errors end up in logs and on screens.
    super(maskPasswords(message), options);
    this.name = 'ShannonDashError';
    this.code = code;
    this.details = details;
  }
}

/** The wire form of any thrown value. The text of an unexpected error stays in the server's log. */
export function errorBody(error: unknown): ErrorBody {
  const known = error instanceof ShannonDashError ? error : new ShannonDashError('INTERNAL', 'Internal error');
  return {
    success: false,
    error: known.message,
    code: known.code,
    timestamp: new Date().toISOString(),
    ...(known.details === undefined ? {} : { details: known.details }),
  };
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
