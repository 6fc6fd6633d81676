import { describe, expect, test } from 'vitest';
import { version } from '../../src/executable/own-program.ts';
import { connectClient, connectQuiet, openClient } from '../helpers/socket-client.ts';
import { http, publish, startServer } from '../helpers/start-server.ts';

const isoTime = /^\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d\.\d{3}Z$/;
const step = (n: number) => ({ type: 'test:step', data: { n } });

describe('connecting', () => {
  test('is answered by connected with version, protocol, epoch, session, capabilities, features and role', async () => {
    const server = await startServer();
    const client = await connectClient(server.url);
    const connected = await client.next('connected');
    expect(connected).toEqual({
      server_version: version,
      protocol: 4,
      epoch: expect.any(String),
      session_id: null,
      capabilities: ['HALT', 'RESUME', 'ROLLBACK', 'REDIRECT', 'DECISION', 'INJECT', 'STOP'],
      features: expect.arrayContaining(['subscribe', 'publish', 'command', 'orchestrator', 'batch', 'cursor', 'cli_event']),
      role: 'admin',
      timestamp: expect.stringMatching(isoTime),
    });
  });

  test.each([
    ['auth', { auth: { session_id: 'one' } }],
    ['the query', { query: { session_id: 'one' } }],
  ])('with a session in %s subscribes to that session only', async (_where, options) => {
    const server = await startServer();
    await publish(server, 'one', [step(1)]);
    await publish(server, 'two', [step(1)]);
    const client = await connectClient(server.url, options);
    expect((await client.next('connected'))['session_id']).toBe('one');
    expect(await client.next('subscribed')).toMatchObject({ session_id: 'one', seq: 1, event_types: ['*'] });
    await client.next('session:state');
    await publish(server, 'two', [step(2)]);
    await publish(server, 'one', [step(2)]);
    await client.untilEvents(1);
    expect(client.events().map((event) => [event.session_id, event.seq])).toEqual([['one', 2]]);
    expect(client.all('session:state')).toHaveLength(1);
  });

  test.each([
    ['a session id with a space', { auth: { session_id: 'a b' } }, 'session_id'],
    ['a session id that is a list', { auth: { session_id: ['a'] } }, 'session_id'],
    ['a name of 200 characters', { auth: { client: 'x'.repeat(200) } }, 'client'],
    ['a token that is a number', { auth: { token: 5 } }, 'token'],
  ])('with %s is refused with the error shape', async (_what, options, field) => {
    const server = await startServer();
    const client = openClient(server.url, options);
    const error = await new Promise<Error & { data?: unknown }>((resolve) => client.socket.once('connect_error', resolve));
    expect(error.message).toContain(field);
    expect(error.data).toEqual({
      success: false,
      request_id: expect.any(String),
      error: error.message,
      code: 'INVALID',
      timestamp: expect.stringMatching(isoTime),
      details: expect.any(Array),
    });
  });

  test('without a session subscribes to every session, with the state of each', async () => {
    const server = await startServer();
    await publish(server, 'a', [step(1)]);
    await publish(server, 'b', [step(1), step(2)]);
    const client = await connectClient(server.url);
    await client.until('two states', () => client.all('session:state').length === 2);
    expect(client.all('session:state').map((state) => state['seq'])).toEqual([1, 2]);
    await publish(server, 'c', [step(1)]);
    await client.next('session:created', (each) => each['session_id'] === 'c');
    await client.untilEvents(1);
    const names = client.heard.map((each) => each.name);
    expect(names.slice(-3)).toEqual(['session:created', 'session:state', 'test:step']);
  });

  test('with subscribe: false brings no subscription', async () => {
    const server = await startServer();
    const client = await connectQuiet(server.url);
    await publish(server, 'a', [step(1)]);
    await client.ask('ping');
    expect(client.heard.map((each) => each.name).filter((name) => name !== 'pong')).toEqual(['connected']);
  });
});

