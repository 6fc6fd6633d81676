import * as fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import { firstInexactNumber, parseJson, withExactNumbers } from '../../src/core/json/exact-json.ts';

describe('a number in JSON', () => {
  test.each([
    '12345678901234567890',
    '-12345678901234567890',
    '9007199254740993',
    '1152921504606846976',
    '1e400',
    '-1e400',
    '1e-400',
    '1234567890.1234567e20',
    '1.2345678901234567890e25',
  ])('%s is refused, by the path of its field', (number) => {
    const json = `{"a":[{"x":"${number}, \\"y\\":1"},{"say \\"b\\"" : ${number}}]}`;
    expect(() => parseJson(json, 'data')).toThrow(`data.a[1].say "b": ${number} cannot be kept as a number without changing it`);
    expect(JSON.parse(withExactNumbers(json) ?? '')).toEqual({ a: [{ x: `${number}, "y":1` }, { 'say "b"': number }] });
  });

  test.each([
    '0',
    '-0',
    '0e999',
    '9007199254740991',
    '9007199254740992',
    '1e22',
    '1e300',
    '1.5e10',
    '10000000000000000000000',
    '1764321098765000000',
    '0.1000000000000000055511151231257827',
    '3.141592653589793238462643',
    '1.7976931348623157e308',
    '5e-324',
  ])('%s is kept', (number) => {
    const json = `{"a": ${number}}`;
    expect(parseJson(json)).toEqual({ a: Number(number) });
    expect(withExactNumbers(json)).toBe(json);
  });

  test('is made a text at most 1,000 times in one JSON', () => {
    const list = (count: number) => `[${Array.from({ length: count }, () => '1e400').join(',')}]`;
    expect(withExactNumbers(list(1_000))).toBe(list(1_000).replaceAll('1e400', '"1e400"'));
    expect(withExactNumbers(list(1_001))).toBeUndefined();
  });

  test('in a text is no number', () => {
    const json = JSON.stringify({ a: ': 12345678901234567890', ', 1e400': ['\\", 1e400'] });
    expect(firstInexactNumber(json)).toBeUndefined();
  });

  test('of any JSON that JavaScript writes is kept', () => {
    fc.assert(
      fc.property(fc.json(), (json) => {
        expect(firstInexactNumber(json)).toBeUndefined();
      }),
    );
    fc.assert(
      fc.property(fc.double({ noNaN: true, noDefaultInfinity: true }), (number) => {
        expect(firstInexactNumber(`[${JSON.stringify(number)}]`)).toBeUndefined();
      }),
    );
  });

  test.each(['{"a":1e400', '[[[[,1e400', '"\\', '}}}},12345678901234567890', '{"a" 1e400:}'])(
    'in what is no JSON (%s) ends no walk',
    (text) => {
      expect(() => parseJson(text)).toThrow(SyntaxError);
      expect(() => firstInexactNumber(text)).not.toThrow();
      expect(() => withExactNumbers(text)).not.toThrow();
    },
  );
});
