import { describe, expect, test } from 'vitest';
import type { SessionEvent } from '../../../src/core/protocol/event.ts';
import { connectQuiet } from '../../helpers/socket-client.ts';
import { openSse } from '../../helpers/sse-reader.ts';
import { http, publish, startServer, type TestServer } from '../../helpers/start-server.ts';

const step = (n: number) => ({ type: 'test:step', data: { n } });
const steps = (from: number, to: number) => Array.from({ length: to - from + 1 }, (_, index) => step(from + index));
const seqs = (from: number, to: number) => Array.from({ length: to - from + 1 }, (_, index) => from + index);
const eventsUrl = (server: TestServer, query = '') => `${server.url}/api/sessions/s/events${query}`;

describe('POST events', () => {
  test('takes one event, a list, or NDJSON', async () => {
    const server = await startServer();
    expect(await http('POST', eventsUrl(server), step(1))).toMatchObject({
      status: 200,
      body: { success: true, epoch: expect.any(String), first_seq: 1, last_seq: 1 },
    });
    expect(await http('POST', eventsUrl(server), steps(2, 4))).toMatchObject({ status: 200, body: { first_seq: 2, last_seq: 4 } });
    const lines = `${steps(5, 6)
      .map((event) => JSON.stringify(event))
      .join('\r\n')}\n\n${JSON.stringify(step(7))}`;
    const ndjson = { 'content-type': 'application/x-ndjson' };
    expect(await http('POST', eventsUrl(server), lines, ndjson)).toMatchObject({ status: 200, body: { first_seq: 5, last_seq: 7 } });
    const { body } = await http<{ events: SessionEvent[] }>('GET', eventsUrl(server));
    expect(body.events.map((event) => event.data['n'])).toEqual(seqs(1, 7));
  });

  test.each<[string, unknown, string, string]>([
    ['no body', undefined, 'application/json', ''],
    ['an empty list', [], 'application/json', 'events'],
    ['a number', 5, 'application/json', 'events[0]'],
    ['the second event without a type', [step(1), {}], 'application/json', 'events[1].type'],
    ['no JSON', '{', 'application/json', 'not JSON'],
    ['a second line that is no JSON', `${JSON.stringify(step(1))}\n{`, 'application/x-ndjson', 'Line 2'],
    ['no line at all', '\n', 'application/x-ndjson', 'events'],
  ])('with %s is 400 and journals nothing', async (_what, body, type, where) => {
    const server = await startServer();
    const answer = await http('POST', eventsUrl(server), body, { 'content-type': type });
    expect(answer).toMatchObject({ status: 400, body: { success: false, code: 'INVALID' } });
    expect(answer.body['error']).toContain(where);
    expect((await http('GET', `${server.url}/api/sessions`)).body['total']).toBe(0);
  });

  test('with a known id and other content is 409', async () => {
    const server = await startServer();
    await publish(server, 's', { ...step(1), id: 'x' });
    expect(await http('POST', eventsUrl(server), { ...step(2), id: 'x' })).toMatchObject({ status: 409, body: { code: 'CONFLICT' } });
  });
});

