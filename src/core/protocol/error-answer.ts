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
});

export interface ErrorBody extends z.output<typeof errorAnswer> {}

/** The wire form of any thrown value. The text of an unexpected or a local error stays in the server's log. */
export function errorBody(error: unknown): ErrorBody {
  const isTold = error instanceof ShannonDashError && isWireCode(error.code);
  const known = isTold ? error : new ShannonDashError('INTERNAL', 'Internal error');
  return {
    success: false,
    error: known.message,
    code: known.code as WireErrorCode,
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
