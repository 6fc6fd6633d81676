import { describe, expect, onTestFinished, test, vi } from 'vitest';
import { openPostgresJournal } from '../../src/journal/postgres/postgres-journal.ts';
import { newPostgresJournal } from '../helpers/postgres-journal.ts';
import { hasPostgres, inPostgres } from '../helpers/postgres-server.ts';
import { describeHistoryParts } from './history-parts-contract.ts';
import { describeJournal, type JournalKind } from './journal-contract.ts';
import { describeRetention } from './retention-contract.ts';

/** Whether a query finds a row. */
const holds = (query: string) =>
  inPostgres(`DO $$ BEGIN ASSERT EXISTS (${query}); END $$`).then(
    () => true,
    () => false,
  );

describe.skipIf(!hasPostgres)('with a PostgreSQL at hand', () => {
  const kind: JournalKind = {
    open: () => openPostgresJournal(newPostgresJournal()),
    reopen: async (journal) => {
      await journal.close();
      return openPostgresJournal(journal.location);
    },
  };
  describeJournal('a journal in PostgreSQL', kind);
  describeHistoryParts('a journal in PostgreSQL', kind);
  describeRetention('a journal in PostgreSQL', kind);

  test('another server leaves alone what is being imported, however slowly that comes, and deletes what nobody imports any more', async () => {
    vi.useFakeTimers({ toFake: ['setInterval', 'clearInterval'] });
    onTestFinished(() => void vi.useRealTimers());
    const location = newPostgresJournal();
    const journal = await openPostgresJournal(location);
    const timestamp = '2026-01-01T00:00:00.000Z';
    const begin = (session_id: string) =>
      journal.beginImport({ session_id, created_at: timestamp, imported: { at: timestamp, by: 'ana', seq: 0 } }, 'recorded.1');
    const [slow, left] = [await begin('slow'), await begin('left')];
    const sessions = `"${new URL(location).searchParams.get('schema')}".sessions`;
    const forget = (id: string) =>
      inPostgres(`UPDATE ${sessions} SET touched_at = clock_timestamp() - interval '1 day' WHERE origin LIKE '%${id}%'`);
    await forget('slow');
    await vi.advanceTimersByTimeAsync(60_000);
    await expect
      .poll(() => holds(`SELECT FROM ${sessions} WHERE origin LIKE '%slow%' AND touched_at > now() - interval '1 hour'`))
      .toBe(true);
    await forget('left');
    const other = await openPostgresJournal(location);
    await expect.poll(() => holds(`SELECT FROM ${sessions} WHERE origin LIKE '%left%'`)).toBe(false);
    await other.close();
    expect(await slow.finish()).toMatchObject({ session_id: 'slow' });
    await expect(left.finish()).rejects.toThrow('Another server has deleted what there was of left');
    await journal.close();
  });
});
