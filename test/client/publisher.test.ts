import { afterEach, beforeEach, describe, expect, test } from 'vitest';
import { Outbox, type OutgoingEvent } from '../../src/client/orchestrator/outbox.ts';
import { connectPublisher, type Publisher } from '../../src/client/orchestrator/publisher.ts';
import { ShannonDashError } from '../../src/core/protocol/errors.ts';
import { startServer, until, type RestartableServer } from './restartable-server.ts';

describe('a publisher', () => {
  let server: RestartableServer;
  let publisher: Publisher;

  beforeEach(async () => {
    server = await startServer();
    publisher = await connectPublisher({ url: server.url, session: 's', client: 'maker' });
  });

  afterEach(async () => {
    await publisher.close();
    await server.remove();
  });

  test('tells each event its place, in order, with its own id and time', async () => {
    const places = await Promise.all([
      publisher.publish('execution:started', { task: 'build' }),
      publisher.publish('note:made', { text: 'a' }, { id: 'n1', timestamp: '2026-01-02T03:04:05.678Z' }),
      publisher.publish('note:made', { text: 'b' }),
    ]);
    expect(places.map((place) => place.seq)).toEqual([1, 2, 3]);
    expect((await server.history('s'))[1]).toMatchObject({
      id: 'n1',
      timestamp: '2026-01-02T03:04:05.678Z',
      source: 'maker',
      data: { text: 'a' },
    });
    expect(publisher.pending).toBe(0);
  });

  test('tells the place of what was journalled before under the same id', async () => {
    await publisher.publish('note:made', { text: 'a' }, { id: 'n1' });
    const places = await Promise.all([
      publisher.publish('note:made', { text: 'b' }),
      publisher.publish('note:made', { text: 'a' }, { id: 'n1' }),
      publisher.publish('note:made', { text: 'c' }),
    ]);
    expect(places.map((place) => place.seq)).toEqual([2, 1, 3]);
  });

  test('rejects only the guilty event of a batch', async () => {
    await publisher.publish('note:made', { text: 'a' }, { id: 'n1' });
    const published = await Promise.allSettled(
      Array.from({ length: 300 }, (_, index) =>
        publisher.publish('note:made', { text: `number ${index}` }, { id: index === 137 ? 'n1' : `number-${index}` }),
      ),
    );
    expect(published.flatMap((each, index) => (each.status === 'rejected' ? [index, (each.reason as ShannonDashError).code] : []))).toEqual(
      [137, 'CONFLICT'],
    );
    const texts = (await server.history('s')).map((event) => event.data['text']);
    expect(texts).toEqual(['a', ...Array.from({ length: 300 }, (_, index) => `number ${index}`).filter((_, index) => index !== 137)]);
  });

  test('keeps what an event was when it was published', async () => {
    await server.stop();
    await until(() => publisher.connection.status !== 'live', 'the loss');
    const data = { count: 1 };
    const published = publisher.publish('note:made', data);
    data.count = 2;
    await server.start();
    await published;
    expect((await server.history('s'))[0]?.data).toEqual({ count: 1 });
  });

  test('refuses what cannot be an event before it is sent', async () => {
    await expect(publisher.publish('skill:started', {} as { skill_name: string })).rejects.toMatchObject({ code: 'INVALID' });
    await expect(publisher.publish('Not A Type', {})).rejects.toMatchObject({ code: 'INVALID' });
    await expect(publisher.publish('note:made', { big: 1n })).rejects.toMatchObject({ code: 'INVALID' });
    await expect(publisher.publish('note:made', { text: 'x'.repeat(1_100_000) })).rejects.toMatchObject({ code: 'TOO_LARGE' });
    await publisher.publish('note:made', { text: 'x'.repeat(1_000_000) });
  });

  test('is bounded while the server is away: it refuses, or waits if told so', async () => {
    await publisher.close();
    publisher = await connectPublisher({ url: server.url, session: 's', maxEvents: 10 });
    await server.stop();
    await until(() => publisher.connection.status !== 'live', 'the loss');
    const kept = Array.from({ length: 10 }, (_, number) => publisher.publish('note:made', { number }));
    await expect(publisher.publish('note:made', { number: 'too many' })).rejects.toMatchObject({ code: 'LIMIT_REACHED' });
    const waiting = Array.from({ length: 30 }, (_, index) => publisher.publish('note:made', { number: 10 + index }, { whenFull: 'wait' }));
    expect(publisher.pending).toBe(10);
    await expect(publisher.flush(50)).rejects.toMatchObject({ code: 'TIMEOUT' });
    await server.start();
    await Promise.all([...kept, ...waiting]);
    await publisher.flush();
    expect((await server.history('s')).map((event) => event.data['number'])).toEqual(Array.from({ length: 40 }, (_, number) => number));
  });

  test('rejects what is left when it is closed', async () => {
    await server.stop();
    const left = publisher.publish('note:made', {});
    await publisher.close(50);
    await expect(left).rejects.toMatchObject({ code: 'UNREACHABLE' });
    await expect(publisher.publish('note:made', {})).rejects.toMatchObject({ code: 'UNREACHABLE' });
  });
});

