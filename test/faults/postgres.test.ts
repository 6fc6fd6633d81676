import { setTimeout as wait } from 'node:timers/promises';
import { Client } from 'pg';
import { describe, expect, onTestFinished, test } from 'vitest';
import type { Journal, JournalChange } from '../../src/journal/journal.ts';
import { openPostgresJournal } from '../../src/journal/postgres/postgres-journal.ts';
import { startCuttingProxy } from '../helpers/cutting-proxy.ts';
import { newPostgresDatabase, newPostgresJournal } from '../helpers/postgres-journal.ts';
import { hasPostgres, inPostgres, postgresUrl } from '../helpers/postgres-server.ts';
import { countedTo, event, held } from '../journal/journal-contract.ts';

async function opened(location: string): Promise<Journal> {
  const journal = await openPostgresJournal(location);
  onTestFinished(() => journal.close());
  return journal;
}

/** Hears of a session as a server does: told events, or where they were missed what the journal holds. */
function follower(journal: Journal, session: string) {
  const seqs: number[] = [];
  let reading = Promise.resolve();
  const read = async () => {
    // At the end of the test the journal closes under it.
    const events = await journal.read(session, { after: seqs.at(-1) ?? 0, limit: 100_000 }).catch(() => []);
    for (const { seq } of events) seqs.push(seq);
  };
  journal.subscribe((changes) => {
    for (const change of changes) {
      if (change.kind === 'behind' && change.session_id === session) reading = reading.then(read);
      if (change.kind !== 'appended' || change.session_id !== session) continue;
      reading = reading.then(() => {
        for (const { seq } of change.events) if (seq === (seqs.at(-1) ?? 0) + 1) seqs.push(seq);
      });
    }
  });
  return seqs;
}

/** Publishes numbered events until `isOver`, each again with its id until it is acknowledged. Gives how many were. */
async function publishUntil(journal: Journal, session: string, isOver: () => boolean): Promise<number> {
  let n = 0;
  while (!isOver()) {
    n++;
    for (;;) {
      try {
        await journal.append(session, [event(n, { id: `${session}-${n}` })]);
        break;
      } catch {
        await wait(20);
      }
    }
  }
  return n;
}