describe('subscribe', () => {
  test('answers through ack and subscribed alike, then sends the state, then events under their own names', async () => {
    const server = await startServer();
    await publish(server, 's', [step(1)]);
    const client = await connectQuiet(server.url);
    const answer = await client.ask('subscribe', { session_id: 's' });
    expect(answer).toEqual({
      success: true,
      session_id: 's',
      event_types: ['*'],
      epoch: expect.any(String),
      seq: 1,
      timestamp: expect.stringMatching(isoTime),
    });
    expect(await client.next('subscribed')).toEqual(answer);
    await publish(server, 's', [{ ...step(2), id: 'mine', timestamp: '2026-01-02T03:04:05Z' }]);
    await client.untilEvents(1);
    expect(client.heard.map((each) => each.name)).toEqual(['connected', 'subscribed', 'session:state', 'test:step']);
    expect(client.heard.at(-1)?.payload).toEqual({
      session_id: 's',
      seq: 2,
      id: 'mine',
      type: 'test:step',
      timestamp: '2026-01-02T03:04:05.000Z',
      received_at: expect.any(String),
      data: { n: 2 },
    });
  });

  test('without arguments, with null and with an empty object means every session', async () => {
    const server = await startServer();
    for (const args of [[], [null], [{}], [{ session_id: null, event_types: null, after: null }]]) {
      const client = await connectQuiet(server.url);
      expect(await client.ask('subscribe', ...args)).toMatchObject({ success: true, session_id: null, seq: 0 });
    }
  });

  test.each([
    ['a number', 5, ''],
    ['a session id that is a number', { session_id: 5 }, 'session_id'],
    ['a glob that is no text', { event_types: [5] }, 'event_types[0]'],
    ['globs that are a text', { event_types: 'skill:*' }, 'event_types'],
    ['33 globs', { event_types: Array.from({ length: 33 }, () => '*') }, 'event_types'],
    ['a glob of 129 characters', { event_types: ['x'.repeat(129)] }, 'event_types[0]'],
    ['a cursor without an epoch', { session_id: 's', after: { seq: 1 } }, 'after.epoch'],
    ['a cursor with a negative seq', { session_id: 's', after: { epoch: 'e', seq: -1 } }, 'after.seq'],
    ['a cursor with half a seq', { session_id: 's', after: { epoch: 'e', seq: 0.5 } }, 'after.seq'],
    ['a cursor without a session', { after: { epoch: 'e', seq: 1 } }, 'after'],
    ['batch that is a text', { batch: 'yes' }, 'batch'],
  ])('with %s is refused and names the field', async (_what, payload, field) => {
    const server = await startServer();
    const client = await connectQuiet(server.url);
    const answer = await client.ask('subscribe', payload);
    expect(answer).toMatchObject({ success: false, code: 'INVALID', timestamp: expect.stringMatching(isoTime) });
    expect(answer['error']).toContain(field);
    expect(client.all('server:error')).toEqual([]);
  });

  test('refused without an ack is told by server:error', async () => {
    const server = await startServer();
    const client = await connectQuiet(server.url);
    client.socket.emit('subscribe', { session_id: 5 });
    const error = await client.next('server:error');
    expect(error).toMatchObject({ success: false, code: 'INVALID', request: 'subscribe', timestamp: expect.stringMatching(isoTime) });
    expect(error['error']).toContain('session_id');
  });

  test('with globs delivers what matches any of them', async () => {
    const server = await startServer();
    const globs: [string[], string[]][] = [
      [['skill:*'], ['skill:started', 'skill:failed']],
      [
        ['*:failed', 'file:modified'],
        ['skill:failed', 'file:modified', 'execution:failed'],
      ],
      [['*'], ['skill:started', 'skill:failed', 'file:modified', 'x:skill:y', 'execution:failed']],
      [['*skill*'], ['skill:started', 'skill:failed', 'x:skill:y']],
      [['skill'], []],
      [['*a'.repeat(60)], []],
    ];
    const clients = [];
    for (const [event_types] of globs) {
      const client = await connectQuiet(server.url);
      expect(await client.ask('subscribe', { session_id: 's', event_types })).toMatchObject({ event_types });
      clients.push(client);
    }
    const marker = await connectQuiet(server.url);
    await marker.ask('subscribe', { session_id: 's' });
    const events = [
      { type: 'skill:started', data: { skill_name: 'x' } },
      { type: 'skill:failed', data: { skill_name: 'x' } },
      { type: 'file:modified', data: { path: 'x' } },
      { type: 'x:skill:y', data: {} },
      { type: 'execution:failed', data: {} },
    ];
    await publish(server, 's', events);
    for (const [index, [, expected]] of globs.entries()) {
      await clients[index]?.untilEvents(expected.length);
      await clients[index]?.ask('ping');
      expect(clients[index]?.events().map((event) => event.type)).toEqual(expected);
    }
    expect(await marker.untilEvents(5)).toHaveLength(5);
  });

  test('again for the same session replaces the subscription', async () => {
    const server = await startServer();
    const client = await connectQuiet(server.url);
    await client.ask('subscribe', { session_id: 's' });
    await client.ask('subscribe', { session_id: 's', event_types: ['test:*'] });
    await publish(server, 's', [{ type: 'other:thing' }, step(1)]);
    await client.untilEvents(1);
    await client.ask('ping');
    expect(client.events().map((event) => event.type)).toEqual(['test:step']);
  });

  test('several times on one connection delivers each event once', async () => {
    const server = await startServer();
    const client = await connectQuiet(server.url);
    await client.ask('subscribe', {});
    await client.ask('subscribe', { session_id: 'a' });
    await client.ask('subscribe', { session_id: 'b', batch: true });
    const other = await connectQuiet(server.url);
    await other.ask('subscribe', {});
    for (let n = 1; n <= 3; n++) for (const id of ['a', 'b', 'c']) await publish(server, id, [step(n)]);
    await client.untilEvents(9);
    await other.untilEvents(9);
    await client.ask('ping');
    for (const id of ['a', 'b', 'c']) expect(client.events(id).map((event) => event.seq)).toEqual([1, 2, 3]);
    expect(client.all('events')).toHaveLength(3);
    expect(client.all('session:created')).toHaveLength(3);
    expect(client.all('session:state')).toHaveLength(3);
    await client.ask('unsubscribe', { session_id: 'a' });
    await publish(server, 'a', [step(4)]);
    expect(await client.untilEvents(4, 'a')).toHaveLength(4);
  });

  test('is refused beyond 100 on one connection', async () => {
    const server = await startServer();
    const client = await connectQuiet(server.url);
    for (let n = 0; n < 100; n++) expect(await client.ask('subscribe', { session_id: `s${n}` })).toMatchObject({ success: true });
    expect(await client.ask('subscribe', { session_id: 's100' })).toMatchObject({ success: false, code: 'LIMIT_REACHED' });
    expect(await client.ask('subscribe', { session_id: 's99' })).toMatchObject({ success: true });
  });
});

