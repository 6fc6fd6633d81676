import { existsSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { describe, expect, test } from 'vitest';

const root = join(import.meta.dirname, '../..');
const rows = readFileSync(join(root, 'SECURITY.md'), 'utf8')
  .split('\n')
  .flatMap((line) => {
    const [number, threat, holds, named] = line
      .split(/(?<!\\)\|/)
      .slice(1, -1)
      .map((cell) => cell.trim());
    return number !== undefined && /^\d+$/.test(number) ? [{ number, threat, holds, named }] : [];
  });

describe('the threat table of SECURITY.md', () => {
  test('numbers its threats one after the other', () => {
    expect(rows.length).toBeGreaterThanOrEqual(51);
    expect(rows.map(({ number }) => number)).toEqual(rows.map((_, n) => String(n + 1)));
  });

  test.each(rows)('row $number, $threat: names a test that is there', ({ named, holds }) => {
    expect(holds).not.toBe('');
    const [, file, words] = /^([\w/-]+): (.+)$/.exec(named ?? '') ?? [];
    const path = join(root, 'test', `${file}.test.ts`);
    expect(existsSync(path)).toBe(true);
    expect(readFileSync(path, 'utf8').replaceAll("\\'", "'")).toContain(words);
  });
});
