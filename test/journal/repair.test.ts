import { spawn, spawnSync } from 'node:child_process';
import { once } from 'node:events';
import { copyFileSync, existsSync, mkdtempSync, readdirSync, readFileSync, rmSync, statSync, truncateSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { dirname, join } from 'node:path';
import { DatabaseSync } from 'node:sqlite';
import { fileURLToPath } from 'node:url';
import { expect, onTestFinished, test } from 'vitest';
import { careOfJournal } from '../../src/journal/care-of-journal.ts';
import type { Journal } from '../../src/journal/journal.ts';
import { isWhole } from '../../src/journal/sqlite/care/check.ts';
import { salvageJournal } from '../../src/journal/sqlite/care/salvage.ts';
import { openSqliteJournal } from '../../src/journal/sqlite/sqlite-journal.ts';
import { countedTo, event, eventsFrom, held } from './journal-contract.ts';

const writer = fileURLToPath(new URL('journal-writer.ts', import.meta.url));

function newPath(): string {
  const folder = mkdtempSync(join(tmpdir(), 'repair-'));
  onTestFinished(() => rmSync(folder, { recursive: true }));
  return join(folder, 'journal.db');
}

async function opened(path = newPath()): Promise<Journal & { problems: string[] }> {
  const journal = await openSqliteJournal({ path });
  onTestFinished(() => journal.close());
  const problems: string[] = [];
  journal.onProblem((problem) => problems.push(problem));
  return Object.assign(journal, { problems });
}

const sessions = ['a', 'b', 'c'];
const perSession = 300;
const dataOf = (session: string, n: number) => ({ n, session, filler: `${session}${n}.`.repeat(50 + ((n * 37) % 200)) });

/** A journal with much in it, closed, and its bytes. Each session has events in many chunks, some of them longer than a page. */
async function filled(): Promise<{ path: string; bytes: Buffer }> {
  const path = newPath();
  const journal = await openSqliteJournal({ path });
  for (let n = 1; n <= perSession; n += 10) {
    for (const session of sessions)
      await journal.append(
        session,
        Array.from({ length: 10 }, (_, at) => event(n + at, { id: `own-${n + at}`, data: dataOf(session, n + at) })),
      );
    await journal.saveCursors('reader', new Map([['a', { epoch: journal.epoch, seq: n }]]));
  }
  await journal.close();
  return { path, bytes: readFileSync(path) };
}

/** Makes of a journal one as former versions made it, whose file never becomes smaller by itself. */
function keepingItsRoom(path: string): void {
  const database = new DatabaseSync(path);
  database.exec('PRAGMA auto_vacuum = NONE; VACUUM');
  database.close();
}

/** What a repaired journal has: each event is the one that was written or stands for one that is lost. */
async function compare(path: string): Promise<{ kept: number; lost: number }> {
  const journal = await openSqliteJournal({ path });
  const figures = { kept: 0, lost: 0 };
  for (const { session_id, seq } of await journal.sessions()) {
    const events = await journal.read(session_id, { after: 0, limit: 100_000 });
    expect(events.map((each) => each.seq)).toEqual(Array.from({ length: seq }, (_, at) => at + 1));
    for (const { type, event: each } of events) {
      if (type === 'journal:lost') figures.lost++;
      else {
        expect(each.data).toEqual(dataOf(session_id, each.seq));
        expect(await journal.find(session_id, `own-${each.seq}`)).toMatchObject({ seq: each.seq });
        figures.kept++;
      }
    }
  }
  await journal.close();
  return figures;
}

test('a journal that is whole is told as such, by a check that leaves it as it is, and a repair changes nothing', async () => {
  const { path, bytes } = await filled();
  const check = await careOfJournal.check(path);
  expect(check).toMatchObject({ path, sessions: 3, events: 3 * perSession, waiting: 0, problems: [], lost: [] });
  expect(isWhole(check)).toBe(true);
  expect(await careOfJournal.repair(path)).toMatchObject({ kept: [], sessions: 3, events: 3 * perSession });
  expect(readFileSync(path).equals(bytes)).toBe(true);
  expect(readdirSync(dirname(path))).toEqual(['journal.db']);
  expect(await careOfJournal.info(path)).toMatchObject({
    path,
    sessions: 3,
    events: 3 * perSession,
    waiting_commits: 0,
    size_bytes: bytes.length,
  });
  expect(readFileSync(path).equals(bytes)).toBe(true);
});

test(
  'twenty bytes that changed anywhere cost the events of their chunks; all others are kept, with the old file beside',
  { timeout: 120_000 },
  async () => {
    const { bytes } = await filled();
    const totals = { kept: 0, lost: 0 };
    for (let round = 0; round < 6; round++) {
      const damaged = Buffer.from(bytes);
      const random = (below: number) => Math.floor(Math.abs(Math.sin(round * 100 + below) * 1e6) % below);
      for (let n = 0; n < 20; n++) {
        const at = random(bytes.length - n - 100) + 100;
        damaged[at] = (damaged[at] ?? 0) ^ 0x55;
      }
      const copy = join(newPath());
      writeFileSync(copy, damaged);
      const repaired = await careOfJournal.repair(copy);
      expect(repaired.kept).toHaveLength(1);
      expect(readFileSync(repaired.kept[0] ?? '').equals(damaged)).toBe(true);
      expect(statSync(copy).mode & 0o777).toBe(0o600);
      const { kept, lost } = await compare(copy);
      // Twenty chunks of ten events at most, and at most three leaves of SQLite's that are found by nothing.
      expect(kept).toBeGreaterThan(perSession);
      expect(isWhole(await careOfJournal.check(copy))).toBe(true);
      totals.kept += kept;
      totals.lost += lost;
    }
    expect(totals.lost).toBeGreaterThan(0);
    expect(totals.kept).toBeGreaterThan(6 * 3 * perSession * 0.5);
  },
);

test.each([
  ['its head', 0, 100],
  ['the root of everything', 100, 2_000],
])('with %s overwritten all events are kept', async (_what, from, through) => {
  const { path, bytes } = await filled();
  const damaged = Buffer.from(bytes).fill(0x5a, from, through);
  // The head names the page size and whose file it is.
  if (from === 0) bytes.copy(damaged, 16, 16, 18);
  writeFileSync(path, damaged);
  await expect(openSqliteJournal({ path })).rejects.toMatchObject({ code: 'JOURNAL_FAILED', details: { reason: 'damaged' } });
  const repaired = await careOfJournal.repair(path);
  expect(repaired).toMatchObject({ sessions: 3, events: 3 * perSession });
  expect(await compare(path)).toEqual({ kept: 3 * perSession, lost: 0 });
});

test('of one that was cut off the events in what is left are kept', async () => {
  const { path, bytes } = await filled();
  truncateSync(path, Math.floor(bytes.length / 2));
  const check = await careOfJournal.check(path);
  expect(isWhole(check)).toBe(false);
  await careOfJournal.repair(path);
  const { kept } = await compare(path);
  expect(kept).toBe(check.events);
  expect(kept).toBeGreaterThan(perSession);
});

test('after a sudden end the log and the write-ahead log are taken too', async () => {
  const journal = await opened();
  const append = (from: number) =>
    journal.append(
      'a',
      Array.from({ length: 10 }, (_, at) => event(from + at, { id: `own-${from + at}`, data: dataOf('a', from + at) })),
    );
  for (let n = 1; n <= perSession; n += 10) {
    await append(n);
    // Brings the events to the database, so to its write-ahead log.
    if (n === 201) await journal.saveCursors('reader', new Map([['a', { epoch: journal.epoch, seq: 200 }]]));
  }
  const path = newPath();
  const killed = () => ['', '-wal', '-log'].forEach((ending) => copyFileSync(journal.location + ending, path + ending));
  killed();
  const beside = () => ['-wal', '-log'].map((ending) => readFileSync(path + ending).toString('base64'));
  const before = beside();
  expect(before.every((bytes) => bytes.length > 0)).toBe(true);
  const waiting = readFileSync(`${path}-log`, 'utf8').split('\n#').length - 1;
  expect(await careOfJournal.check(path)).toMatchObject({ problems: [], lost: [], waiting });
  expect(await careOfJournal.info(path)).toMatchObject({ waiting_commits: waiting });
  expect(beside()).toEqual(before);
  killed();
  // SQLite takes nothing of a write-ahead log from the first byte on that changed.
  const wal = readFileSync(`${path}-wal`);
  wal[100] = (wal[100] ?? 0) ^ 1;
  writeFileSync(`${path}-wal`, wal);
  expect(isWhole(await careOfJournal.check(path))).toBe(false);
  const repaired = await careOfJournal.repair(path);
  expect(await compare(path)).toEqual({ kept: perSession, lost: 0 });
  expect(existsSync(`${path}-log`)).toBe(false);
  expect(repaired.kept.map((file) => file.replace(/^.*Z/, ''))).toEqual(['', '-wal', '-log']);
});

test('a server that starts while it is repaired gets the repaired journal, or none', async () => {
  const { path, bytes } = await filled();
  const damaged = Buffer.from(bytes);
  const at = damaged.indexOf('a150.a150.');
  damaged.fill(0x5a, at, at + 100);
  writeFileSync(path, damaged);
  const server = spawn(process.execPath, [writer, path, 'meanwhile'], { stdio: ['ignore', 'pipe', 'inherit'] });
  onTestFinished(() => void server.kill());
  const [told] = (await once(server.stdout, 'data')) as [Buffer];
  expect(String(told)).toBe('looks\n');
  const ended = once(server, 'close');
  await careOfJournal.repair(path);
  await ended;
  expect(await held(await opened(path), 'meanwhile')).toEqual(countedTo(1));
});

test('nor does a server get one that is empty while it is repaired', async () => {
  const path = newPath();
  writeFileSync(path, '');
  await expect(careOfJournal.info(path)).rejects.toThrow('it is empty');
  const said = await salvageJournal(
    path,
    () => undefined,
    () => spawnSync(process.execPath, [writer, path], { encoding: 'utf8' }).stdout,
  );
  expect(said).toContain('another server has it open');
  expect(await careOfJournal.repair(path)).toMatchObject({ check: { problems: ['the file is empty'] }, sessions: 0 });
  expect(await careOfJournal.check(path)).toMatchObject({ problems: [] });
});

test('one of a server is not touched, nor one of a newer version, nor a file of something else', async () => {
  const journal = await opened();
  await journal.append('s', eventsFrom(1, 3));
  for (const work of [careOfJournal.check, careOfJournal.repair, careOfJournal.info, careOfJournal.compact])
    await expect(work(journal.location)).rejects.toMatchObject({ code: 'JOURNAL_FAILED', details: { reason: 'in_use' } });
  await journal.close();
  const database = new DatabaseSync(journal.location);
  database.exec('PRAGMA user_version = 99');
  database.close();
  await expect(careOfJournal.repair(journal.location)).rejects.toMatchObject({ details: { reason: 'newer' } });
  const other = newPath();
  writeFileSync(other, 'notes of somebody'.repeat(10));
  await expect(careOfJournal.repair(other)).rejects.toMatchObject({ details: { reason: 'foreign' } });
  expect(readdirSync(dirname(other))).toEqual(['journal.db']);
});

test('compact gives back what was deleted, and keeps the rest', async () => {
  const { path } = await filled();
  keepingItsRoom(path);
  const journal = await openSqliteJournal({ path });
  await journal.delete('a');
  await journal.delete('b');
  await journal.append('s', eventsFrom(1, 3));
  await journal.close();
  expect((await careOfJournal.info(path)).free_bytes).toBeGreaterThan(100_000);
  const { before, after } = await careOfJournal.compact(path);
  expect(after).toBeLessThan(before / 2);
  expect(statSync(path).size).toBe(after);
  const again = await opened(path);
  expect(await held(again)).toEqual(countedTo(3));
  expect((await again.head('c'))?.seq).toBe(perSession);
});

test('what retention has taken is no loss where SQLite cannot read the file: the state from which the history goes on lies in its pages', async () => {
  const { path } = await filled();
  const journal = await openSqliteJournal({ path });
  const head = (await journal.head('a'))!;
  const base = { seq: 200, version: 1, json: JSON.stringify({ seq: 200, long: Array.from({ length: 9_000 }, (_, at) => at * at) }) };
  await journal.cut(head, base);
  await journal.close();
  writeFileSync(path, readFileSync(path).fill(0x5a, 100, 2_000));
  expect(await careOfJournal.repair(path)).toMatchObject({ sessions: 3, events: 3 * perSession - 200, check: { lost: [] } });
  const after = await opened(path);
  expect(await after.head('a')).toMatchObject({ seq: perSession, cut: 200 });
  expect(await after.loadBase('a')).toEqual(base);
  expect((await after.read('a', { after: 0, limit: 1_000 })).map(({ type }) => type)).toEqual(Array<string>(100).fill('my:own'));
});

test('what retention has taken is no loss, also where something else is repaired, and compacting gives its room back', async () => {
  const { path } = await filled();
  const journal = await openSqliteJournal({ path });
  const head = (await journal.head('a'))!;
  await journal.cut(head, { seq: 200, version: 1, json: '{"seq":200}' });
  await journal.close();
  const check = await careOfJournal.check(path);
  expect([check.problems, check.lost]).toEqual([[], []]);
  expect(await careOfJournal.info(path)).toMatchObject({ sessions: 3, events: 3 * perSession - 200 });
  const database = new DatabaseSync(path);
  database.exec(`UPDATE chunks SET json = 'x' WHERE json LIKE '%own-251"%'`);
  database.close();
  const { lost } = await careOfJournal.check(path);
  expect(lost).toMatchObject([{ session_id: 'a' }, { session_id: 'b' }, { session_id: 'c' }]);
  expect(Math.min(...lost.map(({ from }) => from))).toBeGreaterThan(200);
  await careOfJournal.repair(path);
  const after = await opened(path);
  expect(await after.head('a')).toMatchObject({ seq: perSession, cut: 200 });
  expect(await after.loadBase('a')).toEqual({ seq: 200, version: 1, json: '{"seq":200}' });
  const events = await after.read('a', { after: 0, limit: 1_000 });
  expect(events.map(({ seq }) => seq)).toEqual(Array.from({ length: 100 }, (_, at) => 201 + at));
  expect(events.filter(({ type }) => type === 'journal:lost').length).toBeGreaterThan(0);
  await after.close();
  keepingItsRoom(path);
  await careOfJournal.compact(path);
  const compacted = new DatabaseSync(path);
  expect(compacted.prepare('PRAGMA auto_vacuum').get()).toEqual({ auto_vacuum: 2 });
  compacted.close();
});