describe('subscriptions', () => {
  test('with other globs of the same letters are others: none takes what belongs to another', async () => {
    const server = await startServer();
    const [one, two] = [await connectQuiet(server.url), await connectQuiet(server.url)];
    await one.ask('subscribe', { session_id: 'a', event_types: ['skill:* file:*'] });
    await two.ask('subscribe', { session_id: 'a', event_types: ['skill:*', 'file:*'] });
    await publish(server, 'a', [{ type: 'skill:started', data: { skill_name: 'lint' } }]);
    await two.untilEvents(1);
    expect(one.events()).toEqual([]);
  });

  test('asked for and given up in one go end with what was said last, and are bounded', async () => {
    const server = await startServer();
    const client = await connectQuiet(server.url);
    const [subscribed, unsubscribed] = await Promise.all([
      client.ask('subscribe', { session_id: 'a' }),
      client.ask('unsubscribe', { session_id: 'a' }),
    ]);
    expect([subscribed, unsubscribed]).toMatchObject([{ success: true }, { success: true }]);
    await publish(server, 'a', [{ type: 'test:step', data: {} }]);
    await client.ask('ping');
    expect(client.events()).toEqual([]);
    const answers = await Promise.all(Array.from({ length: 150 }, (_, at) => client.ask('subscribe', { session_id: `s${at}` })));
    expect(answers.filter((answer) => (answer as { success: boolean }).success)).toHaveLength(100);
  });
});

