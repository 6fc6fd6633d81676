import { execFile, spawn, spawnSync } from 'node:child_process';
import { createHash } from 'node:crypto';
import { once } from 'node:events';
import {
  chmodSync,
  closeSync,
  copyFileSync,
  existsSync,
  ftruncateSync,
  mkdirSync,
  mkdtempSync,
  openSync,
  readFileSync,
  rmSync,
  statSync,
  symlinkSync,
  writeFileSync,
} from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { createInterface } from 'node:readline';
import { DatabaseSync } from 'node:sqlite';
import { fileURLToPath } from 'node:url';
import { promisify } from 'node:util';
import { afterAll, describe, expect, onTestFinished, test, vi } from 'vitest';
import { readLog } from '../../src/journal/sqlite/commit-log-text.ts';
import type { Journal } from '../../src/journal/journal.ts';
import { openSqliteJournal } from '../../src/journal/sqlite/sqlite-journal.ts';
import { describeHistoryParts } from './history-parts-contract.ts';
import { describeRetention } from './retention-contract.ts';
import { countedTo, describeJournal, event, eventsFrom, held, type JournalKind } from './journal-contract.ts';
import { describeLocalJournal } from './local-journal-contract.ts';

const root = mkdtempSync(join(tmpdir(), 'journal-'));
let folders = 0;
const newFolder = () => {
  const folder = join(root, String(++folders));
  mkdirSync(folder);
  return folder;
};
const modeOf = (path: string) => (statSync(path).mode & 0o777).toString(8);
const writer = fileURLToPath(new URL('journal-writer.ts', import.meta.url));
const nodeOptions = process.features.typescript ? [] : ['--experimental-strip-types'];

/** What another process says that tries to open the journal. */
async function openedElsewhere(path: string): Promise<string> {
  const { stdout } = await promisify(execFile)(process.execPath, [...nodeOptions, writer, path]);
  return stdout.trim();
}

/** What another program does to a file. */
const foreign = (path: string, sql: string) => {
  const database = new DatabaseSync(path);
  database.exec(sql);
  database.close();
  chmodSync(path, 0o644);
};

afterAll(() => rmSync(root, { recursive: true }));

const openNew = () => openSqliteJournal({ path: join(newFolder(), 'journal.db') });
const kind: JournalKind = {
  open: openNew,
  reopen: async (journal) => {
    await journal.close();
    return openSqliteJournal({ path: journal.location });
  },
};
describeJournal('a journal in SQLite', kind);
describeHistoryParts('a journal in SQLite', kind);
describeRetention('a journal in SQLite', kind);
describeLocalJournal('a journal in SQLite', openNew);

describe('the file of a journal', () => {
  test('and its folders are for their owner only, from the first byte on', async () => {
    const folder = join(newFolder(), 'new', 'deep');
    const journal = await openSqliteJournal({ path: join(folder, 'journal.db') });
    await journal.append('s', [event(1)]);
    expect([join(folder, '..'), folder, journal.location, `${journal.location}-wal`].map(modeOf)).toEqual(['700', '700', '600', '600']);
    expect(journal.sizeBytes()).toBeGreaterThan(4_096);
    await journal.close();
  });

  test('that others could read is for its owner only once it is opened', async () => {
    const path = join(newFolder(), 'journal.db');
    await (await openSqliteJournal({ path })).close();
    chmodSync(path, 0o644);
    const journal = await openSqliteJournal({ path });
    await journal.append('s', [event(1)]);
    expect([path, `${path}-wal`].map(modeOf)).toEqual(['600', '600']);
    await journal.close();
  });

  test('may be written through to the disk at every commit', async () => {
    const journal = await openSqliteJournal({ path: join(newFolder(), 'journal.db'), fsync: true });
    expect(await journal.append('s', [event(1)])).toMatchObject({ seqs: [1] });
    await journal.close();
  });

  test('that exists but is empty is made a journal', async () => {
    const path = join(newFolder(), 'journal.db');
    writeFileSync(path, '');
    const journal = await openSqliteJournal({ path });
    await journal.append('s', [event(1)]);
    await journal.close();
  });
});

