import { describe, expect, test } from 'vitest';
import { exitCodes } from '../../src/cli/exit-codes.ts';
import { failureOf } from '../../src/cli/failure.ts';
import { errorFromBody } from '../../src/client/connection/connect-failure.ts';
import { errorBody, isErrorBody } from '../../src/core/protocol/error-answer.ts';
import {
  errorRow,
  errorTable,
  localErrorTable,
  ShannonDashError,
  type LocalErrorCode,
  type WireErrorCode,
} from '../../src/core/protocol/errors.ts';

const codes = Object.keys(errorTable) as WireErrorCode[];
const localCodes = Object.keys(localErrorTable) as LocalErrorCode[];

test.each(codes)('%s has a status of its kind, says whether to try again, and a way out', (code) => {
  const { status, retryable, hint } = errorTable[code];
  expect(status).toBeGreaterThanOrEqual(400);
  expect(status).toBeLessThan(600);
  expect(retryable).toBeTypeOf('boolean');
  expect(hint).toMatch(/^[a-z].{9,}[^.]$/);
  // A fault of the request stays one when it is sent again; only a limit passes.
  if (status < 500 && status !== 429) expect(retryable).toBe(false);
});

test('no code is both one of the server and one of the client', () => {
  expect(localCodes.filter((code) => Object.hasOwn(errorTable, code))).toEqual([]);
});

test.each([...codes, ...localCodes])('%s has every column', (code) => {
  const row = errorRow(code);
  expect(row?.isPersonal).toBeTypeOf('boolean');
  expect(row?.retryable).toBeTypeOf('boolean');
  expect(Object.keys(exitCodes)).toContain(row?.exit);
  for (const line of row?.hint.split('\n') ?? []) expect(line).toMatch(/^[a-z].{9,}[^.]$/);
  // The program says it in its own words, and ends as the table says.
  const failure = failureOf(new ShannonDashError(code, 'It is so'));
  expect([failure.hints.join('\n'), failure.exitCode]).toEqual([row?.hint, exitCodes[row?.exit ?? 'ok']]);
});

test.each(localCodes)('%s is never told by a server, nor believed when one tells it', (code) => {
  expect(errorBody(new ShannonDashError(code, 'secret'))).toMatchObject({ code: 'INTERNAL', error: 'Internal error' });
  const told = { success: false, error: 'x', code: code as unknown as WireErrorCode, timestamp: '' } as const;
  expect(errorFromBody(told).code).toBe('INTERNAL');
});

test('a code of a newer server has no row, whatever it is called', () => {
  for (const code of ['NEW_CODE', 'constructor', '__proto__', 'toString']) expect(errorRow(code)).toBeUndefined();
});

describe('the body of an error', () => {
  test.each(codes)('%s: code, sentence, time and details', (code) => {
    const body = errorBody(new ShannonDashError(code, 'It is so', { at: 3 }));
    expect(body).toEqual({ success: false, error: 'It is so', code, timestamp: expect.any(String), details: { at: 3 } });
    expect(new Date(body.timestamp).toISOString()).toBe(body.timestamp);
    expect(isErrorBody(JSON.parse(JSON.stringify(body)))).toBe(true);
  });

  test('has no details where there are none, and never the cause', () => {
    const body = errorBody(new ShannonDashError('JOURNAL_FAILED', 'no', undefined, { cause: new Error('secret') }));
    expect('details' in body).toBe(false);
    expect(JSON.stringify(body)).not.toContain('secret');
  });

  const lookalike = Object.assign(new Error('secret'), { code: 'INVALID', name: 'ShannonDashError', details: 'secret' });
  test.each([new Error('secret'), new TypeError('secret'), 'secret', { message: 'secret' }, lookalike, null, undefined, Symbol('secret')])(
    'of an unexpected error never has its text',
    (error) => {
      const body = errorBody(error);
      expect(body).toEqual({ success: false, error: 'Internal error', code: 'INTERNAL', timestamp: expect.any(String) });
      expect(JSON.stringify(body)).not.toContain('secret');
    },
  );
});

test.each([
  null,
  undefined,
  'x',
  5,
  [],
  {},
  { success: true, error: 'x', code: 'INVALID' },
  { success: false },
  { success: false, error: '' },
])('%j is no error body', (value) => expect(isErrorBody(value)).toBe(false));
