import * as fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import { eventFilter, eventTypes, matchesGlob } from '../../src/core/event-filter.ts';
import { limits } from '../../src/core/protocol/limits.ts';

describe('a glob', () => {
  test.each([
    ['skill:*', 'skill:started', true],
    ['skill:*', 'skills:started', false],
    ['skill:*', 'skill:', true],
    ['*:failed', 'skill:failed', true],
    ['*:failed', 'skill:failed2', false],
    ['*', 'anything:at.all', true],
    ['skill:started', 'skill:started', true],
    ['skill:started', 'skill:started2', false],
    ['s*l:*d', 'skill:started', true],
    ['s*l:*d', 'skill:start', false],
    ['ab*ba', 'aba', false],
    ['ab*ba', 'abba', true],
    ['a*b*a', 'aba', true],
    ['a*ab*b', 'ab', false],
    ['**', '', true],
    ['', '', true],
    ['', 'a', false],
    ['a?c', 'abc', false],
    ['[a]:.', 'a:b', false],
    ['a.c', 'abc', false],
    ['.*', 'abc', false],
  ])('%s on %s: %s', (glob, type, passes) => expect(matchesGlob(glob, type)).toBe(passes));

  test('matches what a table of all prefixes says', () => {
    const letters = (of: string, maxLength: number) => fc.string({ unit: fc.constantFrom(...of.split('')), maxLength });
    fc.assert(
      fc.property(letters('ab:*', 10), letters('ab:', 14), (glob, text) => {
        // Row by row: which beginnings of the text the glob so far matches.
        let row = Array.from({ length: text.length + 1 }, (_, at) => at === 0);
        for (const sign of glob) {
          const before = row;
          row = [];
          for (let at = 0; at <= text.length; at++) {
            row[at] = sign === '*' ? before[at] === true || row[at - 1] === true : before[at - 1] === true && text[at - 1] === sign;
          }
        }
        expect(matchesGlob(glob, text)).toBe(row[text.length]);
      }),
      { numRuns: 3_000 },
    );
  });

  test.each([
    ['*a'.repeat(64), 'a'.repeat(127)],
    [`${'*a'.repeat(63)}*b`, 'a'.repeat(128)],
    [`${'a*'.repeat(50_000)}b`, 'a'.repeat(100_000)],
    [`${'*ab'.repeat(30_000)}c`, 'ab'.repeat(50_000)],
    ['*'.repeat(100_000), 'a'.repeat(100_000)],
  ])('made to be slow is answered at once', (glob, text) => {
    const start = performance.now();
    matchesGlob(glob, text);
    expect(performance.now() - start).toBeLessThan(250);
  });
});

describe('a filter', () => {
  test('passes what any of its globs matches, the second time too', () => {
    const passes = eventFilter(['skill:*', '*:failed']);
    const types = ['skill:started', 'execution:failed', 'execution:started', 'skill:started', 'execution:started'];
    expect(types.map(passes)).toEqual([true, true, false, true, false]);
  });

  test.each([[undefined], [[]], [['x:y', '*']]])('of %j passes everything', (globs) => {
    expect(eventFilter(globs)('any:type')).toBe(true);
  });

  test('answers rightly beyond what it remembers', () => {
    const passes = eventFilter(['*7']);
    for (let at = 0; at < 3_000; at++) expect(passes(`a:${at}`)).toBe(at % 10 === 7);
    for (let at = 0; at < 3_000; at++) expect(passes(`a:${at}`)).toBe(at % 10 === 7);
  });
});

test.each([
  [['skill:*'], true],
  [Array.from({ length: limits.eventTypeGlobs }, () => 'a:*'), true],
  [Array.from({ length: limits.eventTypeGlobs + 1 }, () => 'a:*'), false],
  [['a'.repeat(128)], true],
  [['a'.repeat(129)], false],
  [[''], false],
  [[5], false],
  ['skill:*', false],
])('event_types are at most 32 texts of at most 128 characters (%#)', (globs, valid) => {
  expect(eventTypes.safeParse(globs).success).toBe(valid);
});