test('no step of a cut writes many pages, although ids of producers lie wide apart', async () => {
  const path = join(newFolder(), 'journal.db');
  const journal = await openSqliteJournal({ path });
  // Nothing of an id says where its event stands.
  const idOf = (n: number) => createHash('sha256').update(String(n)).digest('hex').repeat(3);
  for (let n = 1; n <= 20_000; n += 500)
    await journal.append(
      's',
      eventsFrom(n, n + 499).map((each, at) => ({ ...each, id: idOf(n + at) })),
    );
  await journal.close();
  const again = await openSqliteJournal({ path });
  onTestFinished(() => again.close());
  await again.cut((await again.head('s'))!, { seq: 19_900, version: 1, json: '{}' });
  // The write-ahead log grows beyond what it is written back at by the largest step.
  expect(statSync(`${path}-wal`).size).toBeLessThan(3_000_000);
  expect(await again.find('s', idOf(19_900))).toBeUndefined();
  expect(await again.find('s', idOf(19_901))).toMatchObject({ seq: 19_901 });
  await again.close();
  const database = new DatabaseSync(path);
  onTestFinished(() => database.close());
  expect(database.prepare('SELECT count(*) AS ids, min(seq) AS first FROM event_ids').get()).toEqual({ ids: 100, first: 19_901 });
});

test('a cut that a sudden end broke off is finished by the next opener, which gives the room to the disk', async () => {
  const path = join(newFolder(), 'journal.db');
  const journal = await openSqliteJournal({ path });
  const text = 'x'.repeat(2_000);
  for (let n = 0; n < 30; n++) {
    const events = Array.from({ length: 100 }, (_, each) => event(n * 100 + each, { data: { text } }));
    await journal.append('s', events);
  }
  await journal.close();
  const bytes = statSync(path).size;
  // All that a server may have come to do: the events are still there.
  const again = await openSqliteJournal({ path });
  const cutting = again.cut((await again.head('s'))!, { seq: 2_900, version: 1, json: '{}' });
  while ((await again.head('s'))?.cut === undefined) await new Promise((resolve) => setImmediate(resolve));
  await again.close();
  await cutting.catch(() => undefined);
  const last = await openSqliteJournal({ path });
  expect((await last.read('s', { after: 0, limit: 1 }))[0]?.seq).toBe(2_901);
  await vi.waitFor(() => expect(last.usedBytes()).toBeLessThan(bytes / 5), 30_000);
  await last.cut((await last.head('s'))!, { seq: 2_950, version: 1, json: '{}' });
  await last.close();
  expect(statSync(path).size).toBeLessThan(bytes / 5);
});

test('who looks for a rare type, or a time, reads nothing of where it cannot be', async () => {
  const path = join(newFolder(), 'journal.db');
  const journal = await openSqliteJournal({ path });
  for (let n = 0; n < 20; n++) {
    const timestamp = `2026-01-01T00:00:${String(n).padStart(2, '0')}.000Z`;
    await journal.append(
      's',
      Array.from({ length: 500 }, (_, each) => event(each, { type: n === 10 && each === 7 ? 'rare:one' : 'my:own', timestamp })),
    );
  }
  await journal.close();
  // Whatever else is read from now on is lost, and every filter lets it pass.
  foreign(path, `UPDATE chunks SET json = 'x' WHERE json NOT LIKE '%rare:one%' AND json NOT LIKE '%00:05.000Z%'`);
  const after = await openSqliteJournal({ path });
  const read = async (range: object) => (await after.read('s', { after: 0, limit: 10_000, ...range })).map(({ seq }) => seq);
  expect(await read({ filter: (type: string) => /rare|lost/.test(type) })).toEqual([5_008]);
  expect(await read({ filter: (type: string) => /rare|lost/.test(type), reverse: true })).toEqual([5_008]);
  const inTime = { since: '2026-01-01T00:00:05.000Z', until: '2026-01-01T00:00:05.999Z' };
  expect(await read(inTime)).toEqual(Array.from({ length: 500 }, (_, each) => 2_501 + each));
  await after.close();
});

