import { afterEach, beforeEach, describe, expect, test, vi } from 'vitest';
import type { SessionEvent } from '../../src/core/protocol/event.ts';
import { limits } from '../../src/core/protocol/limits.ts';
import { isOvertaken } from '../../src/journal/expected-seq.ts';
import type { Journal, JournalChange, NewEvent } from '../../src/journal/journal.ts';

/** How a kind of journal is opened for a test. */
export interface JournalKind {
  /** Opens an empty journal. */
  open: () => Promise<Journal>;
  /** Closes it and opens it again; absent where a journal ends with its process. */
  reopen?: (journal: Journal) => Promise<Journal>;
}

const timestamp = '2026-01-01T00:00:00.000Z';

/** An event with a number in its data. */
export function event(n: number, more: Partial<NewEvent> = {}): NewEvent {
  return { type: 'my:own', data: { n }, timestamp, ...more };
}

/** `event(from)` to `event(through)`. */
export function eventsFrom(from: number, through: number): NewEvent[] {
  return Array.from({ length: through - from + 1 }, (_, at) => event(from + at));
}

/** All that a session holds, as [seq, n]. */
export async function held(journal: Journal, session = 's'): Promise<[number, unknown][]> {
  const events = await journal.read(session, { after: 0, limit: 100_000 });
  return events.map(({ seq, event }) => [seq, event.data['n']]);
}

/** [1, 1], [2, 2] ... for a session that was given the numbers from 1 in order. */
export function countedTo(n: number): [number, number][] {
  return Array.from({ length: n }, (_, at) => [at + 1, at + 1]);
}