describe('unsubscribe', () => {
  test('ends one subscription, or all of them', async () => {
    const server = await startServer();
    const client = await connectQuiet(server.url);
    for (const session_id of ['a', 'b', 'c']) await client.ask('subscribe', { session_id });
    expect(await client.ask('unsubscribe', { session_id: 'a' })).toEqual({ success: true });
    await publish(server, 'a', [step(1)]);
    await publish(server, 'b', [step(1)]);
    await client.untilEvents(1);
    await client.ask('ping');
    expect(client.events().map((event) => event.session_id)).toEqual(['b']);
    expect(await client.ask('unsubscribe')).toEqual({ success: true });
    await publish(server, 'b', [step(2)]);
    await client.ask('ping');
    expect(client.events()).toHaveLength(1);
    expect(await client.ask('unsubscribe', { session_id: 'never' })).toEqual({ success: true });
    expect(await client.ask('unsubscribe', { session_id: {} })).toMatchObject({ success: false, code: 'INVALID' });
  });
});

describe('the implicit subscription of a plain connect', () => {
  test.each([
    ['publish', 'publish', { session_id: 'p', events: [step(1)] }],
    ['cli_event', 'cli_event', { session_id: 'p', event_type: 'test:step', data: {} }],
    ['orchestrator:attach', 'orchestrator:attach', { session_id: 'p', instance_id: 'i' }],
  ])('ends with the first %s: producers hear no echo', async (_what, name, payload) => {
    const server = await startServer();
    const client = await connectClient(server.url);
    await publish(server, 'q', [step(1)]);
    await client.untilEvents(1);
    expect(await client.ask(name, payload)).toMatchObject({ success: true });
    await publish(server, 'q', [step(2)]);
    await client.ask('ping');
    expect(client.events().map((event) => event.session_id)).toEqual(['q']);
    expect(client.all('session:created').map((each) => each['session_id'])).toEqual(['q']);
  });

  test('is a real one once the client has subscribed itself: publishing does not end that', async () => {
    const server = await startServer();
    const client = await connectClient(server.url);
    await client.ask('subscribe', {});
    await client.publish('p', [step(1)]);
    await client.untilEvents(1);
    expect(client.events()).toMatchObject([{ session_id: 'p', seq: 1 }]);
  });
});