describe.skipIf(!hasPostgres)('a journal in PostgreSQL', () => {
  test(
    'loses and doubles nothing while its connections are ended, cut and refused, and tells every server',
    { timeout: 120_000 },
    async () => {
      const direct = await newPostgresDatabase();
      const proxy = await startCuttingProxy(() => Number(direct.port));
      const cuttable = new URL(direct);
      cuttable.port = new URL(proxy.url).port;
      const journals = [await opened(direct.href), await opened(cuttable.href)];
      const heard = journals.flatMap((journal) => ['a', 'b'].map((session) => follower(journal, session)));
      let isOver = false;
      const publishing = journals.map((journal, index) => publishUntil(journal, index === 0 ? 'a' : 'b', () => isOver));
      for (let round = 0; round < 6; round++) {
        await wait(300);
        if (round % 2 === 0) proxy.cut();
        else {
          await inPostgres(`SELECT pg_terminate_backend(pid) FROM pg_stat_activity WHERE datname = '${direct.pathname.slice(1)}'`);
        }
      }
      await wait(300);
      isOver = true;
      const counts = await Promise.all(publishing);
      expect(counts.every((count) => count > 20)).toBe(true);
      for (const journal of journals) {
        expect(await held(journal, 'a')).toEqual(countedTo(counts[0] ?? 0));
        expect(await held(journal, 'b')).toEqual(countedTo(counts[1] ?? 0));
      }
      const all = (count = 0) => Array.from({ length: count }, (_, at) => at + 1);
      await expect.poll(() => heard, { timeout: 30_000 }).toEqual([all(counts[0]), all(counts[1]), all(counts[0]), all(counts[1])]);
    },
  );

  test('writes a commit once that waits in the database while its connection is cut', { timeout: 60_000 }, async () => {
    const location = new URL(newPostgresJournal());
    const { port } = location;
    const proxy = await startCuttingProxy(() => Number(port));
    location.port = new URL(proxy.url).port;
    const journal = await opened(location.href);
    await journal.append('s', [event(1)]);
    const holder = new Client({ connectionString: postgresUrl });
    await holder.connect();
    onTestFinished(() => holder.end());
    await holder.query(`BEGIN; SELECT FROM "${location.searchParams.get('schema')}".sessions FOR UPDATE`);
    const waiting = async () => {
      const { rows } = await holder.query<{ count: string }>(`WITH RECURSIVE held AS (
        SELECT pg_backend_pid() AS pid UNION SELECT l.pid FROM held JOIN pg_locks l ON NOT l.granted AND held.pid = ANY(pg_blocking_pids(l.pid))
      ) SELECT count(*) - 1 AS count FROM held`);
      return Number(rows[0]?.count);
    };
    const appended = journal.append('s', [event(2)]);
    await expect.poll(waiting).toBe(1);
    proxy.cut();
    await expect.poll(waiting).toBe(2);
    await holder.query('COMMIT');
    await appended;
    expect(await held(journal)).toEqual(countedTo(2));
  });

  test('gives one session one order, whichever servers write to it, and each id once', { timeout: 60_000 }, async () => {
    const location = newPostgresJournal();
    const journals = await Promise.all([1, 2, 3].map(() => opened(location)));
    const heard = journals.map((journal) => follower(journal, 's'));
    const appends = journals.flatMap((journal, index) =>
      Array.from({ length: 100 }, (_, n) => journal.append('s', [event(n, { id: `shared-${n}` }), event(n, { id: `own-${index}-${n}` })])),
    );
    const results = await Promise.all(appends);
    const seqOf = (at: number) => results.filter((_, index) => index % 100 === at).map(({ first_seq }) => first_seq);
    for (let n = 0; n < 100; n++) expect(new Set(seqOf(n)).size).toBe(1);
    const total = 400;
    const events = await journals[0]!.read('s', { after: 0, limit: 10_000 });
    expect(events.map(({ seq }) => seq)).toEqual(Array.from({ length: total }, (_, at) => at + 1));
    for (const seqs of heard) await expect.poll(() => seqs.length, { timeout: 30_000 }).toBe(total);
  });

  test('lets none of many servers wait long that write to one session without a pause', { timeout: 60_000 }, async () => {
    const location = newPostgresJournal();
    const journals = await Promise.all([1, 2, 3, 4, 5].map(() => opened(location)));
    let appended = 0;
    const write = async (journal: Journal, by: number) => {
      for (; appended < 400; appended++) await journal.append('s', [event(by)]);
    };
    await Promise.all(journals.map((journal, by) => write(journal, by)));
    const events = await journals[0]!.read('s', { after: 0, limit: 10_000 });
    const waits = journals.map((_, by) => {
      const seqs = events.filter(({ event: { data } }) => data['n'] === by).map(({ seq }) => seq);
      // How many others came between two of its own, and before its first.
      return Math.max(...[...seqs, events.length].map((seq, at) => seq - (seqs[at - 1] ?? 0) - 1));
    });
    expect(Math.max(...waits), `waited for ${waits.join(', ')} of others`).toBeLessThan(70);
  });

  test('lets a decision through while another server publishes without a pause', { timeout: 60_000 }, async () => {
    const location = newPostgresJournal();
    const [one, two] = [await opened(location), await opened(location)];
    let isOver = false;
    const publishing = publishUntil(one, 's', () => isOver);
    let tries = 0;
    for (let decided = 0; decided < 5;) {
      const seq = (await two.head('s'))?.seq ?? 0;
      tries++;
      const taken = await two.append('s', [event(0, { type: 'my:decision' })], { expectedSeq: seq }).then(
        () => true,
        () => false,
      );
      if (taken) decided++;
    }
    isOver = true;
    await publishing;
    expect(tries).toBeLessThan(200);
  });

  test('a server that leaves is gone for the others at once, and its sessions and deletions reach them', { timeout: 60_000 }, async () => {
    const location = newPostgresJournal();
    const [one, two] = [await opened(location), await opened(location)];
    const told: string[] = [];
    two.subscribe((changes) => {
      for (const change of changes) if (change.kind === 'behind') told.push(change.session_id);
    });
    const leave = one.join('first');
    two.join('second');
    await expect.poll(() => [...one.servers()].toSorted(), { timeout: 10_000 }).toEqual(['first', 'second']);
    await expect.poll(() => [...two.servers()].toSorted(), { timeout: 10_000 }).toEqual(['first', 'second']);
    leave();
    await expect.poll(() => [...two.servers()], { timeout: 10_000 }).toEqual(['second']);
    await one.create({ session_id: 'new', created_at: '2026-01-01T00:00:00.000Z' });
    await expect.poll(() => told, { timeout: 10_000 }).toContain('new');
    const cuts: JournalChange[] = [];
    two.subscribe((changes) => cuts.push(...changes.filter(({ kind }) => kind === 'cut')));
    const { epoch } = await one.append('new', [event(1), event(2), event(3)]);
    await one.cut({ session_id: 'new', epoch }, { seq: 2, version: 1, json: '{}' });
    await expect.poll(() => cuts, { timeout: 10_000 }).toEqual([{ kind: 'cut', session_id: 'new', epoch, through: 2 }]);
    expect([(await two.head('new'))?.cut, await held(two, 'new')]).toEqual([2, [[3, 3]]]);
    told.length = 0;
    await one.delete('new');
    await expect.poll(() => told, { timeout: 10_000 }).toContain('new');
    expect(await two.head('new')).toBeUndefined();
    expect((await two.append('new', [event(1)])).epoch).not.toBe(one.epoch);
  });
});
