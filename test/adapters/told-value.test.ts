import { expect, test } from 'vitest';
import { toldText, toldValue } from '../../src/adapters/events/told-value.ts';
import { agentLimits } from '../../src/core/protocol/limits.ts';

const { toolTextChars, toolChars, toolFields } = agentLimits;

test('a long text is cut, and says how much is missing', () => {
  expect(toldText('abcdef', 4)).toBe('abcd… (2 more characters)');
  expect(toldText('abcd', 4)).toBe('abcd');
  expect(toldText('a\u{1f600}', 2)).toBe('a… (1 more characters)');
});

test('secrets are replaced, also where the cut goes through one', () => {
  expect(toldText('curl -H "Authorization: Bearer abcdef" x', 100)).not.toContain('abcdef');
  const split = `${'x'.repeat(10)} https://user:topsecretpassword@host/`;
  for (let at = 10; at < split.length; at++) expect(toldText(split, at)).not.toContain('topsec');
  expect(JSON.stringify(toldValue({ env: ['postgres://me:hunter2@db/x'], deep: { key: 'Authorization: Basic Zm9v' } }))).not.toMatch(
    /hunter2|Zm9v/,
  );
});

test('an input of any size and shape stays within its bounds', () => {
  const told = toldValue({ content: 'x'.repeat(1_000_000), list: Array.from({ length: 10_000 }, (_, at) => at) }) as Record<
    string,
    unknown
  >;
  expect(String(told['content']).length).toBeLessThan(toolTextChars + 40);
  expect((told['list'] as unknown[]).length).toBe(toolFields + 1);
  const wide = toldValue(
    Array.from({ length: 50 }, () => Object.fromEntries(Array.from({ length: 50 }, (_, at) => [`k${at}`, 'y'.repeat(500)]))),
  );
  expect(typeof wide === 'string' && wide.length < toolChars + 100).toBe(true);
  let deep: unknown = 'end';
  for (let at = 0; at < 400; at++) deep = { deep };
  expect(JSON.stringify(toldValue(deep)).length).toBeLessThan(200);
  expect(toldValue(undefined)).toBeNull();
});
