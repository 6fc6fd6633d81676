import { afterEach, beforeEach, describe, expect, test } from 'vitest';
import type { Journal, JournalChange } from '../../src/journal/journal.ts';
import { event, eventsFrom, type JournalKind } from './journal-contract.ts';

const seqs = (from: number, through: number) => Array.from({ length: through - from + 1 }, (_, at) => from + at);

/** What every journal does to take the older part of a history away. */
export function describeRetention(name: string, { open, reopen }: JournalKind): void {
  describe(`${name}: a cut`, () => {
    let journal: Journal;
    beforeEach(async () => {
      journal = await open();
    });
    afterEach(() => journal.close());

    const head = async () => (await journal.head('s'))!;
    const cut = async (seq: number, json = `{"seq":${seq}}`) => journal.cut(await head(), { seq, version: 1, json });
    const read = async (range: object = {}) => (await journal.read('s', { after: 0, limit: 100_000, ...range })).map(({ seq }) => seq);
    const fill = async (count: number) => {
      for (let n = 0; n < count; n += 100) await journal.append('s', eventsFrom(n + 1, n + 100));
    };

    test('leaves what comes after it, in every way of reading, and the session goes on', async () => {
      await fill(1_000);
      const told: JournalChange[] = [];
      journal.subscribe((changes) => told.push(...changes));
      await cut(450);
      const { epoch } = await head();
      expect(told).toEqual([{ kind: 'cut', session_id: 's', epoch, through: 450 }]);
      const looksRight = async () => {
        expect(await head()).toMatchObject({ seq: 1_000, cut: 450 });
        expect(await read()).toEqual(seqs(451, 1_000));
        expect(await read({ reverse: true })).toEqual(seqs(451, 1_000).toReversed());
        expect(await read({ after: 100, limit: 3 })).toEqual([451, 452, 453]);
        expect(await read({ after: 100, through: 450 })).toEqual([]);
        expect(await read({ after: 449, through: 451, reverse: true })).toEqual([451]);
        expect(await read({ filter: (type: string) => type === 'my:own', after: 990 })).toEqual(seqs(991, 1_000));
        expect(await read({ filter: () => false })).toEqual([]);
        expect([(await journal.find('s', `${epoch}:450`))?.seq, (await journal.find('s', `${epoch}:451`))?.seq]).toEqual([undefined, 451]);
        expect(await journal.loadBase('s')).toEqual({ seq: 450, version: 1, json: '{"seq":450}' });
      };
      await looksRight();
      if (reopen !== undefined) journal = await reopen(journal);
      await looksRight();
      expect(await journal.append('s', [event(1)])).toMatchObject({ seqs: [1_001], epoch });
      expect((await read()).at(-1)).toBe(1_001);
    });

    test('goes on from cut to cut, up to all that there is', async () => {
      await fill(300);
      await cut(100);
      await cut(250);
      expect([(await head()).cut, await read()]).toEqual([250, seqs(251, 300)]);
      await cut(300);
      expect([await head(), await read()]).toMatchObject([{ seq: 300, cut: 300 }, []]);
      if (reopen !== undefined) journal = await reopen(journal);
      expect([await head(), await read()]).toMatchObject([{ seq: 300, cut: 300 }, []]);
      expect(await journal.append('s', [event(1)])).toMatchObject({ seqs: [301] });
      expect(await read()).toEqual([301]);
    });

    test('takes the ids of its events along, and no others', async () => {
      const given = seqs(1, 20).map((n) => event(n, { id: `id-${n} "q" \\` }));
      await journal.append('s', given);
      await cut(10);
      expect(await journal.find('s', given[9]!.id!)).toBeUndefined();
      expect((await journal.find('s', given[10]!.id!))?.seq).toBe(11);
      expect(await journal.append('s', [given[10]!])).toMatchObject({ seqs: [11] });
      expect(await journal.append('s', [given[9]!])).toMatchObject({ seqs: [21] });
      const made = event(1, { id: `${(await head()).epoch}:5` });
      await expect(journal.append('s', [made])).rejects.toMatchObject({ code: 'INVALID' });
      expect((await journal.find('s', given[9]!.id!))?.seq).toBe(21);
      await cut(15);
      expect((await journal.find('s', given[9]!.id!))?.seq).toBe(21);
    });

    test('takes snapshots before it along, and leaves later ones', async () => {
      await fill(9_000);
      for (const seq of [2_500, 5_000, 9_000]) await journal.saveSnapshot(await head(), { seq, version: 1, json: `{"seq":${seq}}` });
      await cut(4_000);
      expect([await journal.loadSnapshot('s', { through: 4_999 }), (await journal.loadSnapshot('s'))?.seq]).toEqual([undefined, 9_000]);
      expect((await journal.loadSnapshot('s', { through: 8_999 }))?.seq).toBe(5_000);
    });

    test('changes nothing twice, nor beyond the end, nor for another history, and ends with its session', async () => {
      await fill(100);
      const before = await head();
      await cut(50);
      const told: JournalChange[] = [];
      journal.subscribe((changes) => told.push(...changes));
      await cut(50);
      await cut(20);
      await cut(101);
      await journal.cut({ session_id: 'none', epoch: before.epoch }, { seq: 1, version: 1, json: '{}' });
      expect([told, (await head()).cut]).toEqual([[], 50]);
      await journal.delete('s');
      await fill(100);
      await journal.cut(before, { seq: 60, version: 1, json: '{}' });
      expect([(await head()).cut, await read(), await journal.loadBase('s')]).toEqual([undefined, seqs(1, 100), undefined]);
    });

    test('of what is deleted meanwhile ends', async () => {
      await fill(2_000);
      const cutting = cut(1_500);
      await journal.delete('s');
      await cutting;
      expect(await journal.head('s')).toBeUndefined();
    });

    test('gives room back, where it says how much it takes', async ({ skip }) => {
      skip(journal.usedBytes() === undefined, 'it does not say');
      const wide = (n: number) => event(n, { data: { n, text: 'x'.repeat(1_000) } });
      for (let n = 0; n < 3_000; n += 100) await journal.append('s', seqs(n + 1, n + 100).map(wide));
      await journal.saveSnapshot(await head(), { seq: 3_000, version: 1, json: '{}' });
      const before = journal.usedBytes() ?? 0;
      expect(before).toBeGreaterThan(3_000_000);
      await cut(2_900);
      expect(journal.usedBytes()).toBeLessThan(before / 5);
    });

    test('while it is read: what is read has no hole', async () => {
      await fill(20_000);
      const reading = journal.read('s', { after: 0, limit: 100_000 });
      await cut(15_000);
      const found = (await reading).map(({ seq }) => seq);
      expect(found).toEqual(seqs(found[0]!, found.at(-1)!));
    });
  });
}
