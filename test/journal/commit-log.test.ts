import { mkdtempSync, readFileSync, rmSync, statSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { crc32 } from 'node:zlib';
import { afterEach, beforeEach, describe, expect, test } from 'vitest';
import { CommitLog } from '../../src/journal/sqlite/commit-log.ts';

let folder: string;
let path: string;

beforeEach(() => {
  folder = mkdtempSync(join(tmpdir(), 'commit-log-'));
  path = join(folder, 'journal.db-log');
});
afterEach(() => rmSync(folder, { recursive: true }));

const header = { journal: 'epoch', commits: 7, pid: 42, url: 'http://127.0.0.1:8000' };
const open = (fsync = false) => new CommitLog(path, { fsync });
/** What a fresh opener finds. */
function found(): CommitLog['content'] {
  const log = open();
  log.close();
  return log.content;
}
const linesFound = () => found().commits.flatMap(({ lines }) => lines);
const line = (n: number) => `{"session_id":"s","seq":${n}}`;
/** A commit of the first version, which knew no header and no numbers. */
const oldCommit = (...lines: string[]) => {
  const text = `${lines.join('\n')}\n`;
  return `${text}#${crc32(text).toString(16)}\n`;
};

describe('a commit log', () => {
  test.each([false, true])('has the lines of every commit, in order, for the next opener (fsync: %s)', (fsync) => {
    const log = open(fsync);
    expect(log.content).toMatchObject({ commits: [], damagedAtEnd: 0 });
    log.clear(header);
    log.append(['{"a":1}', '{"a":"größer, 日本, 🎉"}'], 8);
    log.append(['{"a":3}'], 9);
    log.close();
    expect(found()).toMatchObject({
      header,
      commits: [
        { number: 8, lines: ['{"a":1}', '{"a":"größer, 日本, 🎉"}'], damagedBefore: 0 },
        { number: 9, lines: ['{"a":3}'], damagedBefore: 0 },
      ],
      damagedAtEnd: 0,
    });
  });

  test('of the first version, without header and numbers, is read as it is, and goes on in this one', () => {
    writeFileSync(path, oldCommit(line(1), line(2)) + oldCommit(line(3)));
    const log = open();
    log.append([line(4)], 1);
    log.close();
    expect(found().commits).toEqual([
      { number: undefined, lines: [line(1), line(2)], damagedBefore: 0 },
      { number: undefined, lines: [line(3)], damagedBefore: 0 },
      { number: 1, lines: [line(4)], damagedBefore: 0 },
    ]);
  });

  test('is for its owner only, also where others could read it before', () => {
    writeFileSync(path, '', { mode: 0o644 });
    const log = open();
    expect(statSync(path).mode & 0o777).toBe(0o600);
    log.close();
  });

  test('that was cleared begins anew, and says from where on', () => {
    const log = open();
    log.clear(header);
    log.append([line(1)], 8);
    log.clear({ ...header, commits: 8 });
    log.append([line(2)], 9);
    log.close();
    expect(found()).toMatchObject({ header: { commits: 8 }, commits: [{ number: 9, lines: [line(2)] }] });
  });

  test('with nothing in it is gone once it is closed, unless it is needed still', () => {
    open().close();
    expect(statSync(path, { throwIfNoEntry: false })).toBeUndefined();
    const log = open();
    log.clear(header);
    log.close(false);
    expect(found().header).toEqual(header);
    expect(statSync(path, { throwIfNoEntry: false })).toBeUndefined();
  });

  test('drops a commit that ends anywhere before its last character as one that was being written, and goes on there', () => {
    const log = open();
    log.clear(header);
    log.append([line(1), line(2)], 8);
    const whole = statSync(path).size;
    log.append(['{"a":"größer"}', line(4)], 9);
    log.close();
    const text = readFileSync(path);
    for (let size = whole; size < text.length; size++) {
      writeFileSync(path, text.subarray(0, size));
      const next = open();
      expect(next.content).toMatchObject({ commits: [{ number: 8 }], damagedAtEnd: 0 });
      next.append([line(5)], 9);
      next.close();
      expect(linesFound()).toEqual([line(1), line(2), line(5)]);
    }
  });

  test('tells every flipped bit in it but in the last mark from what a sudden end leaves, and has what is whole', () => {
    const log = open();
    log.clear(header);
    const begin = statSync(path).size;
    for (const n of [1, 2, 3]) log.append([line(n)], 7 + n);
    log.close();
    const text = readFileSync(path);
    const size = (text.length - begin) / 3;
    for (let at = begin; at < begin + 2 * size; at++) {
      const damaged = Buffer.from(text);
      damaged[at] = (damaged[at] ?? 0) ^ 4;
      writeFileSync(path, damaged);
      const { commits, damagedAtEnd } = found();
      const numbers = commits.map(({ number }) => number);
      expect([numbers.length + 1, numbers, damagedAtEnd + (commits.at(-1)?.damagedBefore ?? 0)], `byte ${at}`).not.toEqual([
        4,
        [8, 9, 10],
        0,
      ]);
      expect(numbers, `byte ${at}`).toEqual(expect.arrayContaining(at < begin + size ? [10] : [8]));
      expect(commits.flatMap(({ lines }) => lines)).toEqual(numbers.map((number) => line((number ?? 0) - 7)));
    }
  });

  test('that is damaged at its end says so', () => {
    const log = open();
    log.append([line(1)], 1);
    log.append([line(2)], 2);
    log.close();
    writeFileSync(path, readFileSync(path, 'utf8').replace('"seq":2', '"seq":3'));
    expect(found()).toMatchObject({ commits: [{ number: 1 }], damagedAtEnd: 1 });
  });

  test.each([
    ['notes of somebody', 'buy milk\n'],
    ['lines of other JSON', '{"a":1}\n'],
    ['a comment', '# mine\n'],
  ])('is none that has %s: it is left as it was', (_, text) => {
    writeFileSync(path, text, { mode: 0o644 });
    expect(() => open()).toThrow(`${path} is there already and is not this journal's`);
    expect(readFileSync(path, 'utf8')).toBe(text);
    expect(statSync(path).mode & 0o777).toBe(0o644);
  });
});
