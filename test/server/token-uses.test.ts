import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { setTimeout } from 'node:timers/promises';
import { expect, onTestFinished, test } from 'vitest';
import { readTokenUses, TokenUses } from '../../src/server/access/tokens/token-uses.ts';

test('the first use of each token is written at once, later ones with the next that is new, or at the end', () => {
  const folder = mkdtempSync(join(tmpdir(), 'shannon-dash-uses-'));
  onTestFinished(() => rmSync(folder, { recursive: true, force: true }));
  const file = join(folder, 'tokens');
  const known = new Set(['aaaaaaaa', 'bbbbbbbb']);
  const uses = new TokenUses(file);
  const write = (id: string, options?: { atOnce: boolean }) => {
    const before = readTokenUses(file).get(id);
    // A time of its own for each.
    const last = before ?? '';
    while (new Date().toISOString() <= last);
    uses.note(id);
    uses.write(known, options);
    return readTokenUses(file).get(id) !== before;
  };
  expect(write('aaaaaaaa')).toBe(true);
  expect(write('aaaaaaaa')).toBe(false);
  expect(write('bbbbbbbb')).toBe(true);
  expect(write('aaaaaaaa')).toBe(false);
  expect(write('aaaaaaaa', { atOnce: true })).toBe(true);
  // One that there is no more is neither kept nor a reason to write.
  expect(write('cccccccc')).toBe(false);
  known.delete('bbbbbbbb');
  expect(write('aaaaaaaa', { atOnce: true })).toBe(true);
  expect([...readTokenUses(file).keys()]).toEqual(['aaaaaaaa']);
});

test('servers that share the tokens write one after the other, and the later use counts', async () => {
  const folder = mkdtempSync(join(tmpdir(), 'shannon-dash-uses-'));
  onTestFinished(() => rmSync(folder, { recursive: true, force: true }));
  const file = join(folder, 'tokens');
  const known = new Set(['aaaaaaaa']);
  const [one, other] = [new TokenUses(file), new TokenUses(file)];
  one.note('aaaaaaaa');
  await setTimeout(2);
  const laterThan = new Date().toISOString();
  other.note('aaaaaaaa');
  writeFileSync(`${file}-lock`, '');
  other.write(known);
  expect(readTokenUses(file).size).toBe(0);
  rmSync(`${file}-lock`);
  other.write(known);
  one.write(known);
  expect(readTokenUses(file).get('aaaaaaaa') ?? '').toSatisfy((time: string) => time >= laterThan);
});

test('what cannot be written is told once, and not with each look', () => {
  const folder = mkdtempSync(join(tmpdir(), 'shannon-dash-uses-'));
  onTestFinished(() => rmSync(folder, { recursive: true, force: true }));
  const uses = new TokenUses(join(folder, 'gone', 'tokens'));
  const known = new Set(['aaaaaaaa']);
  uses.note('aaaaaaaa');
  expect(() => uses.write(known)).toThrow('ENOENT');
  uses.note('aaaaaaaa');
  uses.write(known);
});
