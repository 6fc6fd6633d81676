import { copyFileSync, existsSync, mkdtempSync, readdirSync, readFileSync, rmSync, statSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { dirname, join } from 'node:path';
import { DatabaseSync } from 'node:sqlite';
import { expect, onTestFinished, test } from 'vitest';
import type { Journal } from '../../src/journal/journal.ts';
import { MemoryJournal } from '../../src/journal/memory/memory-journal.ts';
import { openSqliteJournal } from '../../src/journal/sqlite/sqlite-journal.ts';
import { countedTo, event, eventsFrom, held } from './journal-contract.ts';

function newFolder(): string {
  const folder = mkdtempSync(join(tmpdir(), 'backup-'));
  onTestFinished(() => rmSync(folder, { recursive: true }));
  return folder;
}

async function opened(path = join(newFolder(), 'journal.db')): Promise<Journal & { problems: string[] }> {
  const journal = await openSqliteJournal({ path });
  onTestFinished(() => journal.close());
  const problems: string[] = [];
  journal.onProblem((problem) => problems.push(problem));
  return Object.assign(journal, { problems });
}

/** A session that takes a while to copy. */
async function appendMuch(journal: Journal, session: string): Promise<void> {
  for (let n = 1; n <= 8; n++) await journal.append(session, [event(n, { data: { n, filler: 'x'.repeat(900_000) } })]);
}

const allOf = async (journal: Journal, session: string) =>
  (await journal.read(session, { after: 0, limit: 1_000_000 })).map(({ json }) => json);

test('a backup has all that was acknowledged before, and of what is written meanwhile a beginning of each session', async () => {
  const journal = await opened();
  const sessions = ['a', 'b', 'c'];
  for (const session of sessions) await appendMuch(journal, session);
  await journal.saveCursors('reader', new Map([['a', { epoch: (await journal.head('a'))?.epoch ?? '', seq: 1 }]]));
  const stop = new AbortController();
  let written = 8;
  const acknowledged = new Map<string, number>();
  const writing = (async () => {
    for (let n = 9; !stop.signal.aborted; n++) {
      for (const session of sessions) acknowledged.set(session, (await journal.append(session, [event(n)])).last_seq);
      await new Promise((resolve) => setImmediate(resolve));
      written = n;
    }
  })();
  const copies: { path: string; least: Map<string, number> }[] = [];
  for (let n = 0; n < 5; n++) {
    const path = join(newFolder(), 'copy.db');
    const least = new Map(acknowledged);
    expect(await journal.backup(path)).toBe(path);
    copies.push({ path, least });
  }
  stop.abort();
  await writing;
  expect(written).toBeGreaterThan(13);
  for (const { path, least } of copies) {
    expect(statSync(path).mode & 0o777).toBe(0o600);
    expect(readdirSync(dirname(path))).toEqual(['copy.db']);
    const copy = await opened(path);
    expect(copy.problems).toEqual([]);
    expect(copy.epoch).toBe(journal.epoch);
    expect(await copy.loadCursors('reader')).toEqual(await journal.loadCursors('reader'));
    for (const session of sessions) {
      const kept = await allOf(copy, session);
      expect(kept.length).toBeGreaterThanOrEqual(least.get(session) ?? 8);
      expect(kept).toEqual((await allOf(journal, session)).slice(0, kept.length));
    }
    expect(await copy.append('a', [event(1_000)])).toMatchObject({ last_seq: (await allOf(copy, 'a')).length });
  }
});

test('without a path it lies beside the journal, and one that a sudden end has left is deleted at the next start', async () => {
  const journal = await opened();
  await journal.append('s', eventsFrom(1, 3));
  const path = await journal.backup();
  expect(dirname(path)).toBe(dirname(journal.location));
  expect(existsSync(path)).toBe(true);
  await journal.close();
  const again = await opened(journal.location);
  expect(existsSync(path)).toBe(false);
  expect(await held(again)).toEqual(countedTo(3));
});

test('an existing file is never written over, and a second backup at once is refused', async () => {
  const journal = await opened();
  await journal.append('s', [event(1)]);
  const path = join(newFolder(), 'mine');
  writeFileSync(path, 'mine');
  await expect(journal.backup(path)).rejects.toMatchObject({ code: 'JOURNAL_FAILED', message: expect.stringContaining('EEXIST') });
  expect(readFileSync(path, 'utf8')).toBe('mine');
  const [first, second] = await Promise.allSettled([journal.backup(`${path}-1`), journal.backup(`${path}-2`)]);
  expect(first.status).toBe('fulfilled');
  expect(second).toMatchObject({ status: 'rejected', reason: { code: 'CONFLICT' } });
  expect(await new MemoryJournal().backup().catch((error: unknown) => error)).toMatchObject({ code: 'UNSUPPORTED' });
});

test('a journal that is closed meanwhile gives the backup up, and leaves nothing of it', async () => {
  const journal = await opened();
  await appendMuch(journal, 's');
  const path = join(newFolder(), 'copy.db');
  const backup = journal.backup(path).catch((error: unknown) => error);
  await journal.close();
  expect(await backup).toMatchObject({ code: 'UNAVAILABLE' });
  expect(existsSync(path)).toBe(false);
  expect(readdirSync(dirname(journal.location))).toEqual(['journal.db']);
  expect((await (await opened(journal.location)).head('s'))?.seq).toBe(8);
});

test('what is deleted during a backup is gone from the files behind it', async () => {
  const journal = await opened();
  await journal.append('s', [event(1, { data: { n: 1, text: 'a secret of mine' } })]);
  await appendMuch(journal, 't');
  const path = join(newFolder(), 'copy.db');
  const backup = journal.backup(path);
  await new Promise((resolve) => setImmediate(resolve));
  expect(await journal.delete('s')).toBe(true);
  await backup;
  const files = ['', '-wal', '-log'].map((ending) => `${journal.location}${ending}`);
  const isThere = () => files.some((file) => existsSync(file) && readFileSync(file).includes('a secret of mine'));
  await expect.poll(isThere, { timeout: 20_000 }).toBe(false);
  expect((await opened(path)).location).toBe(path);
});

test('a copy of the database alone, while a server has it, is told of when it is opened', async () => {
  const journal = await opened();
  await journal.append('s', [event(1)]);
  const path = join(newFolder(), 'copy.db');
  copyFileSync(journal.location, path);
  await expect(openSqliteJournal({ path })).rejects.toMatchObject({
    message: expect.stringContaining(
      `the log of the newest commits is missing (${path}-log): it was deleted, or the file was copied without it`,
    ),
    details: { reason: 'loss' },
  });
});

test('a backup that is put beside the write-ahead log of another is refused, for SQLite would mix the two', async () => {
  const journal = await opened();
  await journal.append('s', eventsFrom(1, 3));
  const backup = join(newFolder(), 'copy.db');
  await journal.backup(backup);
  await journal.append('s', eventsFrom(4, 6));
  await journal.saveCursors('reader', new Map([['s', { epoch: journal.epoch, seq: 6 }]]));
  const restored = join(newFolder(), 'journal.db');
  copyFileSync(backup, restored);
  for (const ending of ['-wal', '-log']) copyFileSync(journal.location + ending, restored + ending);
  await expect(openSqliteJournal({ path: restored })).rejects.toMatchObject({
    message: expect.stringContaining(`move ${restored}-wal and ${restored}-log away`),
    details: { reason: 'foreign' },
  });
  rmSync(`${restored}-wal`);
  // The log alone says that the copy is an older one.
  await expect(openSqliteJournal({ path: restored })).rejects.toMatchObject({
    details: { reason: 'loss' },
    message: expect.stringContaining('older copy'),
  });
  rmSync(`${restored}-log`);
  expect(await held(await opened(restored))).toEqual(countedTo(3));
});

test('the journal of a newer version is refused as such, and left as it was', async () => {
  const journal = await opened();
  await journal.close();
  const database = new DatabaseSync(journal.location);
  database.exec('PRAGMA user_version = 99');
  database.close();
  const before = readFileSync(journal.location);
  await expect(openSqliteJournal({ path: journal.location })).rejects.toMatchObject({
    message: expect.stringMatching(/: a newer shannon-dash has written it \(format 99, this one reads up to \d+\)$/),
    details: { reason: 'newer' },
  });
  expect(readFileSync(journal.location).equals(before)).toBe(true);
});