describe('a second opener', () => {
  const path = join(newFolder(), 'journal.db');

  test('in another process is refused, also after one in this process was, and may when the first is gone', async () => {
    const journal = await openSqliteJournal({ path });
    journal.announce('http://127.0.0.1:8123');
    const refusal = `cannot open the journal ${path}: another server has it open (process ${process.pid}, http://127.0.0.1:8123)`;
    expect(await openedElsewhere(path)).toBe(refusal);
    await expect(openSqliteJournal({ path })).rejects.toMatchObject({
      code: 'JOURNAL_FAILED',
      message: refusal,
      details: { reason: 'in_use', pid: process.pid, url: 'http://127.0.0.1:8123' },
    });
    const link = `${path}.link`;
    symlinkSync(path, link);
    await expect(openSqliteJournal({ path: link })).rejects.toThrow('another server has it open');
    expect(await openedElsewhere(path)).toBe(refusal);
    await journal.append('s', [event(1)]);
    await journal.close();
    expect(await openedElsewhere(path)).toBe('opened');
    const again = await openSqliteJournal({ path });
    expect(await held(again)).toEqual(countedTo(1));
    await again.close();
  });
});

describe('what is no journal is refused with a sentence, and left as it was:', () => {
  const text = 'just a text, and a long one'.repeat(1_000);

  test.each<[string, (path: string) => void, string]>([
    ['a text file', (path) => writeFileSync(path, text, { mode: 0o644 }), 'it is not a SQLite file, or it is damaged'],
    ['a short text file', (path) => writeFileSync(path, 'x', { mode: 0o644 }), 'it is not a SQLite file, or it is damaged'],
    ['a foreign SQLite file', (path) => foreign(path, 'CREATE TABLE x (a)'), 'it is a SQLite file of another program'],
    [
      'one with a mark and no tables',
      (path) => foreign(path, 'PRAGMA application_id = 7; PRAGMA user_version = 1'),
      'it is a SQLite file of another program',
    ],
    ['one in WAL mode', (path) => foreign(path, 'PRAGMA journal_mode = WAL; CREATE TABLE x (a)'), 'it is a SQLite file of another program'],
  ])('%s', async (_, make, reason) => {
    const path = join(newFolder(), 'journal.db');
    make(path);
    const before = readFileSync(path);
    await expect(openSqliteJournal({ path })).rejects.toMatchObject({
      code: 'JOURNAL_FAILED',
      message: `cannot open the journal ${path}: ${reason}`,
    });
    expect(readFileSync(path).equals(before)).toBe(true);
    expect(modeOf(path)).toBe('644');
    expect(existsSync(`${path}-wal`)).toBe(false);
  });

  test('a journal of a later version', async () => {
    const path = join(newFolder(), 'journal.db');
    await (await openSqliteJournal({ path })).close();
    foreign(path, 'PRAGMA user_version = 99');
    await expect(openSqliteJournal({ path })).rejects.toThrow(
      `cannot open the journal ${path}: a newer shannon-dash has written it (format 99, this one reads up to 7)`,
    );
  });

  test('a folder', async () => {
    const path = newFolder();
    await expect(openSqliteJournal({ path })).rejects.toMatchObject({
      code: 'JOURNAL_FAILED',
      message: `cannot open the journal ${path}: it is a folder`,
    });
  });

  test('a device', async () => {
    const before = modeOf('/dev/null');
    await expect(openSqliteJournal({ path: '/dev/null' })).rejects.toThrow('cannot open the journal /dev/null: it is not a file');
    expect(modeOf('/dev/null')).toBe(before);
  });

  test('a path through a file', async () => {
    const file = join(newFolder(), 'file');
    writeFileSync(file, '');
    const path = join(file, 'deep', 'journal.db');
    await expect(openSqliteJournal({ path })).rejects.toThrow(`cannot open the journal ${path}: a part of its path is not a folder`);
  });

  test.runIf(process.platform === 'linux')('a path where no folder can be made', async () => {
    const path = '/proc/nowhere/journal.db';
    await expect(openSqliteJournal({ path })).rejects.toThrow(`cannot open the journal ${path}: its folder cannot be made`);
  });

  test('a damaged journal', async () => {
    const path = join(newFolder(), 'journal.db');
    const journal = await openSqliteJournal({ path });
    await journal.append('s', eventsFrom(1, 500));
    await journal.close();
    const file = openSync(path, 'r+');
    ftruncateSync(file, 5_000);
    closeSync(file);
    await expect(openSqliteJournal({ path })).rejects.toThrow(`cannot open the journal ${path}: it is not a SQLite file, or it is damaged`);
  });

  test.runIf(process.getuid?.() === 0)('a path that this user may not read', async () => {
    const folder = newFolder();
    // Its name says nothing of the reason.
    const path = join(folder, 'locked.db');
    chmodSync(root, 0o755);
    chmodSync(folder, 0o700);
    const script = `import(${JSON.stringify(new URL('../../src/journal/sqlite/sqlite-journal.ts', import.meta.url).href)})
      .then(async (module) => { process.setuid(65534); await module.openSqliteJournal({ path: ${JSON.stringify(path)} }); })
      .then(() => console.log('opened'), (error) => console.log(error.message));`;
    const { stdout } = spawnSync(process.execPath, [...nodeOptions, '--input-type=module', '-e', script], { encoding: 'utf8' });
    expect(stdout.trim()).toBe(`cannot open the journal ${path}: it may not be read and written by this user`);
  });
});