describe('publish', () => {
  test('is acknowledged with its place, after the journal holds it', async () => {
    const server = await startServer();
    const client = await connectQuiet(server.url, { auth: { client: 'my tool' } });
    const { body: before } = await http('GET', `${server.url}/api/sessions`);
    expect(before).toMatchObject({ sessions: [], total: 0 });
    expect(await client.publish('s', [step(1), step(2)])).toEqual({ success: true, epoch: expect.any(String), first_seq: 1, last_seq: 2 });
    expect(await client.publish('s', [step(3)])).toMatchObject({ first_seq: 3, last_seq: 3 });
    const { body } = await http('GET', `${server.url}/api/sessions/s/events`);
    expect(body['events']).toMatchObject([{ seq: 1, source: 'my tool' }, { seq: 2 }, { seq: 3 }]);
  });

  test('of an id that is known is acknowledged with the first place; with other content it is a conflict', async () => {
    const server = await startServer();
    const client = await connectQuiet(server.url);
    const event = { ...step(1), id: 'x' };
    expect(await client.publish('s', [event])).toMatchObject({ first_seq: 1, last_seq: 1 });
    await client.publish('s', [step(2)]);
    expect(await client.publish('s', [event])).toMatchObject({ success: true, first_seq: 1, last_seq: 1 });
    expect(await client.publish('s', [{ ...step(2), id: 'x' }])).toMatchObject({ success: false, code: 'CONFLICT' });
    await server.restart();
    const again = await connectQuiet(server.url);
    expect(await again.publish('s', [event])).toMatchObject({ success: true, first_seq: 1, last_seq: 1 });
  });

  test.each([
    ['no session', { events: [step(1)] }, 'session_id'],
    ['no events', { session_id: 's' }, 'events'],
    ['an empty list', { session_id: 's', events: [] }, 'events'],
    ['1,001 events', { session_id: 's', events: Array.from({ length: 1_001 }, () => step(1)) }, 'events'],
    ['an event without a type', { session_id: 's', events: [step(1), { data: {} }] }, 'events[1].type'],
    ['an event that is a text', { session_id: 's', events: ['x'] }, 'events[0]'],
    ['data that is a list', { session_id: 's', events: [{ type: 'a:b', data: [] }] }, 'events[0].data'],
    ['an id of 129 characters', { session_id: 's', events: [{ type: 'a:b', id: 'x'.repeat(129) }] }, 'events[0].id'],
    [
      'a known type without a required field',
      { session_id: 's', events: [{ type: 'skill:started', data: {} }] },
      'events[0].data.skill_name',
    ],
    [
      'a progress of 101',
      { session_id: 's', events: [{ type: 'execution:progress', data: { progress: 101 } }] },
      'events[0].data.progress',
    ],
    [
      'a decision without options',
      { session_id: 's', events: [{ type: 'decision:point', data: { decision_id: 'd', question: '?', options: [] } }] },
      'events[0].data.options',
    ],
  ])('with %s is refused as a whole with the path of the first fault', async (_what, payload, path) => {
    const server = await startServer();
    const client = await connectQuiet(server.url);
    const answer = await client.ask('publish', payload);
    expect(answer).toMatchObject({ success: false, code: 'INVALID' });
    expect(answer['error']).toContain(path);
    expect((await http('GET', `${server.url}/api/sessions/s`)).status).toBe(404);
  });

  test.each([
    'disconnect',
    'connect',
    'connect_error',
    'newListener',
    'error',
    'NoColon',
    'Upper:case',
    'a b:c',
    '',
    ':',
    'a:',
    '__proto__',
  ])('of the type "%s" is refused, so that it never becomes the name of a Socket.IO event', async (type) => {
    const server = await startServer();
    const watcher = await connectClient(server.url);
    const client = await connectQuiet(server.url);
    expect(await client.publish('s', [{ type, data: {} }])).toMatchObject({ success: false, code: 'INVALID' });
    expect(await client.ask('cli_event', { session_id: 's', event_type: type })).toMatchObject({ success: false, code: 'INVALID' });
    await client.publish('s', [step(1)]);
    await watcher.untilEvents(1);
    expect(watcher.disconnects).toEqual([]);
  });

  test.each(['command:applied', 'command:result', 'orchestrator:attached', 'session:state', 'session:gap', 'server:shutdown'])(
    'of %s is refused: only the server says that',
    async (type) => {
      const server = await startServer();
      const client = await connectQuiet(server.url);
      const data = { command_id: 'c', command_type: 'HALT' };
      expect(await client.publish('s', [{ type, data }])).toMatchObject({ success: false, code: 'INVALID' });
      expect(await client.ask('cli_event', { session_id: 's', event_type: type, data })).toMatchObject({ success: false, code: 'INVALID' });
      expect((await http('POST', `${server.url}/api/sessions/s/events`, { type, data })).status).toBe(400);
    },
  );
});