describe('GET events', () => {
  test('pages with after, limit and next, filtered by types', async () => {
    const server = await startServer();
    await publish(server, 's', steps(1, 25));
    const found: number[] = [];
    let next = 0;
    for (;;) {
      const { body } = await http<{ events: SessionEvent[]; next: number; epoch: string }>(
        'GET',
        eventsUrl(server, `?after=${next}&limit=10`),
      );
      expect(body.epoch).toBeTypeOf('string');
      found.push(...body.events.map((event) => event.seq));
      next = body.next;
      if (body.events.length === 0) break;
    }
    expect([found, next]).toEqual([seqs(1, 25), 25]);
    await publish(server, 's', [{ type: 'other:thing' }]);
    const typed = await http<{ events: SessionEvent[]; next: number }>('GET', eventsUrl(server, '?types=other:*,none:*'));
    expect([typed.body.events.map((event) => event.seq), typed.body.next]).toEqual([[26], 26]);
    expect((await http('GET', eventsUrl(server, '?limit=0'))).body).toMatchObject({ events: [], next: 0 });
    // A place of another history, of which there is no end to wait for.
    expect((await http('GET', eventsUrl(server, '?after=99'))).body).toMatchObject({ events: [], next: 26 });
  });

  test.each([
    'after=-1',
    'after=x',
    'limit=10001',
    'limit=1.5',
    `types=${Array.from({ length: 33 }, () => 'a:*').join(',')}`,
    `types=${'x'.repeat(129)}`,
    'since=yesterday',
    'until=2026-13-01T00:00:00Z',
  ])('with %s is 400', async (query) => {
    const server = await startServer();
    await publish(server, 's', step(1));
    expect(await http('GET', eventsUrl(server, `?${query}`))).toMatchObject({ status: 400, body: { success: false, code: 'INVALID' } });
  });

  test("of a time, by the server's clock", async () => {
    const server = await startServer();
    const journalled = ['2026-01-01T00:00:00Z', '2026-01-01T00:00:05Z', '2026-01-01T00:00:09.500Z'].map((timestamp, n) => ({
      ...step(n + 1),
      timestamp,
    }));
    await publish(server, 's', journalled);
    await publish(server, 's', step(4));
    const { body: all } = await http<{ events: SessionEvent[] }>('GET', eventsUrl(server));
    const times = all.events.map(({ received_at, timestamp }) => received_at ?? timestamp);
    const of = async (query: string) => {
      const { body } = await http<{ events: SessionEvent[]; next: number }>('GET', eventsUrl(server, query));
      return [body.events.map(({ seq }) => seq), body.next];
    };
    expect(await of('?until=2026-01-01T00:00:00Z')).toEqual([[], 4]);
    expect(await of(`?since=${times[3]}`)).toEqual([times.flatMap((time, at) => (time >= times[3]! ? at + 1 : [])), 4]);
    expect(await of(`?until=${times[2]}&types=test:*`)).toEqual([times.flatMap((time, at) => (time <= times[2]! ? at + 1 : [])), 4]);
    const live = await http('GET', eventsUrl(server, `?since=${times[0]}`), undefined, { accept: 'text/event-stream' });
    expect(live).toMatchObject({ status: 400, body: { code: 'INVALID' } });
  });

  test('as NDJSON gives a line an event', async () => {
    const server = await startServer();
    for (let from = 1; from <= 3_000; from += 1_000) await publish(server, 's', steps(from, from + 999));
    const read = async (query: string) => {
      const response = await fetch(eventsUrl(server, query), { headers: { accept: 'application/x-ndjson' } });
      expect(response.headers.get('content-type')).toContain('application/x-ndjson');
      const text = await response.text();
      return text === ''
        ? []
        : text
            .trimEnd()
            .split('\n')
            .map((line) => (JSON.parse(line) as SessionEvent).seq);
    };
    expect(await read('?limit=10000')).toEqual(seqs(1, 3_000));
    expect(await read('?after=2990&limit=5')).toEqual(seqs(2_991, 2_995));
    expect(await read('?types=none:*')).toEqual([]);
    expect(await read('?after=3000')).toEqual([]);
  });

  test('of large events answers in parts that a page at a time leads through, and streams NDJSON whole', async () => {
    const server = await startServer();
    const client = await connectQuiet(server.url);
    for (let n = 0; n < 12; n++) await client.publish('s', [{ type: 'test:large', data: { text: 'x'.repeat(1_000_000) } }]);
    const found: number[] = [];
    let next = 0;
    let largest = 0;
    for (;;) {
      const response = await fetch(eventsUrl(server, `?after=${next}&limit=10000`));
      const text = await response.text();
      largest = Math.max(largest, text.length);
      const body = JSON.parse(text) as { events: SessionEvent[]; next: number };
      if (body.events.length === 0) break;
      found.push(...body.events.map((event) => event.seq));
      next = body.next;
    }
    expect(found).toEqual(seqs(1, 12));
    expect(largest).toBeLessThan(6 * 1024 * 1024);
    const lines = await (await fetch(eventsUrl(server, '?limit=10000'), { headers: { accept: 'application/x-ndjson' } })).text();
    expect(lines.trimEnd().split('\n')).toHaveLength(12);
  });

  test('next never steps over what is journalled meanwhile', async () => {
    const server = await startServer();
    const producer = await connectQuiet(server.url);
    for (let from = 1; from <= 6_000; from += 1_000) await producer.publish('s', steps(from, from + 999));
    const pour = { isOn: true };
    let published = 6_000;
    const pouring = (async () => {
      while (pour.isOn) {
        await producer.publish('s', [{ type: 'rare:one', data: { n: ++published } }]);
      }
    })();
    const found: number[] = [];
    let next = 0;
    // The filter makes the server read on over several turns, in which more is journalled.
    for (let reads = 0; reads < 40; reads++) {
      const { body } = await http<{ events: SessionEvent[]; next: number }>(
        'GET',
        eventsUrl(server, `?types=rare:*&limit=10000&after=${next >= 6_000 ? next : 0}`),
      );
      found.push(...body.events.map((event) => event.seq).filter((seq) => seq > next));
      next = body.next;
    }
    pour.isOn = false;
    await pouring;
    const { body } = await http<{ events: SessionEvent[] }>('GET', eventsUrl(server, `?types=rare:*&limit=10000&after=${next}`));
    found.push(...body.events.map((event) => event.seq));
    expect(found).toEqual(seqs(6_001, published));
  });
});