test.each(['', '-log', '-wal'])('nothing is acknowledged once its file%s was deleted or replaced under it', async (ending) => {
  const path = join(newFolder(), 'journal.db');
  const journal = await openSqliteJournal({ path });
  onTestFinished(() => journal.close());
  rmSync(`${path}${ending}`);
  const says =
    /: its (database|log of commits|write-ahead log) was deleted or replaced under the server; (?:save what it still has with shannon-dash export --all, then )?stop it, and start it again/;
  await expect(journal.append('s', [event(1)])).rejects.toThrow(says);
  await expect(journal.create({ session_id: 't', created_at: new Date().toISOString() })).rejects.toThrow(says);
  writeFileSync(`${path}${ending}`, '');
  await expect(journal.append('s', [event(1)])).rejects.toMatchObject({ code: 'JOURNAL_FAILED' });
  expect(await journal.sessions()).toEqual([]);
});

test('a writer that is killed at any moment has lost nothing that it was told is kept', async () => {
  const path = join(newFolder(), 'journal.db');
  for (let round = 1; round <= 3; round++) {
    const child = spawn(process.execPath, [...nodeOptions, writer, path, 'write'], { stdio: ['ignore', 'pipe', 'inherit'] });
    const exited = once(child, 'exit');
    let acknowledged = 0;
    let lines = 0;
    for await (const line of createInterface({ input: child.stdout })) {
      acknowledged = Number(line);
      if (++lines === 40 + round * 17) child.kill('SIGKILL');
    }
    await exited;
    expect(child.signalCode).toBe('SIGKILL');
    expect(lines).toBeGreaterThan(40);

    const journal = await openSqliteJournal({ path });
    const kept = await held(journal);
    expect(kept.length).toBeGreaterThanOrEqual(acknowledged);
    expect(kept.map(([seq]) => seq)).toEqual(countedTo(kept.length).map(([seq]) => seq));
    // Whole batches of three, and each run's numbers from 1 on.
    expect(kept.length % 3).toBe(0);
    expect(kept.filter(([, n]) => n === 1)).toHaveLength(round);
    expect((await journal.head('s'))?.seq).toBe(kept.length);
    await journal.close();
  }
});

