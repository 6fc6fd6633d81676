import { afterEach, beforeEach, describe, expect, test } from 'vitest';
import { everyEvent } from '../../src/core/event-filter.ts';
import type { Journal, NewEvent, ReadRange } from '../../src/journal/journal.ts';
import { event, type JournalKind } from './journal-contract.ts';

const startMs = Date.parse('2026-01-01T00:00:00.000Z');
const at = (n: number) => new Date(startMs + n * 1_000).toISOString();
const seqs = (from: number, through: number) => Array.from({ length: through - from + 1 }, (_, each) => from + each);

/** Of two thousand events, each a second after the one before. Each 700th is `rare:one`, and the clock of each 10th event's producer is wrong. */
async function append(journal: Journal, from = 1, through = 2_000): Promise<void> {
  const events = seqs(from, through).map((n): NewEvent => {
    const type = n % 700 === 0 ? 'rare:one' : 'my:own';
    if (n % 10 !== 0) return event(n, { type, timestamp: at(n) });
    const data = { n, received_at: at(1), source: 'x', nested: { received_at: at(1), source: '","received_at":"' } };
    return { type, data, timestamp: at(0), received_at: at(n), ...(n % 20 === 0 ? { source: 'a "b" \\' } : {}) };
  });
  for (let n = 0; n < events.length; n += 100) await journal.append('s', events.slice(n, n + 100));
}

/** What every journal does to give a part of a long history: a rare type, a time, the state at an event. */
export function describeHistoryParts(name: string, { open, reopen }: JournalKind): void {
  describe(`${name}: a part of a long history`, () => {
    let journal: Journal;
    beforeEach(async () => {
      journal = await open();
    });
    afterEach(() => journal.close());

    const read = async (range: Partial<ReadRange>) =>
      (await journal.read('s', { after: 0, limit: 100_000, ...range })).map(({ seq }) => seq);

    test('holds the events of a type, of a time, or of both, forward and back, wherever they are kept', async () => {
      await append(journal);
      const looksRight = async () => {
        const filter = (type: string) => type.startsWith('rare:');
        expect(await read({ filter })).toEqual([700, 1_400]);
        expect(await read({ filter, reverse: true })).toEqual([1_400, 700]);
        expect(await read({ filter, after: 700 })).toEqual([1_400]);
        expect(await read({ filter, after: 699, through: 700 })).toEqual([700]);
        expect(await read({ filter, limit: 1 })).toEqual([700]);
        expect(await read({ filter, limit: 1, reverse: true })).toEqual([1_400]);
        expect(await read({ filter: () => false })).toEqual([]);
        expect(await read({ filter: everyEvent })).toEqual(seqs(1, 2_000));
        expect(await read({ since: at(995), until: at(1_012) })).toEqual(seqs(995, 1_012));
        expect(await read({ since: at(995), until: at(1_012), reverse: true })).toEqual(seqs(995, 1_012).toReversed());
        expect(await read({ since: at(1_990) })).toEqual(seqs(1_990, 2_000));
        expect(await read({ until: at(12) })).toEqual(seqs(1, 12));
        expect(await read({ since: at(1_000), filter })).toEqual([1_400]);
        expect(await read({ since: at(5_000) })).toEqual([]);
      };
      await looksRight();
      // What is written afterwards stands behind what is written back at a start.
      if (reopen === undefined) return;
      journal = await reopen(journal);
      await looksRight();
      await append(journal, 2_001, 2_100);
      expect(await read({ filter: (type) => type === 'rare:one' })).toEqual([700, 1_400, 2_100]);
      journal = await reopen(journal);
      expect(await read({ filter: (type) => type === 'rare:one', reverse: true })).toEqual([2_100, 1_400, 700]);
      expect(await read({ since: at(1_995), until: at(2_005) })).toEqual(seqs(1_995, 2_005));
    });

    describe('has snapshots', () => {
      const save = async (seq: number, version = 1, json = `{"seq":${seq}}`) =>
        journal.saveSnapshot((await journal.head('s'))!, { seq, version, json });
      const load = async (through?: number, version?: number) => (await journal.loadSnapshot('s', { through, version }))?.seq;
      /** Nine thousand events. */
      beforeEach(async () => {
        for (let n = 0; n < 9; n++) {
          await journal.append(
            's',
            Array.from({ length: 1_000 }, () => event(n)),
          );
        }
      });

      test('some of the older ones, whatever the order in which they were saved', async () => {
        for (const seq of [2_500, 5_000, 9_000]) await save(seq);
        await save(7_500);
        const looksRight = async () => {
          expect([await load(), await load(8_999), await load(7_499), await load(4_999), await load(2_499)]).toEqual([
            9_000,
            7_500,
            5_000,
            2_500,
            undefined,
          ]);
          expect(await journal.loadSnapshot('s', { version: 1, through: 6_000 })).toEqual({ seq: 5_000, version: 1, json: '{"seq":5000}' });
          expect(await load(6_000, 2)).toBeUndefined();
        };
        await looksRight();
        if (reopen !== undefined) journal = await reopen(journal);
        await looksRight();
      });

      test('of one version only', async () => {
        for (const seq of [2_500, 5_000, 9_000]) await save(seq);
        await save(3_000, 2);
        expect([await load(undefined, 1), await load(), await load(undefined, 2), await load(2_999, 2)]).toEqual([
          undefined,
          3_000,
          3_000,
          undefined,
        ]);
      });

      test('that take little beside the events', async () => {
        const large = JSON.stringify({ seq: 2_500, text: Array.from({ length: 60_000 }, (_, n) => Math.sin(n)) });
        await save(5_000);
        await save(2_500, 1, large);
        expect(await load(4_999)).toBeUndefined();
      });

      test('of its own history only', async () => {
        for (const seq of [2_500, 5_000]) await save(seq);
        await journal.delete('s');
        await journal.append('s', [event(1)]);
        expect(await load()).toBeUndefined();
      });
    });
  });
}