/** What every journal must do, whatever keeps it: the contract of journal.ts as tests. */
export function describeJournal(name: string, kind: JournalKind): void {
  describe(name, () => {
    let journal: Journal;
    beforeEach(async () => {
      journal = await kind.open();
    });
    afterEach(() => journal.close());

    describe('appending', () => {
      test('gives 1, 2, 3 ... in each session of its own', async () => {
        expect(await journal.append('s', eventsFrom(1, 3))).toEqual({ epoch: journal.epoch, first_seq: 1, last_seq: 3, seqs: [1, 2, 3] });
        expect(await journal.append('t', eventsFrom(1, 1))).toMatchObject({ first_seq: 1, last_seq: 1 });
        expect(await journal.append('s', eventsFrom(4, 5))).toMatchObject({ first_seq: 4, last_seq: 5, seqs: [4, 5] });
        expect(await held(journal)).toEqual(countedTo(5));
        expect(await held(journal, 't')).toEqual(countedTo(1));
      });

      test('keeps the order of appends that were not waited for, whatever their number', async () => {
        const results = await Promise.all(Array.from({ length: 500 }, (_, at) => journal.append('s', [event(at + 1)])));
        expect(results.map(({ first_seq }) => first_seq)).toEqual(countedTo(500).map(([seq]) => seq));
        expect(await held(journal)).toEqual(countedTo(500));
      });

      test('keeps the order also where a prompt one comes between', async () => {
        const results = await Promise.all([
          journal.append('s', [event(1)]),
          journal.append('s', [event(2)], { latency: 'low' }),
          journal.append('s', [event(3)]),
          journal.append('s', [event(4)], { latency: 'low' }),
        ]);
        expect(results.map(({ first_seq }) => first_seq)).toEqual([1, 2, 3, 4]);
        expect(await held(journal)).toEqual(countedTo(4));
      });

      test('keeps every part of an event, and its JSON says the same', async () => {
        const given = {
          id: 'e-1',
          type: 'skill:started',
          data: { skill_name: 'ü€😀\u0000', deep: [{ a: null }] },
          timestamp,
          source: 'ana',
        };
        await journal.append('s', [given]);
        const [kept] = await journal.read('s', { after: 0, limit: 1 });
        expect(kept?.event).toEqual({ session_id: 's', seq: 1, ...given });
        expect(JSON.parse(kept?.json ?? '')).toEqual({ session_id: 's', seq: 1, ...given });
        expect(kept).toMatchObject({ session_id: 's', seq: 1, type: 'skill:started' });
      });

      test('makes an id for each event without one, and moves the head', async () => {
        await journal.append('s', [event(1), event(2, { timestamp: '2026-01-01T00:00:09.000Z' })]);
        const events = await journal.read('s', { after: 0, limit: 10 });
        const ids = events.map((each) => each.event.id);
        expect(new Set(ids).size).toBe(2);
        for (const id of ids) expect(id).toMatch(/^.{1,128}$/);
        expect(await journal.head('s')).toMatchObject({
          session_id: 's',
          seq: 2,
          updated_at: '2026-01-01T00:00:09.000Z',
          epoch: journal.epoch,
        });
      });
    });

    describe('half a character (one surrogate of a pair)', () => {
      test.each<[string, Partial<NewEvent>]>([
        ['id', { id: 'a\ud800' }],
        ['source', { source: '\udc00b' }],
        ['data', { data: { text: 'x\ud83d' } }],
        ['data', { data: { ['key\udfff']: 1 } }],
      ])('in %s is INVALID, and nothing of that append is kept', async (field, more) => {
        await expect(journal.append('s', [event(1), event(2, more)])).rejects.toMatchObject({
          code: 'INVALID',
          message: expect.stringMatching(new RegExp(`^events\\[1\\]\\.${field}.*: must be well-formed Unicode`)),
        });
        expect(await journal.sessions()).toEqual([]);
      });

      test('is not what only looks like one: a whole pair, and the text of an escape', async () => {
        const texts = ['😀', '\\ud800', '\\\\ud800', '"\\udfff'];
        await journal.append('s', [event(1, { id: '😀', data: { texts } })]);
        const [kept] = await journal.read('s', { after: 0, limit: 1 });
        expect(kept?.event).toMatchObject({ id: '😀', data: { texts } });
      });
    });

    describe('an id', () => {
      test('that is known is not journalled again, and is answered with its place', async () => {
        await journal.append('s', [event(1, { id: 'a' }), event(2, { id: 'b' })]);
        expect(await journal.append('s', [event(1, { id: 'a' })])).toMatchObject({ first_seq: 1, last_seq: 1, seqs: [1] });
        expect(await journal.append('s', [event(2, { id: 'b' }), event(3)])).toMatchObject({ seqs: [2, 3] });
        expect(await held(journal)).toEqual(countedTo(3));
      });

      test('that comes twice in one append, or in appends of one commit, is journalled once', async () => {
        expect(await journal.append('s', [event(1, { id: 'a' }), event(1, { id: 'a' }), event(2)])).toMatchObject({ seqs: [1, 1, 2] });
        const results = await Promise.all([journal.append('s', [event(3, { id: 'c' })]), journal.append('s', [event(3, { id: 'c' })])]);
        expect(results.map(({ seqs }) => seqs)).toEqual([[3], [3]]);
        expect(await held(journal)).toEqual(countedTo(3));
      });

      test('does not mind the order of keys, nor another time or source', async () => {
        const data = { a: 1, b: { c: [1, { d: 2, e: 3 }], f: 4 } };
        const turned = { b: { f: 4, c: [1, { e: 3, d: 2 }] }, a: 1 };
        await journal.append('s', [event(0, { id: 'a', data })]);
        const again = event(0, { id: 'a', data: turned, timestamp: '2027-01-01T00:00:00.000Z', source: 'x' });
        expect(await journal.append('s', [again])).toMatchObject({ seqs: [1] });
      });

      test.each([
        ['other data', event(2, { id: 'a' })],
        ['another type', event(1, { id: 'a', type: 'my:other' })],
        ['a list in another order', event(0, { id: 'b', data: { list: [2, 1] } })],
        ['a key more', event(0, { id: 'a', data: { n: 1, m: 1 } })],
      ])('with %s is a CONFLICT, says where, and nothing of that append is kept', async (_, other) => {
        await journal.append('s', [event(1, { id: 'a' }), event(0, { id: 'b', data: { list: [1, 2] } })]);
        const refused = journal.append('s', [event(8), other, event(9)]);
        await expect(refused).rejects.toMatchObject({ code: 'CONFLICT', details: { seq: other.id === 'a' ? 1 : 2 } });
        expect(await journal.head('s')).toMatchObject({ seq: 2 });
        expect(await journal.append('s', [event(3)])).toMatchObject({ seqs: [3] });
      });

      test('that conflicts within one append refuses it, and creates no session', async () => {
        await expect(journal.append('s', [event(1, { id: 'a' }), event(2, { id: 'a' })])).rejects.toMatchObject({ code: 'CONFLICT' });
        expect(await journal.head('s')).toBeUndefined();
        expect(await journal.sessions()).toEqual([]);
      });

      test('in another session is another event', async () => {
        await journal.append('s', [event(1, { id: 'a' })]);
        expect(await journal.append('t', [event(2, { id: 'a' })])).toMatchObject({ seqs: [1] });
      });

      test('that the journal made is known too when it comes back', async () => {
        await journal.append('s', [event(1), event(2)]);
        const second = (await journal.read('s', { after: 1, limit: 1 }))[0]?.event;
        expect(await journal.append('s', [event(2, { id: second?.id })])).toMatchObject({ seqs: [2] });
        await expect(journal.append('s', [event(5, { id: second?.id })])).rejects.toMatchObject({ code: 'CONFLICT' });
        expect(await held(journal)).toEqual(countedTo(2));
      });

      test('that the journal has yet to make cannot be taken before, so that no two events share one', async () => {
        await journal.append('s', [event(1)]);
        const made = (await journal.read('s', { after: 0, limit: 1 }))[0]?.event.id ?? '';
        const next = (seq: number) => made.replace(/1$/, String(seq));
        await expect(journal.append('s', [event(2, { id: next(5) })])).rejects.toMatchObject({ code: 'INVALID' });
        await expect(journal.append('s', [event(2), event(3, { id: next(3) })])).rejects.toMatchObject({ code: 'INVALID' });
        await journal.append('s', eventsFrom(2, 8));
        expect(new Set((await journal.read('s', { after: 0, limit: 100 })).map((each) => each.event.id)).size).toBe(8);
      });

      test('finds its event', async () => {
        await journal.append('s', [event(1), event(2, { id: 'b' })]);
        const made = (await journal.read('s', { after: 0, limit: 1 }))[0]?.event.id ?? '';
        expect((await journal.find('s', 'b'))?.event.data).toEqual({ n: 2 });
        expect((await journal.find('s', made))?.seq).toBe(1);
        expect(await journal.find('s', 'c')).toBeUndefined();
        expect(await journal.find('s', `${made}0`)).toBeUndefined();
        expect(await journal.find('x', 'b')).toBeUndefined();
      });
    });

    describe('an event that cannot be journalled', () => {
      const nested = (depth: number): unknown => JSON.parse('['.repeat(depth) + ']'.repeat(depth));

      test.each([
        ['of more than 1 MiB in letters of one byte', { text: 'x'.repeat(limits.eventBytes) }, 'TOO_LARGE'],
        ['of more than 1 MiB in letters of three bytes', { text: '€'.repeat(limits.eventBytes / 2) }, 'TOO_LARGE'],
        ['nested 1,000 deep', { deep: nested(1_000) }, 'INVALID'],
        ['nested 100,000 deep', { deep: nested(100_000) }, 'INVALID'],
      ])('%s refuses its own append only, by its place', async (_, data, code) => {
        await journal.append('s', [event(1, { id: 'a' })]);
        const results = await Promise.allSettled([
          journal.append('s', [event(2)]),
          journal.append('s', [event(0), event(0, { data })]),
          journal.append('new', [event(0, { data })]),
          journal.append('s', [event(0, { id: 'a', data })]),
          journal.append('s', [event(3)]),
        ]);
        expect(results.map((result) => (result.status === 'fulfilled' ? result.value.seqs : result.reason.code))).toEqual([
          [2],
          code,
          code,
          // The known id with these data: refused, for one reason or the other.
          code === 'INVALID' ? code : expect.stringMatching(/^(?:CONFLICT|TOO_LARGE)$/),
          [3],
        ]);
        expect(results[1]).toMatchObject({ reason: { message: expect.stringContaining('events[1]') } });
        expect(await held(journal)).toEqual(countedTo(3));
        expect(await journal.head('new')).toBeUndefined();
      });

      test('in 1 MiB of letters and 400 levels there is none', async () => {
        const data = { deep: nested(400), text: 'x'.repeat(limits.eventBytes - 3_000), brackets: '["{\\'.repeat(200) };
        await journal.append('s', [event(0, { data })]);
        expect((await journal.read('s', { after: 0, limit: 1 }))[0]?.event.data).toEqual(data);
      });
    });

    describe('an append with the event that it was decided on', () => {
      test('is taken while that event is the newest, and refused with the newest one else, whole and for itself alone', async () => {
        expect(await journal.append('s', [event(1)], { expectedSeq: 0 })).toMatchObject({ last_seq: 1 });
        expect(await journal.append('s', eventsFrom(2, 3), { expectedSeq: 1 })).toMatchObject({ last_seq: 3 });
        const overtaken = await journal.append('s', eventsFrom(4, 5), { expectedSeq: 1 }).catch((error: unknown) => error);
        expect(overtaken).toMatchObject({ code: 'CONFLICT', details: { seq: 3, expected_seq: 1 } });
        expect([isOvertaken(overtaken), isOvertaken(new Error('other'))]).toEqual([true, false]);
        await expect(journal.append('new', [event(1)], { expectedSeq: 1 })).rejects.toSatisfy(isOvertaken);
        expect(await journal.head('new')).toBeUndefined();
        expect(await held(journal)).toEqual(countedTo(3));
      });

      test('of several that were decided on one event takes the first, also in one commit', async () => {
        await journal.append('s', [event(1)]);
        const decided = [2, 3, 4].map((n) => journal.append('s', [event(n)], { expectedSeq: 1 }).catch(isOvertaken));
        expect(await Promise.all(decided)).toEqual([expect.objectContaining({ last_seq: 2 }), true, true]);
        expect(await held(journal)).toEqual(countedTo(2));
      });

      test('does not write to a session that was deleted meanwhile', async () => {
        await journal.append('s', eventsFrom(1, 2));
        await journal.delete('s');
        await expect(journal.append('s', [event(3)], { expectedSeq: 2 })).rejects.toSatisfy(isOvertaken);
        expect(await journal.sessions()).toEqual([]);
      });
    });

    test('knows the servers that work with it until they leave', () => {
      const leaves = ['a', 'b'].map((server) => journal.join(server));
      expect([...journal.servers()]).toEqual(['a', 'b']);
      leaves[0]?.();
      expect([...journal.servers()]).toEqual(['b']);
    });

    describe('a commit', () => {
      test('is told before its appends resolve, once, in order, with every session', async () => {
        const told: JournalChange[][] = [];
        const order: string[] = [];
        journal.subscribe((changes) => {
          told.push(changes);
          order.push('told');
        });
        await Promise.all(
          [
            journal.append('s', eventsFrom(1, 2)),
            journal.append('t', eventsFrom(1, 1)),
            journal.append('s', eventsFrom(3, 3)),
            journal.append('s', [event(1, { id: 'x' })]),
          ].map((append) => append.then(() => order.push('resolved'))),
        );
        expect(order).toEqual(['told', ...Array.from({ length: 4 }, () => 'resolved')]);
        expect(told).toHaveLength(1);
        expect(
          told[0]?.map((change) => {
            if (change.kind === 'appended') return [change.session_id, change.epoch, change.events.map(({ seq }) => seq)];
            return change.kind === 'created' ? ['created', change.head.session_id, change.head.seq] : [change.kind, change.session_id];
          }),
        ).toEqual([
          ['created', 's', 0],
          ['s', journal.epoch, [1, 2]],
          ['created', 't', 0],
          ['t', journal.epoch, [1]],
          ['s', journal.epoch, [3, 4]],
        ]);
      });

      test('tells what the journal holds already, and nothing of what was known or refused', async () => {
        await journal.append('s', [event(1, { id: 'a' })]);
        const seen: unknown[] = [];
        journal.subscribe((changes) => {
          for (const change of changes)
            if (change.kind === 'appended') seen.push(...change.events.map(({ json }) => JSON.parse(json).data.n));
        });
        await journal.append('s', [event(1, { id: 'a' })]);
        await journal.append('s', [event(2), event(9, { id: 'a' })]).catch(() => undefined);
        expect(seen).toEqual([]);
        await journal.append('s', [event(1, { id: 'a' }), event(2)]);
        expect(seen).toEqual([2]);
      });

      test('is told to every listener until it leaves', async () => {
        const calls = [0, 0];
        const leave = journal.subscribe(() => calls[0]!++);
        journal.subscribe(() => calls[1]!++);
        await journal.append('s', [event(1)]);
        leave();
        await journal.append('s', [event(2)]);
        expect(calls).toEqual([1, 2]);
      });

      test('may be answered with an append by its listener', async () => {
        let answer: Promise<unknown> | undefined;
        journal.subscribe(() => (answer ??= journal.append('s', [event(2)])));
        await journal.append('s', [event(1)]);
        await answer;
        expect(await held(journal)).toEqual(countedTo(2));
      });

      test('that a listener brings about is told to each of them after the one that brought it', async () => {
        let isAnswered = false;
        journal.subscribe(() => {
          if (isAnswered) return;
          isAnswered = true;
          void journal.append('s', [event(2)], { latency: 'low' });
        });
        const told: number[] = [];
        journal.subscribe((changes) => {
          for (const change of changes) if (change.kind === 'appended') told.push(...change.events.map(({ seq }) => seq));
        });
        await journal.append('s', [event(1)]);
        await vi.waitFor(() => expect(told).toEqual([1, 2]), { timeout: 10_000 });
      });
    });

    describe('reading', () => {
      const seqs = async (range: Parameters<Journal['read']>[1]) => (await journal.read('s', range)).map(({ seq }) => seq);

      beforeEach(async () => {
        await journal.append(
          's',
          Array.from({ length: 10 }, (_, at) => event(at + 1, { type: at % 3 === 0 ? 'a:x' : 'b:y' })),
        );
      });

      test.each([
        [{ after: 0, limit: 100 }, [1, 2, 3, 4, 5, 6, 7, 8, 9, 10]],
        [{ after: 7, limit: 100 }, [8, 9, 10]],
        [{ after: 2, limit: 3 }, [3, 4, 5]],
        [{ after: 10, limit: 5 }, []],
        [{ after: 1_000, limit: 5 }, []],
        [{ after: 0, limit: 0 }, []],
        [{ after: 3, limit: 100, through: 5 }, [4, 5]],
        [{ after: 3, limit: 1, through: 5 }, [4]],
        [{ after: 5, limit: 100, through: 5 }, []],
        [{ after: 8, limit: 100, through: 100 }, [9, 10]],
      ])('%j gives %j', async (range, expected) => expect(await seqs(range)).toEqual(expected));

      test('skips what a filter does not pass, and does not count it', async () => {
        const filter = (type: string) => type === 'a:x';
        expect(await seqs({ after: 0, limit: 100, filter })).toEqual([1, 4, 7, 10]);
        expect(await seqs({ after: 1, limit: 2, filter })).toEqual([4, 7]);
        expect(await seqs({ after: 0, limit: 100, filter, through: 7 })).toEqual([1, 4, 7]);
        expect(await seqs({ after: 0, limit: 100, filter: () => false })).toEqual([]);
      });

      test('stops with the event that brings the JSON to so many characters', async () => {
        const sizes = (await journal.read('s', { after: 0, limit: 100 })).map(({ json }) => json.length);
        const [first = 0, second = 0] = sizes;
        expect(await seqs({ after: 0, limit: 100, maxChars: 1 })).toEqual([1]);
        expect(await seqs({ after: 0, limit: 100, maxChars: first })).toEqual([1]);
        expect(await seqs({ after: 0, limit: 100, maxChars: first + 1 })).toEqual([1, 2]);
        expect(await seqs({ after: 0, limit: 100, maxChars: first + second })).toEqual([1, 2]);
        expect(await seqs({ after: 0, limit: 2, maxChars: 1e9 })).toEqual([1, 2]);
        expect(await seqs({ after: 0, limit: 100, maxChars: first + 1, filter: (type) => type === 'a:x' })).toEqual([1, 4]);
        // What was begun and not read to its end is in nobody's way.
        expect(await journal.append('s', [event(11)])).toMatchObject({ seqs: [11] });
        expect(await seqs({ after: 9, limit: 100 })).toEqual([10, 11]);
      });

      test.each([
        [{ after: 0, limit: 100 }, [10, 9, 8, 7, 6, 5, 4, 3, 2, 1]],
        [{ after: 0, limit: 3 }, [10, 9, 8]],
        [{ after: 7, limit: 100 }, [10, 9, 8]],
        [{ after: 3, limit: 100, through: 5 }, [5, 4]],
        [{ after: 3, limit: 1, through: 5 }, [5]],
        [{ after: 8, limit: 100, through: 100 }, [10, 9]],
        [{ after: 5, limit: 100, through: 5 }, []],
        [{ after: 10, limit: 5 }, []],
        [{ after: 0, limit: 0 }, []],
      ])('%j in reverse gives %j', async (range, expected) => expect(await seqs({ ...range, reverse: true })).toEqual(expected));

      test('in reverse heeds the filter and the number of characters too', async () => {
        const filter = (type: string) => type === 'a:x';
        expect(await seqs({ after: 0, limit: 3, filter, reverse: true })).toEqual([10, 7, 4]);
        expect(await seqs({ after: 0, limit: 3, filter, through: 6, reverse: true })).toEqual([4, 1]);
        expect(await seqs({ after: 0, limit: 100, maxChars: 1, reverse: true })).toEqual([10]);
      });

      test('a session that does not exist is empty', async () => {
        expect(await journal.read('x', { after: 0, limit: 10 })).toEqual([]);
        expect(await journal.read('x', { after: 0, limit: 10, reverse: true })).toEqual([]);
        expect(await journal.head('x')).toBeUndefined();
      });

      test('a long history is read whole, for all or for one rare event', async () => {
        for (let at = 0; at < 9; at++) await journal.append('s', eventsFrom(1, 1_000));
        await journal.append('s', [event(1, { type: 'rare:one' })]);
        expect(await seqs({ after: 0, limit: 5, filter: (type) => type === 'rare:one' })).toEqual([9_011]);
        const all = await seqs({ after: 0, limit: 100_000 });
        expect(all.length).toBe(9_011);
        expect(await seqs({ after: 0, limit: 100_000, reverse: true })).toEqual(all.toReversed());
        expect(await seqs({ after: 0, limit: 3, filter: (type) => type === 'a:x', reverse: true })).toEqual([10, 7, 4]);
      });
    });

    describe('a session', () => {
      const origin = { session_id: 's', created_at: timestamp, skills: ['a'], metadata: { k: [1] } };

      test('that is created is told, listed, and empty', async () => {
        const told: JournalChange[] = [];
        journal.subscribe((changes) => told.push(...changes));
        const head = { ...origin, epoch: journal.epoch, seq: 0, updated_at: timestamp };
        expect(await journal.create(origin)).toEqual(head);
        expect(told).toEqual([{ kind: 'created', head }]);
        expect(await journal.sessions()).toEqual([head]);
        expect(await held(journal)).toEqual([]);
        await journal.append('s', [event(1)]);
        expect(await journal.head('s')).toMatchObject({ skills: ['a'], metadata: { k: [1] }, seq: 1 });
      });

      test('that exists cannot be created, also not one whose first append still waits', async () => {
        await journal.create(origin);
        await expect(journal.create(origin)).rejects.toMatchObject({ code: 'CONFLICT' });
        const append = journal.append('t', [event(1)]);
        await expect(journal.create({ ...origin, session_id: 't' })).rejects.toMatchObject({ code: 'CONFLICT' });
        await append;
      });

      test('is listed in the order of creation', async () => {
        await journal.append('b', [event(1)]);
        await journal.create({ session_id: 'a', created_at: timestamp });
        await journal.append('c', [event(1)]);
        await journal.append('b', [event(2)]);
        expect((await journal.sessions()).map((head) => [head.session_id, head.seq])).toEqual([
          ['b', 2],
          ['a', 0],
          ['c', 1],
        ]);
      });

      test('given to one caller cannot be changed for another', async () => {
        const head = await journal.create(origin);
        head.seq = 99;
        (await journal.sessions())[0]!.seq = 98;
        expect(await journal.head('s')).toMatchObject({ seq: 0 });
      });

      test('that is deleted is gone with its history, and comes back as another', async () => {
        await journal.append('s', [event(1, { id: 'a' })]);
        await journal.append('t', [event(1)]);
        await journal.saveSnapshot((await journal.head('s'))!, { seq: 1, version: 1, json: '{}' });
        const before = (await journal.head('s'))?.epoch;
        const told: JournalChange[] = [];
        journal.subscribe((changes) => told.push(...changes));
        expect(await journal.delete('s')).toBe(true);
        expect(told).toEqual([{ kind: 'deleted', session_id: 's' }]);
        expect(await journal.delete('s')).toBe(false);
        expect([await journal.head('s'), await journal.find('s', 'a'), await journal.loadSnapshot('s'), await held(journal)]).toEqual([
          undefined,
          undefined,
          undefined,
          [],
        ]);
        expect(await held(journal, 't')).toEqual(countedTo(1));

        const again = await journal.append('s', [event(7, { id: 'a' })]);
        expect(again).toMatchObject({ seqs: [1] });
        expect(again.epoch).not.toBe(before);
        expect(await journal.loadSnapshot('s')).toBeUndefined();
        await journal.delete('s');
        expect((await journal.append('s', [event(1)])).epoch).not.toBe(again.epoch);
      });

      test('deleted while an append waits: the append is kept first, then deleted', async () => {
        await journal.append('s', [event(1)]);
        const append = journal.append('s', [event(2)]);
        expect(await journal.delete('s')).toBe(true);
        expect(await append).toMatchObject({ seqs: [2] });
        expect(await journal.head('s')).toBeUndefined();
      });
    });

    describe('a session that is imported', () => {
      const imported = { at: timestamp, by: 'ana', seq: 3 };
      const origin = { session_id: 'r', created_at: timestamp, skills: ['a'], metadata: { k: [1] }, imported };
      const epoch = 'recorded.1';
      const exported = async () => {
        await journal.append('s', [
          event(1, { id: 'a', source: 'ana', received_at: '2026-01-01T00:00:05.000Z' }),
          event(2),
          event(3, { id: 'c', timestamp: '2026-01-01T00:00:09.000Z' }),
        ]);
        return (await journal.read('s', { after: 0, limit: 10 })).map((each) => each.event);
      };

      test('keeps epoch, seq, ids, sources and times, is seen when it is whole, and takes no events', async () => {
        const events = await exported();
        const told: JournalChange[] = [];
        journal.subscribe((changes) => told.push(...changes));
        const bringing = await journal.beginImport(origin, epoch);
        await bringing.add(events.slice(0, 2));
        await bringing.add(events.slice(2));
        expect([await journal.head('r'), (await journal.sessions()).length, told]).toEqual([undefined, 1, []]);
        const head = await bringing.finish();
        expect(head).toEqual({ ...origin, epoch, seq: 3, updated_at: '2026-01-01T00:00:09.000Z' });
        expect(await journal.head('r')).toEqual(head);
        const kept = await journal.read('r', { after: 0, limit: 10 });
        expect(kept.map(({ json }) => json)).toEqual(events.map((each) => JSON.stringify({ ...each, session_id: 'r' })));
        expect(told).toEqual([{ kind: 'created', head }]);
        for (const { id, seq } of events) expect((await journal.find('r', id))?.seq).toBe(seq);
        expect((await journal.read('r', { after: 0, limit: 10, filter: (type) => type === events[2]?.type })).at(-1)?.seq).toBe(3);
        await expect(journal.append('r', [event(4)])).rejects.toMatchObject({
          code: 'CONFLICT',
          message: expect.stringContaining('imported'),
        });
        // What is appended beside it is kept.
        const [refused, taken] = await Promise.allSettled([journal.append('r', [event(4)]), journal.append('t', [event(1)])]);
        expect([refused.status, taken.status]).toEqual(['rejected', 'fulfilled']);
        expect(await held(journal, 'r')).toEqual(countedTo(3));
        expect(await journal.delete('r')).toBe(true);
        expect((await journal.append('r', [event(1)])).epoch).not.toBe(epoch);
      });

      test('comes back as it was after it was deleted: the ids that the journal has made say their place', async () => {
        const events = await exported();
        const before = (await journal.head('s'))!;
        await expect(journal.beginImport({ ...origin, session_id: 's' }, before.epoch)).rejects.toMatchObject({ code: 'CONFLICT' });
        await journal.delete('s');
        const bringing = await journal.beginImport({ ...origin, session_id: 's' }, before.epoch);
        await bringing.add(events);
        expect((await bringing.finish()).epoch).toBe(before.epoch);
        expect((await journal.read('s', { after: 0, limit: 10 })).map((each) => each.event)).toEqual(events);
        for (const { id, seq } of events) expect((await journal.find('s', id))?.seq).toBe(seq);
      });

      test('is refused at its end where another one has the name by then, and may have no events', async () => {
        const bringing = await journal.beginImport({ ...origin, imported: { ...imported, seq: 0 } }, epoch);
        const other = await journal.beginImport({ ...origin, imported: { ...imported, seq: 0 } }, epoch);
        expect(await bringing.finish()).toMatchObject({ seq: 0, updated_at: timestamp });
        await expect(other.finish()).rejects.toMatchObject({ code: 'CONFLICT' });
        await other.drop();
        await expect(other.add(await exported())).rejects.toMatchObject({ code: 'CONFLICT' });
        expect(await journal.head('r')).toMatchObject({ seq: 0 });
      });

      test.each<[string, (events: SessionEvent[]) => SessionEvent[], string]>([
        ['a history without its first event', (events) => events.slice(1), 'events[0].seq'],
        ['a history with a gap', ([a, , c]) => [a!, c!], 'events[1].seq'],
        ['a history in another order', (events) => events.toReversed(), 'events[0].seq'],
        ['two events of one id', ([a, b, c]) => [a!, b!, { ...c!, id: 'a' }], 'events[2].id'],
        ['an id that says another place', ([a, b, c]) => [a!, { ...b!, id: `${epoch}:3` }, c!], 'events[1].id'],
        ['half a character', ([a, b]) => [a!, { ...b!, data: { text: 'x\ud83d' } }], 'events[1].data'],
      ])('%s is INVALID, and nothing of it is kept', async (_, change, field) => {
        const events = change(await exported());
        const bringing = await journal.beginImport(origin, epoch);
        await expect(bringing.add(events)).rejects.toMatchObject({ code: 'INVALID', message: expect.stringContaining(field) });
        await bringing.drop();
        expect(await journal.head('r')).toBeUndefined();
        expect((await journal.sessions()).map(({ session_id }) => session_id)).toEqual(['s']);
      });

      test('an id of an earlier page is told by the place of the event in its own', async () => {
        const [a, b, c] = await exported();
        const bringing = await journal.beginImport(origin, epoch);
        await bringing.add([a!]);
        await expect(bringing.add([b!, { ...c!, id: 'a' }])).rejects.toMatchObject({
          code: 'INVALID',
          message: expect.stringContaining('events[1].id'),
        });
        await bringing.drop();
      });
    });

    test('the cursors of a reader are kept, of the histories that are there, and no other reader has them', async () => {
      for (const id of ['a', 'b', 'c']) await journal.append(id, [event(1), event(2)]);
      const { epoch } = (await journal.head('a'))!;
      expect(await journal.loadCursors('r')).toBeUndefined();
      await journal.saveCursors('r', new Map());
      expect(await journal.loadCursors('r')).toEqual(new Map());
      const cursors = new Map([
        ['a', { epoch, seq: 1 }],
        ['b', { epoch, seq: 2 }],
        ['c', { epoch: 'another', seq: 2 }],
        ['none', { epoch, seq: 1 }],
      ]);
      await journal.saveCursors('r', cursors);
      await journal.saveCursors('r', new Map([['a', { epoch, seq: 2 }]]));
      await journal.delete('b');
      await journal.append('b', [event(1)]);
      expect(await journal.loadCursors('r')).toEqual(new Map([['a', { epoch, seq: 2 }]]));
      expect(await journal.loadCursors('other')).toBeUndefined();
    });

    test('a snapshot is kept until a newer one, and only for a session that exists', async () => {
      await journal.append('s', [event(1)]);
      expect(await journal.loadSnapshot('s')).toBeUndefined();
      await journal.saveSnapshot((await journal.head('s'))!, { seq: 1, version: 2, json: '{"a":1}' });
      expect(await journal.loadSnapshot('s')).toEqual({ seq: 1, version: 2, json: '{"a":1}' });
      await journal.saveSnapshot((await journal.head('s'))!, { seq: 5, version: 3, json: '{"a":2}' });
      expect(await journal.loadSnapshot('s')).toEqual({ seq: 5, version: 3, json: '{"a":2}' });
      await journal.saveSnapshot((await journal.head('s'))!, { seq: 4, version: 3, json: '{"a":3}' });
      expect(await journal.loadSnapshot('s')).toEqual({ seq: 5, version: 3, json: '{"a":2}' });
      await journal.saveSnapshot({ session_id: 'x', epoch: journal.epoch }, { seq: 1, version: 1, json: '{}' });
      expect(await journal.loadSnapshot('x')).toBeUndefined();
    });

    test('a snapshot of a session that was deleted meanwhile is not kept for the one that has its id now', async () => {
      await journal.append('s', [event(1)]);
      const before = (await journal.head('s'))!;
      await journal.delete('s');
      await journal.append('s', [event(1)]);
      await journal.saveSnapshot(before, { seq: 1, version: 1, json: '{}' });
      expect(await journal.loadSnapshot('s')).toBeUndefined();
    });

    test('two journals have other epochs and secrets', async () => {
      const other = await kind.open();
      expect(other.epoch).not.toBe(journal.epoch);
      expect(other.secret).not.toBe(journal.secret);
      expect(Buffer.from(journal.secret, 'base64url')).toHaveLength(32);
      expect(journal.epoch).toMatch(/^\S{8,128}$/);
      await other.close();
    });

    describe('closing', () => {
      test('commits what waits and refuses what comes later', async () => {
        let told = 0;
        journal.subscribe(() => told++);
        const waiting = journal.append('s', [event(1)]);
        await journal.close();
        expect(await waiting).toMatchObject({ seqs: [1] });
        expect(told).toBe(1);
        await expect(journal.append('s', [event(2)])).rejects.toMatchObject({ code: 'UNAVAILABLE' });
        await expect(journal.append('s', [event(2)], { latency: 'low' })).rejects.toMatchObject({ code: 'UNAVAILABLE' });
        await expect(journal.create({ session_id: 'n', created_at: timestamp })).rejects.toMatchObject({ code: 'UNAVAILABLE' });
        await expect(journal.beginImport({ session_id: 'n', created_at: timestamp }, 'e')).rejects.toMatchObject({ code: 'UNAVAILABLE' });
        expect(told).toBe(1);
      });

      test('refuses what a listener appends to its last commit', async () => {
        let late: Promise<unknown> | undefined;
        journal.subscribe(() => {
          late ??= journal.append('s', [event(2)]);
          // Looked at below.
          late.catch(() => undefined);
        });
        const waiting = journal.append('s', [event(1)]);
        await journal.close();
        await waiting;
        await expect(late).rejects.toMatchObject({ code: 'UNAVAILABLE' });
      });

      test('twice is closing once', async () => {
        await journal.close();
        await journal.close();
      });
    });

    const { reopen } = kind;
    if (reopen === undefined) return;

    test('opened again it is as it was: epoch, secret, heads, events, ids, snapshots', async () => {
      await journal.create({ session_id: 'empty', created_at: timestamp, skills: ['a'], metadata: { k: 1 } });
      await journal.append('s', [event(1), event(2, { id: 'b' }), event(3, { source: 'ana', timestamp: '2026-02-01T00:00:00.000Z' })]);
      await journal.append('gone', [event(1)]);
      await journal.delete('gone');
      await journal.append('gone', [event(1)]);
      await journal.saveSnapshot((await journal.head('s'))!, { seq: 2, version: 1, json: '{}' });
      const given = (await journal.read('s', { after: 0, limit: 10 })).map((each) => each.event);
      const imported = { at: timestamp, by: 'ana', seq: 3 };
      const bringing = await journal.beginImport({ session_id: 'restored', created_at: timestamp, imported }, 'recorded');
      await bringing.add(given);
      const restored = await bringing.finish();
      const unfinished = await journal.beginImport({ session_id: 'half', created_at: timestamp, imported }, 'recorded');
      await unfinished.add(given);
      const picture = async () => ({
        epoch: journal.epoch,
        secret: journal.secret,
        heads: await journal.sessions(),
        events: (await journal.read('s', { after: 0, limit: 100 })).map(({ seq, type, json }) => ({ seq, type, json })),
        snapshot: await journal.loadSnapshot('s'),
      });
      const before = await picture();
      expect(before.heads.map(({ seq }) => seq)).toEqual([0, 3, 1, 3]);
      const { epoch } = before.heads[1]!;
      await journal.saveCursors('r', new Map([['s', { epoch, seq: 3 }]]));
      journal = await reopen(journal);
      expect(await journal.loadCursors('r')).toEqual(new Map([['s', { epoch, seq: 3 }]]));
      expect(await picture()).toEqual(before);
      expect(await journal.head('restored')).toEqual(restored);
      expect((await journal.read('restored', { after: 0, limit: 10 })).map((each) => each.event.id)).toEqual(given.map(({ id }) => id));
      await expect(journal.append('restored', [event(4)])).rejects.toMatchObject({ code: 'CONFLICT' });
      expect(await journal.append('s', [event(2, { id: 'b' }), event(1, { id: `${journal.epoch}:1` }), event(4)])).toMatchObject({
        seqs: [2, 1, 4],
      });
      await journal.delete('gone');
      expect((await journal.append('gone', [event(1)])).epoch).not.toBe(before.heads[2]?.epoch);
    });
  });
}