test('opened through a link it is the same journal, whatever was left in its log', async () => {
  const real = join(newFolder(), 'real.db');
  await (await openSqliteJournal({ path: real })).close();
  const link = join(newFolder(), 'link.db');
  symlinkSync(real, link);
  const journal = await openSqliteJournal({ path: link });
  await journal.append('s', [event(1)]);
  expect(statSync(`${real}-log`).size).toBeGreaterThan(0);
  expect(existsSync(`${link}-log`)).toBe(false);
  await journal.close();
});

describe('a sudden end', () => {
  /** The files of a journal as they lie on the disk at this moment, in a folder of their own. */
  function copyOf({ location }: Journal): string {
    const path = join(newFolder(), 'journal.db');
    for (const suffix of ['', '-wal', '-log']) copyFileSync(`${location}${suffix}`, `${path}${suffix}`);
    return path;
  }
  const commitsIn = (path: string) => readLog(readFileSync(path)).commits.length;
  const settled = (journal: Journal) => expect.poll(() => commitsIn(`${journal.location}-log`), { timeout: 10_000 }).toBe(0);

  /** The next event follows, and the next opener has it in the database. */
  async function goesOn(journal: Journal, seq: number): Promise<void> {
    expect(await journal.append('s', [event(seq)])).toMatchObject({ seqs: [seq] });
    await journal.close();
    expect(existsSync(`${journal.location}-log`)).toBe(false);
    const next = await openSqliteJournal({ path: journal.location });
    expect(await held(next)).toEqual(countedTo(seq));
    await next.close();
  }

  test('before the database had them: the events are there, under their ids, and the next ones follow', async () => {
    const journal = await openSqliteJournal({ path: join(newFolder(), 'journal.db') });
    await journal.append('s', eventsFrom(1, 3));
    await settled(journal);
    await journal.append('s', [event(4, { id: 'mine' }), event(5)]);
    expect(statSync(`${journal.location}-log`).size).toBeGreaterThan(0);
    const path = copyOf(journal);
    await journal.close();
    const after = await openSqliteJournal({ path });
    expect(await held(after)).toEqual(countedTo(5));
    expect(await after.append('s', [event(4, { id: 'mine' }), event(6)])).toMatchObject({ seqs: [4, 6] });
    await goesOn(after, 7);
  });

  test('between the database and the log: what both have is there once', async () => {
    const journal = await openSqliteJournal({ path: join(newFolder(), 'journal.db') });
    await journal.append('s', eventsFrom(1, 3));
    const log = readFileSync(`${journal.location}-log`);
    await settled(journal);
    const path = copyOf(journal);
    await journal.close();
    writeFileSync(`${path}-log`, log);
    const after = await openSqliteJournal({ path });
    expect(await held(after)).toEqual(countedTo(3));
    await goesOn(after, 4);
  });

  test('that took the end of the database with it: what is gone is told, and its numbers are given to no other event', async () => {
    const journal = await openSqliteJournal({ path: join(newFolder(), 'journal.db') });
    await journal.append('s', eventsFrom(1, 3));
    await settled(journal);
    const path = copyOf(journal);
    await journal.append('s', eventsFrom(4, 6));
    await settled(journal);
    await journal.append('s', eventsFrom(7, 9));
    copyFileSync(`${journal.location}-log`, `${path}-log`);
    await journal.close();
    await expect(openSqliteJournal({ path })).rejects.toMatchObject({
      details: { reason: 'loss' },
      message: expect.stringContaining('s (events 4 to 6)'),
    });
    const after = await openSqliteJournal({ path, acceptLoss: true });
    const kept = await after.read('s', { after: 0, limit: 100 });
    expect(kept.map(({ seq, type, event }) => [seq, type === 'journal:lost' ? type : event.data['n']])).toEqual([
      [1, 1],
      [2, 2],
      [3, 3],
      [4, 'journal:lost'],
      [5, 'journal:lost'],
      [6, 'journal:lost'],
      [7, 7],
      [8, 8],
      [9, 9],
    ]);
    expect(await after.append('s', [event(10)])).toMatchObject({ seqs: [10] });
    await after.close();
    // What was accepted is not asked for again.
    await (await openSqliteJournal({ path })).close();
  });

  test('after a session was deleted: nothing of it comes back into one created anew', async () => {
    const journal = await openSqliteJournal({ path: join(newFolder(), 'journal.db') });
    await journal.append('s', eventsFrom(1, 3));
    await journal.delete('s');
    const { epoch } = await journal.append('s', [event(1)]);
    const path = copyOf(journal);
    await journal.close();
    const after = await openSqliteJournal({ path });
    expect(await held(after)).toEqual(countedTo(1));
    expect((await after.head('s'))?.epoch).toBe(epoch);
    await after.close();
  });
});

