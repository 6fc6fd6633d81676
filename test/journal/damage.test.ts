import { copyFileSync, mkdirSync, mkdtempSync, readdirSync, readFileSync, rmSync, statSync, truncateSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { dirname, join } from 'node:path';
import { DatabaseSync } from 'node:sqlite';
import { crc32 } from 'node:zlib';
import { afterAll, describe, expect, onTestFinished, test } from 'vitest';
import type { NewEvent, Journal } from '../../src/journal/journal.ts';
import { openSqliteJournal } from '../../src/journal/sqlite/sqlite-journal.ts';
import { countedTo, event, eventsFrom, held } from './journal-contract.ts';

const root = mkdtempSync(join(tmpdir(), 'damage-'));
let folders = 0;
const newPath = () => {
  const folder = join(root, String(++folders));
  mkdirSync(folder);
  return join(folder, 'journal.db');
};
afterAll(() => rmSync(root, { recursive: true }));

const endings = ['', '-wal', '-log'];

/** The files as a kill at this moment would leave them. */
function leftBy({ location }: Journal): string {
  const path = newPath();
  for (const ending of endings) {
    // An empty one is as good as none.
    const size = statSync(location + ending, { throwIfNoEntry: false })?.size ?? 0;
    if (size > 0) copyFileSync(location + ending, path + ending);
  }
  return path;
}

async function opened(path: string, acceptLoss = false): Promise<Journal & { problems: string[] }> {
  const journal = await openSqliteJournal({ path, acceptLoss });
  onTestFinished(() => journal.close());
  const problems: string[] = [];
  journal.onProblem((problem) => problems.push(problem));
  return Object.assign(journal, { problems });
}

/** Moves everything to the database. */
async function settle(journal: Journal): Promise<void> {
  await journal.create({ session_id: 'passing', created_at: new Date(0).toISOString() });
  await journal.delete('passing');
}

function sql(path: string, ...statements: string[]): void {
  const database = new DatabaseSync(path);
  for (const statement of statements) database.exec(statement);
  database.close();
}

const seqsAndTypes = async (journal: Journal, session = 's') =>
  (await journal.read(session, { after: 0, limit: 100_000 })).map(({ seq, type }) => `${seq} ${type}`);

/** Refused with what is lost, left as it was, and opened when that is accepted; the damaged files are kept. */
async function isLoss(path: string, says: RegExp, kept: readonly string[]): Promise<Journal & { problems: string[] }> {
  const files = () => Object.fromEntries(readdirSync(dirname(path)).map((name) => [name, readFileSync(join(dirname(path), name))]));
  const before = files();
  await expect(openSqliteJournal({ path })).rejects.toMatchObject({
    code: 'JOURNAL_FAILED',
    message: expect.stringMatching(says),
    details: { reason: 'loss' },
  });
  const after = files();
  expect(Object.keys(after)).toEqual(Object.keys(before));
  for (const ending of ['-wal', '-log'])
    expect(after[`journal.db${ending}`]?.equals(before[`journal.db${ending}`] ?? Buffer.of())).not.toBe(false);
  const journal = await opened(path, true);
  expect(journal.problems[0]).toMatch(says);
  const aside = readdirSync(dirname(path)).filter((name) => name.startsWith('journal.db.damaged-'));
  expect(aside.map((name) => name.replace(/^.*(?=-)/, '')).toSorted()).toEqual(kept);
  for (const name of aside) expect(journal.problems[0]).toContain(name);
  return journal;
}

describe('what was acknowledged and is gone is told at the start:', () => {
  test('a commit in the log whose bytes changed, between whole ones', async () => {
    const journal = await opened(newPath());
    for (const n of [1, 2, 3, 4]) await journal.append('s', [event(n)]);
    await journal.append('t', [event(1)]);
    const path = leftBy(journal);
    writeFileSync(`${path}-log`, readFileSync(`${path}-log`, 'utf8').replace('"n":2', '"n":7').replace('"n":3', '"n":8'));
    const after = await isLoss(path, /2 commits are damaged in the log of commits; of s \(events 2 to 3\)/, ['-log']);
    expect(await seqsAndTypes(after)).toEqual(['1 my:own', '2 journal:lost', '3 journal:lost', '4 my:own']);
    expect(await held(after, 't')).toEqual(countedTo(1));
    expect(await after.append('s', [event(5)])).toMatchObject({ seqs: [5] });
    await after.close();
    const again = await opened(path);
    expect(await seqsAndTypes(again)).toEqual(['1 my:own', '2 journal:lost', '3 journal:lost', '4 my:own', '5 my:own']);
    expect(again.problems).toEqual([]);
  });

  test('the last commit in the log, which is whole in length', async () => {
    const journal = await opened(newPath());
    for (const n of [1, 2]) await journal.append('s', [event(n)]);
    const path = leftBy(journal);
    writeFileSync(`${path}-log`, readFileSync(`${path}-log`, 'utf8').replace('"n":2', '"n":7'));
    const { epoch } = (await journal.head('s')) ?? {};
    const after = await isLoss(path, /1 commit is damaged in the log of commits/, ['-log']);
    // The next event has the number of the lost one: a cursor to that must not fit.
    expect(await after.append('s', [event(3)])).toMatchObject({ seqs: [2] });
    const head = await after.head('s');
    expect(head?.epoch).not.toBe(epoch);
    await after.close();
    const again = await opened(path);
    expect(await again.head('s')).toEqual(head);
    expect((await again.sessions()).map(({ epoch: each }) => each)).toEqual([head?.epoch]);
  });

  test('a torn end of the log is none', async () => {
    const journal = await opened(newPath());
    for (const n of [1, 2]) await journal.append('s', [event(n)]);
    const path = leftBy(journal);
    truncateSync(`${path}-log`, readFileSync(`${path}-log`).length - 3);
    const after = await opened(path);
    expect(after.problems).toEqual([]);
    expect(await held(after)).toEqual(countedTo(1));
  });

  test.each(['cut off', 'deleted'])('a write-ahead log that was %s', async (how) => {
    const journal = await opened(newPath());
    await journal.append('s', eventsFrom(1, 3));
    await settle(journal);
    for (const n of [4, 5]) await journal.append('s', [event(n)]);
    await journal.saveSnapshot((await journal.head('s'))!, { seq: 5, version: 1, json: '{}' });
    await journal.append('s', [event(6)]);
    const path = leftBy(journal);
    if (how === 'deleted') rmSync(`${path}-wal`);
    else truncateSync(`${path}-wal`, 40);
    const says = /2 commits are gone from the database \(.*\); of s \(events 4 to 5\)/;
    const after = await isLoss(path, says, how === 'deleted' ? ['-log'] : ['-log', '-wal']);
    expect(await seqsAndTypes(after)).toEqual(['1 my:own', '2 my:own', '3 my:own', '4 journal:lost', '5 journal:lost', '6 my:own']);
  });

  test('a database that is missing beside its log', async () => {
    const journal = await opened(newPath());
    await journal.append('old', eventsFrom(1, 3));
    await settle(journal);
    await journal.saveSnapshot((await journal.head('old'))!, { seq: 3, version: 1, json: '{}' });
    await journal.append('old', [event(4)]);
    await journal.append('new', eventsFrom(1, 2));
    const path = leftBy(journal);
    rmSync(path);
    const after = await isLoss(path, /the database is missing, and with it up to \d+ commits; of old \(events 1 to 3\)/, ['-log', '-wal']);
    expect(await seqsAndTypes(after, 'old')).toEqual(['1 journal:lost', '2 journal:lost', '3 journal:lost', '4 my:own']);
    expect(await held(after, 'new')).toEqual(countedTo(2));
  });

  test('a log that is missing', async () => {
    const journal = await opened(newPath());
    await journal.append('s', [event(1)]);
    const path = leftBy(journal);
    rmSync(`${path}-log`);
    await isLoss(path, /the log of the newest commits is missing/, []);
  });

  test('one that is empty is none: a sudden end came between its being emptied and its being begun anew', async () => {
    const journal = await opened(newPath());
    await journal.append('s', eventsFrom(1, 3));
    await settle(journal);
    const path = leftBy(journal);
    truncateSync(`${path}-log`);
    const after = await opened(path);
    expect(after.problems).toEqual([]);
    expect(await held(after)).toEqual(countedTo(3));
  });

  test('after an orderly end nothing is', async () => {
    const journal = await opened(newPath());
    await journal.append('s', eventsFrom(1, 3));
    await journal.close();
    expect(readdirSync(dirname(journal.location))).toEqual(['journal.db']);
    const after = await opened(journal.location);
    expect(after.problems).toEqual([]);
    expect(await held(after)).toEqual(countedTo(3));
  });
});

describe('a byte that changed in the database', () => {
  const large = (n: number): NewEvent => event(n, { data: { n, filler: `marked${n}.`.repeat(500) } });

  /** Three chunks of some ten events. */
  async function filled(): Promise<{ path: string; count: number }> {
    const path = newPath();
    const journal = await openSqliteJournal({ path });
    const count = 30;
    for (let n = 1; n <= count; n += 10) {
      await journal.append(
        's',
        Array.from({ length: 10 }, (_, at) => large(n + at)),
      );
      await settle(journal);
    }
    await journal.append('other', eventsFrom(1, 2));
    await journal.close();
    return { path, count };
  }

  test('costs the events of its chunk, which are told by their numbers, and nothing else', async () => {
    const { path, count } = await filled();
    const file = readFileSync(path);
    const at = file.indexOf('marked15.');
    file[at] = (file[at] ?? 0) ^ 1;
    writeFileSync(path, file);
    const journal = await opened(path);
    const types = await seqsAndTypes(journal);
    expect(types).toEqual(Array.from({ length: count }, (_, n) => `${n + 1} ${n >= 10 && n < 20 ? 'journal:lost' : 'my:own'}`));
    expect(journal.problems).toEqual(['Events 11 to 20 of s cannot be read: the journal is damaged there']);
    const [lost] = await journal.read('s', { after: 11, limit: 1 });
    expect(JSON.parse(lost?.json ?? '')).toMatchObject({
      session_id: 's',
      seq: 12,
      type: 'journal:lost',
      data: { reason: expect.any(String) },
    });
    expect(await held(journal, 'other')).toEqual(countedTo(2));
    expect(await journal.append('s', [event(31)])).toMatchObject({ seqs: [31] });
  });

  test('in the newest events of a session gives no number to a second event', async () => {
    const { path } = await filled();
    const file = readFileSync(path);
    const at = file.indexOf('marked30.');
    file[at] = 0;
    writeFileSync(path, file);
    const journal = await opened(path);
    expect(await journal.append('s', [event(31)])).toMatchObject({ seqs: [31] });
    expect((await seqsAndTypes(journal)).slice(18)).toEqual([
      '19 my:own',
      '20 my:own',
      ...Array.from({ length: 10 }, (_, n) => `${n + 21} journal:lost`),
      '31 my:own',
    ]);
    expect(journal.problems).toEqual(['Events 21 to 30 of s cannot be read: the journal is damaged there']);
  });

  test('in the place where a session stands is noticed: it stands where its last event does', async () => {
    const { path, count } = await filled();
    sql(path, 'UPDATE heads SET seq = seq - 1');
    const journal = await opened(path);
    expect(await journal.append('s', [event(31)])).toMatchObject({ seqs: [count + 1] });
    expect(journal.problems).toEqual([]);
  });

  test('anywhere is never answered with an event other than the one that was taken', { timeout: 60_000 }, async () => {
    const { path, count } = await filled();
    const whole = readFileSync(path);
    const outcomes = { same: 0, lost: 0, refused: 0 };
    for (let at = 100; at < whole.length; at += Math.floor(whole.length / 40)) {
      const damaged = Buffer.from(whole);
      damaged[at] = (damaged[at] ?? 0) ^ 0x11;
      const copy = newPath();
      writeFileSync(copy, damaged);
      try {
        const journal = await openSqliteJournal({ path: copy });
        const events = await journal.read('s', { after: 0, limit: 1_000 });
        await journal.close();
        for (const { event: each } of events) if (each.type === 'my:own') expect(each.data).toEqual(large(each.seq).data);
        const isWhole = events.length === count && events.every(({ type }) => type === 'my:own');
        outcomes[isWhole ? 'same' : 'lost']++;
      } catch (error) {
        // Where SQLite's own tables are hit, the file or the session cannot be read.
        expect(error).toMatchObject({ code: 'JOURNAL_FAILED' });
        outcomes.refused++;
      }
    }
    expect(outcomes.lost).toBeGreaterThan(10);
  });

  test('in a snapshot costs the snapshot', async () => {
    const path = newPath();
    const first = await openSqliteJournal({ path });
    await first.append('s', [event(1)]);
    await first.saveSnapshot((await first.head('s'))!, { seq: 1, version: 1, json: '{"snap":"shot"}' });
    await first.close();
    const file = readFileSync(path, 'latin1');
    writeFileSync(path, file.replace('"snap":"shot"', '"snap":"shut"'), 'latin1');
    const journal = await opened(path);
    expect(await journal.loadSnapshot('s')).toBeUndefined();
    expect(journal.problems).toEqual(['The snapshot of s is damaged: its history is folded anew']);
  });

  test('in its head is called damage, not the file of another program', async () => {
    const { path } = await filled();
    for (const at of [0, 70]) {
      const copy = newPath();
      const file = readFileSync(path);
      file[at] = 0;
      writeFileSync(copy, file);
      await expect(openSqliteJournal({ path: copy })).rejects.toMatchObject({
        message: `cannot open the journal ${copy}: its header is damaged`,
        details: { reason: 'damaged' },
      });
    }
  });
});

describe('a session that cannot be written back', () => {
  test('keeps no other from it, takes no more events, is read and deleted as any, and is tried again at the next start', async () => {
    const path = newPath();
    await (await openSqliteJournal({ path })).close();
    sql(path, `CREATE TRIGGER stop BEFORE INSERT ON chunks WHEN new.json LIKE '%poison%' BEGIN SELECT RAISE(ABORT, 'poisoned'); END`);
    const journal = await opened(path);
    await journal.append('bad', [event(1, { data: { n: 1, text: 'poison' } }), event(2, { id: 'mine' })]);
    await journal.append('good', [event(1)]);
    await settle(journal);
    const failure = 'what it has could not be written back (poisoned)';
    expect(journal.problems).toEqual([`Session bad takes no more events: ${failure}; it is set aside, and tried again at the next start`]);
    await expect(journal.append('bad', [event(3)])).rejects.toMatchObject({
      code: 'JOURNAL_FAILED',
      message: `The journal could not be written: session bad takes no more events, for ${failure}`,
    });
    expect(await journal.append('good', [event(2)])).toMatchObject({ seqs: [2] });
    expect(await held(journal, 'bad')).toEqual(countedTo(2));
    expect(journal.health()).toEqual({ isWritable: true });
    const killed = leftBy(journal);
    await journal.close();

    const still = await opened(killed);
    expect(still.problems[0]).toBe('2 events of bad could not be written back before; it is tried again');
    expect([await held(still, 'bad'), await held(still, 'good')]).toEqual([countedTo(2), countedTo(2)]);
    expect(await still.delete('bad')).toBe(true);
    expect(await still.append('bad', [event(1)])).toMatchObject({ seqs: [1] });
    await still.close();
    const deleted = await opened(killed);
    expect([await held(deleted, 'bad'), deleted.problems]).toEqual([countedTo(1), []]);

    sql(path, 'DROP TRIGGER stop');
    const mended = await opened(path);
    expect(await mended.append('bad', [event(2, { id: 'mine' }), event(3)])).toMatchObject({ seqs: [2, 3] });
    await mended.close();
    const whole = await opened(path);
    expect([await held(whole, 'bad'), whole.problems]).toEqual([countedTo(3), []]);
  });
});

describe('a journal of the first version', () => {
  const oldSchema = `
    PRAGMA application_id = 1399342177; PRAGMA user_version = 2;
    CREATE TABLE meta (key TEXT PRIMARY KEY, value TEXT NOT NULL) STRICT, WITHOUT ROWID;
    CREATE TABLE sessions (key INTEGER PRIMARY KEY AUTOINCREMENT, session_id TEXT NOT NULL UNIQUE, epoch TEXT NOT NULL, created_at TEXT NOT NULL,
      origin TEXT NOT NULL, snapshot_seq INTEGER, snapshot_version INTEGER, snapshot TEXT) STRICT;
    CREATE TABLE chunks (place INTEGER PRIMARY KEY, json TEXT NOT NULL) STRICT;
    CREATE TABLE event_ids (session INTEGER NOT NULL, id TEXT NOT NULL, seq INTEGER NOT NULL, PRIMARY KEY (session, id)) STRICT, WITHOUT ROWID;
    INSERT INTO meta VALUES ('epoch', 'old'), ('secret', 'c2VjcmV0'), ('deletions', '0');`;
  const json = (seq: number, id = `old:${seq}`) =>
    JSON.stringify({ session_id: 's', seq, id, type: 'my:own', timestamp: '2026-01-01T00:00:00.000Z', data: { n: seq } });
  const commit = (...lines: string[]) => {
    const text = `${lines.join('\n')}\n`;
    return `${text}#${crc32(text).toString(16)}\n`;
  };
  const session = `INSERT INTO sessions (session_id, epoch, created_at, origin) VALUES ('s', 'old', '2026-01-01T00:00:00.000Z', '{}')`;

  test('is taken over with its log, which had neither header nor numbers', async () => {
    const path = newPath();
    sql(path, oldSchema, session, `INSERT INTO chunks VALUES (${2 ** 32 + 1}, '${json(1)}\n${json(2)}')`);
    writeFileSync(`${path}-log`, commit(json(2)) + commit(json(3), json(4, 'mine')));
    const journal = await opened(path);
    expect([journal.problems, journal.epoch]).toEqual([[], 'old']);
    expect(await held(journal)).toEqual(countedTo(4));
    expect((await journal.find('s', 'mine'))?.seq).toBe(4);
    await journal.append('s', [event(5)]);
    await journal.close();
    expect(await held(await opened(path))).toEqual(countedTo(5));
  });

  test('keeps its snapshots, and a start reads no events once it was written', async () => {
    const path = newPath();
    const snapshot = `UPDATE sessions SET snapshot_seq = 2, snapshot_version = 7, snapshot = '{"a":1}'`;
    sql(path, oldSchema, session, snapshot, `INSERT INTO chunks VALUES (${2 ** 32 + 1}, '${json(1)}\n${json(2)}')`);
    const journal = await opened(path);
    expect(await journal.loadSnapshot('s')).toEqual({ seq: 2, version: 7, json: '{"a":1}' });
    await journal.close();
    sql(path, `UPDATE chunks SET json = 'none'`);
    const again = await opened(path);
    expect(await again.head('s')).toMatchObject({ seq: 2, updated_at: '2026-01-01T00:00:00.000Z' });
    expect(again.problems).toEqual([]);
  });

  test('with a chunk that is no JSON any more tells what is lost', async () => {
    const path = newPath();
    sql(
      path,
      oldSchema,
      session,
      `INSERT INTO chunks VALUES (${2 ** 32 + 1}, '${json(1)}'), (${2 ** 32 + 2}, '${json(2).slice(1)}'), (${2 ** 32 + 3}, '${json(3)}')`,
    );
    expect(await seqsAndTypes(await opened(path))).toEqual(['1 my:own', '2 journal:lost', '3 my:own']);
  });

  test('that ids without a form in Unicode have brought to a stand is mended, and the loss told', async () => {
    const path = newPath();
    const other = `INSERT INTO sessions (session_id, epoch, created_at, origin) VALUES ('t', 'old', '2026-01-01T00:00:00.000Z', '{}')`;
    sql(path, oldSchema, session, other);
    const ofOther = json(1).replace('"s"', '"t"');
    writeFileSync(`${path}-log`, commit(json(1, '\ud800'), json(2, '\ud801')) + commit(ofOther) + commit(json(3, 'well')));
    const journal = await opened(path);
    expect(journal.problems).toEqual([
      '2 events of s had ids that are no Unicode text, which no database can hold: they have ids of the journal now',
    ]);
    expect(await held(journal)).toEqual(countedTo(3));
    expect((await journal.read('s', { after: 0, limit: 9 })).map(({ event: { id } }) => id)).toEqual(['old:1', 'old:2', 'well']);
    expect(await held(journal, 't')).toEqual(countedTo(1));
    await journal.append('s', [event(4)]);
    await settle(journal);
    await journal.close();
    const again = await opened(path);
    expect([await held(again), again.problems]).toEqual([countedTo(4), []]);
  });
});
