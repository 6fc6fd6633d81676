import { mkdtempSync, readFileSync, rmSync, statSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach, beforeEach, describe, expect, test } from 'vitest';
import { CommitLog } from '../../src/journal/commit-log.ts';

let folder: string;
let path: string;

beforeEach(() => {
  folder = mkdtempSync(join(tmpdir(), 'commit-log-'));
  path = join(folder, 'journal.db-log');
});
afterEach(() => rmSync(folder, { recursive: true }));

const open = (fsync = false) => new CommitLog(path, { fsync });
/** What a fresh opener finds. */
function found(): string[] {
  const log = open();
  const lines = log.read();
  log.close();
  return lines;
}

describe('a commit log', () => {
  test.each([false, true])('has the lines of every commit, in order, for the next opener (fsync: %s)', (fsync) => {
    const log = open(fsync);
    expect(log.read()).toEqual([]);
    log.append(['{"a":1}', '{"a":"größer, 日本, 🎉"}']);
    log.append(['{"a":3}']);
    log.close();
    expect(found()).toEqual(['{"a":1}', '{"a":"größer, 日本, 🎉"}', '{"a":3}']);
  });

  test('is for its owner only, also where others could read it before', () => {
    writeFileSync(path, '', { mode: 0o644 });
    const log = open();
    expect(statSync(path).mode & 0o777).toBe(0o600);
    log.close();
  });

  test('that was cleared begins anew', () => {
    const log = open();
    log.append(['{"a":1}']);
    log.clear();
    expect(statSync(path).size).toBe(0);
    log.append(['{"a":2}']);
    log.close();
    expect(found()).toEqual(['{"a":2}']);
  });

  test('drops a commit that ends anywhere before its last character, and keeps those before', () => {
    const log = open();
    log.append(['{"a":1}', '{"a":2}']);
    const whole = statSync(path).size;
    log.append(['{"a":3}', '{"a":4}']);
    log.close();
    const text = readFileSync(path);
    for (let size = whole; size < text.length; size++) {
      writeFileSync(path, text.subarray(0, size));
      expect(found()).toHaveLength(2);
    }
  });

  test('goes on behind its last whole commit, wherever the next one ended', () => {
    const log = open();
    log.append(['{"a":"größer"}']);
    const whole = statSync(path).size;
    log.append(['{"a":"größer"}', '{"a":3}']);
    log.close();
    const text = readFileSync(path);
    for (let size = whole; size < text.length; size++) {
      writeFileSync(path, text.subarray(0, size));
      const next = open();
      next.read();
      next.append(['{"a":5}']);
      next.close();
      expect(found()).toEqual(['{"a":"größer"}', '{"a":5}']);
    }
  });

  test('believes no commit with another content than its checksum says, nor any behind it', () => {
    const log = open();
    for (const n of [1, 2, 3]) log.append([`{"a":${n}}`]);
    log.close();
    writeFileSync(path, readFileSync(path, 'utf8').replace('{"a":2}', '{"a":7}'));
    expect(found()).toEqual(['{"a":1}']);
  });
});