describe('Server-Sent Events', () => {
  test('give the state, then every event with its id and name', async () => {
    const server = await startServer();
    await publish(server, 's', step(1));
    const reader = await openSse(eventsUrl(server));
    expect(reader.status).toBe(200);
    expect(reader.headers.get('content-type')).toContain('text/event-stream');
    await reader.until('the state', () => reader.messages.length === 1);
    const { body } = await http('GET', `${server.url}/api/sessions/s`);
    expect(reader.messages[0]).toMatchObject({
      id: `${String(body['epoch'])}:1`,
      event: 'session:state',
      data: { seq: 1, session: { session_id: 's' } },
    });
    await publish(server, 's', steps(2, 3));
    await reader.until('two events', () => reader.events.length === 2);
    expect(reader.events).toMatchObject([
      { id: `${String(body['epoch'])}:2`, event: 'test:step', data: { seq: 2, session_id: 's', data: { n: 2 } } },
      { id: `${String(body['epoch'])}:3`, event: 'test:step', data: { seq: 3 } },
    ]);
  });

  test('go on from Last-Event-ID after a restart, each event once', async () => {
    const server = await startServer();
    await publish(server, 's', steps(1, 3));
    const before = await openSse(eventsUrl(server, '?after=0'));
    await before.until('three events', () => before.events.length === 3);
    const last = before.events[1]?.id ?? '';
    await server.restart();
    await before.until('the end', () => before.isEnded);
    const after = await openSse(eventsUrl(server), { 'last-event-id': last });
    await publish(server, 's', steps(4, 5));
    await after.until('three events', () => after.events.length === 3);
    expect(after.messages.map((message) => message.event)).toEqual(['test:step', 'test:step', 'test:step']);
    expect(after.events.map((message) => message.data['seq'])).toEqual([3, 4, 5]);
  });

  test.each([
    ['another epoch', 'other:2', true],
    ['a seq beyond', 'EPOCH:99', true],
    ['nonsense', 'nonsense', false],
    ['a text of 1,000 characters', 'x'.repeat(1_000), false],
  ])('with a Last-Event-ID of %s start anew, with a gap where it is one', async (_what, id, isGap) => {
    const server = await startServer();
    await publish(server, 's', steps(1, 3));
    const { epoch } = (await http<{ epoch: string }>('GET', `${server.url}/api/sessions/s`)).body;
    const reader = await openSse(eventsUrl(server), { 'last-event-id': id.replace('EPOCH', epoch) });
    await reader.until('the state', () => reader.messages.some((message) => message.event === 'session:state'));
    expect(reader.messages.map((message) => message.event)).toEqual([...(isGap ? ['session:gap'] : []), 'session:state']);
  });

  test('of a session that is not there yet wait for it; globs hold', async () => {
    const server = await startServer();
    const reader = await openSse(eventsUrl(server, '?types=other:*'));
    await publish(server, 's', [step(1), { type: 'other:thing', data: {} }]);
    await reader.until('the event', () => reader.events.length === 1);
    expect(reader.messages.map((message) => message.event)).toEqual(['session:created', 'session:state', 'other:thing']);
    expect(await openSse(`${server.url}/api/sessions/a%20b/events`)).toMatchObject({ status: 400 });
  });

  test('asked for with HEAD end after their head', async () => {
    const server = await startServer();
    await publish(server, 's', step(1));
    const response = await fetch(eventsUrl(server), { method: 'HEAD', headers: { accept: 'text/event-stream' } });
    expect(response.headers.get('content-type')).toContain('text/event-stream');
    expect((await http('GET', `${server.url}/api/stats`)).body['sessions']).toEqual({ s: 0 });
  });

  test('catch up while events pour in: each once, in order', async () => {
    const server = await startServer();
    const producer = await connectQuiet(server.url);
    for (let from = 1; from <= 3_000; from += 1_000) await producer.publish('s', steps(from, from + 999));
    const reader = await openSse(eventsUrl(server, '?after=0'));
    for (let n = 3_001; n <= 3_300; n++) await producer.publish('s', [step(n)]);
    await reader.until('all events', () => reader.events.length >= 3_300);
    expect(reader.events.map((message) => message.data['seq'])).toEqual(seqs(1, 3_300));
  });
});
