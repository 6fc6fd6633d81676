import { copyFileSync, existsSync, mkdirSync, mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import * as fc from 'fast-check';
import { afterAll, test } from 'vitest';
import type { Journal, NewEvent } from '../../src/journal/journal.ts';
import { MemoryJournal } from '../../src/journal/memory/memory-journal.ts';
import { openSqliteJournal } from '../../src/journal/sqlite/sqlite-journal.ts';

const root = mkdtempSync(join(tmpdir(), 'keepers-'));
let folders = 0;
const newPath = () => {
  const folder = join(root, String(++folders));
  mkdirSync(folder);
  return join(folder, 'journal.db');
};
afterAll(() => rmSync(root, { recursive: true }));

/** The same as if the process had been killed at this moment, and another one had opened what it left. */
async function afterSuddenEnd(journal: Journal): Promise<Journal> {
  const path = newPath();
  for (const suffix of ['', '-wal', '-log']) {
    if (existsSync(`${journal.location}${suffix}`)) copyFileSync(`${journal.location}${suffix}`, `${path}${suffix}`);
  }
  await journal.close();
  return openSqliteJournal({ path });
}

async function reopened(journal: Journal): Promise<Journal> {
  await journal.close();
  return openSqliteJournal({ path: journal.location });
}

/** With its deletion everything that waits moves to the database. */
async function settled(journal: Journal): Promise<void> {
  await journal.create({ session_id: 'passing', created_at: new Date(0).toISOString() });
  await journal.delete('passing');
}

const sessions = ['a', 'b'];
const eventArbitrary: fc.Arbitrary<NewEvent> = fc.record({
  type: fc.constantFrom('my:own', 'skill:started'),
  data: fc.record({
    n: fc.integer({ min: 0, max: 3 }),
    text: fc.oneof(fc.string({ unit: 'binary', maxLength: 12 }), fc.constantFrom('","type":"x:y"', '\n#0\n', 'x'.repeat(70_000))),
  }),
  timestamp: fc.constant('2026-01-01T00:00:00.000Z'),
  id: fc.option(fc.constantFrom('one', 'two', '","type":"x:y', 'line\nfeed'), { nil: undefined }),
});
type Step =
  | { do: 'append'; appends: { session: string; events: NewEvent[] }[] }
  | { do: 'delete'; session: string }
  | { do: 'cut'; session: string; of: number }
  | { do: 'settle' | 'reopen' | 'kill' };
const step: fc.Arbitrary<Step> = fc.oneof(
  {
    weight: 6,
    arbitrary: fc.record({
      do: fc.constant('append' as const),
      appends: fc.array(
        fc.record({ session: fc.constantFrom(...sessions), events: fc.array(eventArbitrary, { minLength: 1, maxLength: 4 }) }),
        {
          minLength: 1,
          maxLength: 4,
        },
      ),
    }),
  },
  { weight: 1, arbitrary: fc.record({ do: fc.constant('delete' as const), session: fc.constantFrom(...sessions) }) },
  {
    weight: 1,
    arbitrary: fc.record({ do: fc.constant('cut' as const), session: fc.constantFrom(...sessions), of: fc.integer({ min: 1, max: 12 }) }),
  },
  { weight: 3, arbitrary: fc.record({ do: fc.constantFrom('settle' as const, 'reopen' as const, 'kill' as const) }) },
);

/** What an append came to, the epoch by another name. */
async function outcome(journal: Journal, session: string, events: NewEvent[]): Promise<string> {
  return journal.append(session, events).then(
    ({ epoch, seqs }) => `${epoch.replace(journal.epoch, 'epoch')} ${seqs.join(' ')}`,
    (error: { code: string }) => error.code,
  );
}

/** Everything that a journal holds, the epoch by another name. */
async function contents(journal: Journal): Promise<unknown> {
  const held = [];
  for (const { session_id, seq, epoch, cut } of await journal.sessions()) {
    const events = await journal.read(session_id, { after: 0, limit: Infinity });
    const reversed = await journal.read(session_id, { after: 0, limit: Infinity, reverse: true });
    const byType = await journal.read(session_id, { after: 1, limit: 2, filter: (type) => type === 'my:own' });
    const found = await Promise.all(['one', 'line\nfeed', events.at(-1)?.event.id ?? ''].map((id) => journal.find(session_id, id)));
    held.push({
      session_id,
      seq,
      cut,
      base: await journal.loadBase(session_id),
      epoch,
      events: events.map((event) => [event.seq, event.type, event.event]),
      reversed: reversed.map((event) => event.seq),
      byType: byType.map((event) => event.seq),
      found: found.map((event) => event?.seq),
    });
  }
  return JSON.parse(JSON.stringify(held).replaceAll(journal.epoch, 'epoch'));
}

test('both keepers hold the same after any appends, deletions, reopenings and sudden ends', { timeout: 120_000 }, async () => {
  await fc.assert(
    fc.asyncProperty(fc.array(step, { maxLength: 12 }), async (steps) => {
      const memory = new MemoryJournal();
      let sqlite = await openSqliteJournal({ path: newPath() });
      const differs = (what: string, ours: unknown, theirs: unknown) => {
        if (JSON.stringify(ours) !== JSON.stringify(theirs))
          throw new Error(`${what}: ${JSON.stringify(ours)} / ${JSON.stringify(theirs)}`);
      };
      for (const each of steps) {
        if (each.do === 'append') {
          const outcomes = (journal: Journal) => Promise.all(each.appends.map(({ session, events }) => outcome(journal, session, events)));
          differs('appended', await outcomes(sqlite), await outcomes(memory));
        } else if (each.do === 'delete') {
          differs('deleted', await sqlite.delete(each.session), await memory.delete(each.session));
        } else if (each.do === 'cut') {
          for (const journal of [sqlite, memory]) {
            const head = await journal.head(each.session);
            if (head !== undefined) await journal.cut(head, { seq: Math.min(each.of, head.seq), version: 1, json: `"${each.of}"` });
          }
        } else if (each.do === 'settle') {
          await settled(sqlite);
          await settled(memory);
        } else {
          sqlite = await (each.do === 'kill' ? afterSuddenEnd(sqlite) : reopened(sqlite));
        }
        differs('held', await contents(sqlite), await contents(memory));
      }
      await sqlite.close();
      rmSync(root, { recursive: true });
      mkdirSync(root);
    }),
    { numRuns: 100 },
  );
});