describe('an outbox', () => {
  /** An outbox whose journal answers as a test wants. */
  function outboxTo(answer: (events: OutgoingEvent[], call: number) => void) {
    const journalled: string[] = [];
    const calls: number[] = [];
    const outbox = new Outbox({
      send: async (events) => {
        calls.push(events.length);
        answer(events, calls.length);
        const first_seq = journalled.length + 1;
        journalled.push(...events.map((event) => String(event.data['n'])));
        return { success: true, epoch: 'e', first_seq, last_seq: journalled.length };
      },
    });
    outbox.open();
    return { outbox, journalled, calls };
  }

  test('sends again, unchanged, what the journal could not keep', async () => {
    const problems: string[] = [];
    const { outbox, journalled, calls } = outboxTo((_events, call) => {
      if (call <= 2) throw new ShannonDashError('JOURNAL_FAILED', 'disk full');
    });
    outbox.problems.add(({ error }) => problems.push(error.code));
    const first = outbox.publish('note:made', { n: 1 });
    await until(() => calls.length === 1, 'the first failure');
    const second = outbox.publish('note:made', { n: 2 });
    expect(await Promise.all([first, second])).toEqual([
      { epoch: 'e', seq: 1 },
      { epoch: 'e', seq: 2 },
    ]);
    expect(calls).toEqual([1, 1, 1, 1]);
    expect(journalled).toEqual(['1', '2']);
    expect(problems).toEqual(['JOURNAL_FAILED', 'JOURNAL_FAILED']);
  });

  test('sends at most 1,000 events and 1 Mi characters at a time', async () => {
    const { outbox, calls } = outboxTo(() => undefined);
    await Promise.all(Array.from({ length: 2_500 }, (_, n) => outbox.publish('note:made', { n })));
    expect(calls).toEqual([1_000, 1_000, 500]);
    await Promise.all(Array.from({ length: 5 }, (_, n) => outbox.publish('note:made', { n, text: 'x'.repeat(400_000) })));
    expect(calls.slice(3)).toEqual([2, 2, 1]);
  });

  test('ends when it is superseded, or refused for good', async () => {
    const superseded = outboxTo(() => {
      throw new ShannonDashError('SUPERSEDED', 'another one');
    }).outbox;
    await expect(superseded.publish('note:made', {})).rejects.toMatchObject({ code: 'SUPERSEDED' });
    await expect(superseded.publish('note:made', {})).rejects.toMatchObject({ code: 'SUPERSEDED' });
    const { outbox, calls } = outboxTo(() => {
      throw new ShannonDashError('FORBIDDEN', 'read only');
    });
    const refused = await Promise.allSettled([outbox.publish('note:made', {}), outbox.publish('note:made', {})]);
    expect(refused.map((each) => each.status)).toEqual(['rejected', 'rejected']);
    expect(calls).toEqual([2]);
  });
});
