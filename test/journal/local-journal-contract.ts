import { afterEach, beforeEach, describe, expect, test, vi } from 'vitest';
import type { Journal } from '../../src/journal/journal.ts';
import { event } from './journal-contract.ts';

const timestamp = '2026-01-01T00:00:00.000Z';

/** What a keeper in this process does besides the contract: when it commits, and in which turn of the event loop it tells of that. */
export function describeLocalJournal(name: string, open: () => Promise<Journal>): void {
  describe(`${name}, in this process: a commit`, () => {
    let journal: Journal;
    beforeEach(async () => {
      journal = await open();
    });
    afterEach(() => journal.close());

    test('of a hundred appends at once is one', async () => {
      let commits = 0;
      journal.subscribe(() => commits++);
      await Promise.all(Array.from({ length: 100 }, (_, at) => journal.append(`s${at % 3}`, [event(at)])));
      expect(commits).toBe(1);
    });

    test('gathers in a burst of appends that nobody waits for, until one comes that somebody waits for', async () => {
      vi.useFakeTimers({ toFake: ['setTimeout', 'clearTimeout', 'performance'] });
      try {
        const gathering = { latency: 'relaxed' } as const;
        await Promise.all(Array.from({ length: 8 }, (_, at) => journal.append('s', [event(at + 1)], gathering)));
        const committed: string[] = [];
        const unawaited = journal.append('s', [event(9)], gathering).then(() => committed.push('unawaited'));
        for (let turn = 0; turn < 3; turn++) await new Promise((resolve) => setImmediate(resolve));
        expect(committed).toEqual([]);
        await journal.append('s', [event(10)]);
        await unawaited;
        expect(committed).toEqual(['unawaited']);
      } finally {
        vi.useRealTimers();
      }
    });

    test('of a prompt append does not wait, and takes along what waits', async () => {
      const told: number[] = [];
      // The session, and its events.
      journal.subscribe((changes) => told.push(changes.length));
      const waiting = journal.append('s', [event(1)]);
      const prompt = journal.append('s', [event(2)], { latency: 'low' });
      expect(told).toEqual([2]);
      await Promise.all([waiting, prompt]);
      expect(told).toEqual([2]);
    });

    describe('whose appender goes first', () => {
      const first = { latency: 'lowest' } as const;
      let order: unknown[];
      beforeEach(() => {
        order = [];
        journal.subscribe((changes) =>
          order.push(
            changes.flatMap<unknown>((change) => (change.kind === 'appended' ? change.events.map(({ seq }) => seq) : change.kind)),
          ),
        );
      });

      test('is told in the same turn, after what the appender does at once', async () => {
        const turn = new Promise((resolve) => setImmediate(() => resolve(order.push('next turn'))));
        await journal.append('s', [event(1)], first);
        order.push('appender');
        await Promise.resolve();
        order.push('and on');
        await turn;
        expect(order).toEqual(['appender', 'and on', ['created', 1], 'next turn']);
      });

      test('is told by flush, and before whatever is committed later', async () => {
        await journal.append('s', [event(1)], first);
        journal.flush();
        expect(order).toEqual([['created', 1]]);
        await journal.append('s', [event(2)], first);
        await journal.append('s', [event(3)], first);
        await journal.append('s', [event(4)], { latency: 'low' });
        expect(order.flat()).toEqual(['created', 1, 2, 3, 4]);
        await journal.append('s', [event(5)], first);
        await journal.create({ session_id: 'n', created_at: timestamp });
        await journal.append('n', [event(6)], first);
        await journal.delete('n');
        await journal.append('s', [event(7)], first);
        await journal.close();
        expect(order.flat()).toEqual(['created', 1, 2, 3, 4, 5, 'created', 1, 'deleted', 6]);
      });

      test('waits for nobody else: with others in its commit all are told before', async () => {
        const waiting = journal.append('s', [event(1)]).then(() => order.push('other'));
        await Promise.all([waiting, journal.append('s', [event(2)], first).then(() => order.push('appender'))]);
        expect(order).toEqual([['created', 1, 2], 'other', 'appender']);
      });
    });
  });
}