test('a history read while its newest events move from the log to the database is whole', async () => {
  const journal = await openSqliteJournal({ path: join(newFolder(), 'journal.db') });
  const large = { filler: 'x'.repeat(2_000) };
  const writing = (async () => {
    for (let n = 1; n <= 2_000; n += 20) {
      await journal.append(
        's',
        Array.from({ length: 20 }, (_, at) => event(n + at, { data: { n: n + at, ...large } })),
      );
    }
  })();
  for (let last = 0; last < 2_000;) {
    const events = await journal.read('s', { after: 0, limit: Infinity });
    expect(events.map(({ seq }) => seq)).toEqual(Array.from({ length: events.length }, (_, at) => at + 1));
    last = events.length;
    await new Promise((resolve) => setImmediate(resolve));
  }
  await writing;
  await journal.close();
});

describe('a full disk', () => {
  /** Appends until it fails; gives the failure. */
  async function fill(journal: Journal, sizeChars: number): Promise<unknown> {
    for (let at = 0; at < 1_000; at++) {
      const { seq } = (await journal.head('s')) ?? { seq: 0 };
      try {
        await journal.append('s', [event(seq + 1, { data: { n: seq + 1, filler: 'x'.repeat(sizeChars) } }), event(seq + 2)]);
      } catch (error) {
        return error;
      }
    }
    return undefined;
  }

  test('refuses appends, keeps no half of one, and all goes on when there is space again', async (context) => {
    const disk = newFolder();
    // Only root may mount, and not in every container.
    if (spawnSync('mount', ['-t', 'tmpfs', '-o', 'size=4m', 'tmpfs', disk]).status !== 0)
      return context.skip('a disk of its own cannot be mounted');
    onTestFinished(() => void spawnSync('umount', ['-l', disk]));

    const ballast = join(disk, 'ballast');
    writeFileSync(ballast, Buffer.alloc(1_500_000));
    const path = join(disk, 'journal.db');
    let journal = await openSqliteJournal({ path });
    const told: number[] = [];
    journal.subscribe((changes) => {
      for (const change of changes) if (change.kind === 'appended') told.push(...change.events.map(({ seq }) => seq));
    });
    expect(await fill(journal, 20_000)).toMatchObject({
      code: 'JOURNAL_FAILED',
      message: expect.stringMatching(/^The journal could not be written: /),
    });
    expect(await fill(journal, 2_000)).toMatchObject({ code: 'JOURNAL_FAILED' });

    const last = (await journal.head('s'))?.seq ?? 0;
    expect(last).toBeGreaterThan(0);
    expect(last % 2).toBe(0);
    expect(await held(journal)).toEqual(countedTo(last));
    expect(told).toEqual(countedTo(last).map(([seq]) => seq));
    const large = { data: { filler: 'x'.repeat(60_000) } };
    await expect(journal.append('other', [event(1, large)])).rejects.toMatchObject({ code: 'JOURNAL_FAILED' });
    expect(await journal.head('other')).toBeUndefined();

    rmSync(ballast);
    expect(await journal.append('s', [event(last + 1), event(last + 2)])).toMatchObject({ seqs: [last + 1, last + 2] });
    expect(await journal.append('other', [event(1, large)])).toMatchObject({ seqs: [1] });
    await journal.close();
    journal = await openSqliteJournal({ path });
    expect(await held(journal)).toEqual(countedTo(last + 2));
    await journal.close();
  });
});