describe('ping', () => {
  test.each([[[]], [[{ any: 'thing' }]], [[5]], [['text', 'more', null]], [[[1, 2]]]])(
    'with %j is answered through ack and pong',
    async (args) => {
      const server = await startServer();
      const client = await connectQuiet(server.url);
      const answer = await client.ask('ping', ...args);
      expect(answer).toEqual({ timestamp: expect.stringMatching(isoTime) });
      expect(await client.next('pong')).toEqual(answer);
      client.socket.emit('ping', ...args);
      await client.until('a second pong', () => client.all('pong').length === 2);
    },
  );
});

describe('delivery', () => {
  test.each([['websocket'], ['polling']])('many events in one turn arrive over %s in order, each under its own name', async (transport) => {
    const server = await startServer();
    const named = await connectQuiet(server.url, { transports: [transport] });
    const batched = await connectQuiet(server.url, { transports: [transport] });
    expect(named.socket.io.engine.transport.name).toBe(transport);
    await named.ask('subscribe', { session_id: 's' });
    await batched.ask('subscribe', { session_id: 's', batch: true });
    const producers = await Promise.all([1, 2, 3].map(() => connectQuiet(server.url)));
    // Texts of every frame length of RFC 6455 (7, 16 and 64 bits), and of more bytes than characters.
    const texts = ['', 'x'.repeat(200), '\u00e9\u{1f600}'.repeat(50), '\u00e9\u{1f600}'.repeat(500)];
    const rounds = 40;
    const answers: Promise<unknown>[] = [];
    for (let n = 0; n < rounds; n++) {
      for (const [index, producer] of producers.entries()) {
        answers.push(producer.publish('s', [{ type: `test:p${index}`, data: { n, text: texts[n % texts.length] } }]));
      }
    }
    await Promise.all(answers);
    await producers[0]?.publish('s', [{ type: 'test:large', data: { text: 'y'.repeat(70_000) } }]);
    for (const client of [named, batched]) {
      const events = await client.untilEvents(rounds * 3 + 1);
      expect(events.map((event) => event.seq)).toEqual(Array.from({ length: rounds * 3 + 1 }, (_, index) => index + 1));
      expect(events.at(-1)?.data['text']).toHaveLength(70_000);
      for (const index of [0, 1, 2]) {
        const own = events.filter((event) => event.type === `test:p${index}`);
        expect(own.map((event) => event.data['n'])).toEqual(Array.from({ length: rounds }, (_, n) => n));
        expect(own.map((event) => event.data['text'])).toEqual(Array.from({ length: rounds }, (_, n) => texts[n % texts.length]));
      }
    }
    for (const { name, payload } of named.heard.filter((each) => each.name.startsWith('test:'))) expect(name).toBe(payload['type']);
    expect(batched.heard.some((each) => each.name.startsWith('test:'))).toBe(false);
  });

  test('survives the upgrade from polling to websocket in the midst of a stream', async () => {
    const server = await startServer();
    const producer = await connectQuiet(server.url);
    await producer.publish(
      's',
      Array.from({ length: 1_000 }, (_, n) => step(n + 1)),
    );
    const { epoch } = await producer.next('connected');
    const client = openClient(server.url, { transports: ['polling', 'websocket'], auth: { subscribe: false } });
    client.socket.on('connect', () => client.socket.emit('subscribe', { session_id: 's', after: { epoch, seq: 0 } }));
    const publishing = (async () => {
      for (let n = 1_001; n <= 2_000; n++) await producer.publish('s', [step(n)]);
    })();
    const events = await client.untilEvents(2_000);
    await publishing;
    expect(events.map((event) => event.seq)).toEqual(Array.from({ length: 2_000 }, (_, index) => index + 1));
    expect(client.socket.io.engine.transport.name).toBe('websocket');
  });
});
