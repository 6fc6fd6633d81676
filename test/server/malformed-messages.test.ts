import { connect } from 'node:net';
import { expect, test } from 'vitest';
import { limits } from '../../src/core/protocol/limits.ts';
import { connectRaw } from '../helpers/raw-websocket.ts';
import { connectClient, connectQuiet } from '../helpers/socket-client.ts';
import { http, publish, startServer, type TestServer } from '../helpers/start-server.ts';

const requests = ['subscribe', 'unsubscribe', 'publish', 'command', 'command:update', 'orchestrator:attach', 'cli_event', 'ping'];
const deep = (levels: number) => `${'['.repeat(levels)}${']'.repeat(levels)}`;
const payloads: [string, string][] = [
  ['nothing', ''],
  ['null', ',null'],
  ['a number', ',5'],
  ['a text', ',"x"'],
  ['a list', ',[1,2]'],
  ['an empty object', ',{}'],
  ['two objects', ',{},{"session_id":"s"}'],
  ['a huge text', `,"${'x'.repeat(500_000)}"`],
  ['keys of the prototype', ',{"__proto__":{"type":"halt"},"constructor":1,"toString":2,"hasOwnProperty":3}'],
  ['a session id that is an object', ',{"session_id":{"$gt":""},"type":"halt","events":[],"event_type":"a:b"}'],
  ['a session id of 100,000 characters', `,{"session_id":"${'x'.repeat(100_000)}","type":"halt"}`],
  ['lists 50,000 deep', `,${deep(50_000)}`],
  [
    'data 50,000 deep',
    `,{"session_id":"s","event_type":"a:b","data":${deep(50_000)},"type":"INJECT","skill_name":"x","parameters":{"a":${deep(50_000)}}}`,
  ],
  ['an event 50,000 deep', `,{"session_id":"s","events":[{"type":"a:b","data":{"a":${deep(50_000)}}}]}`],
  ['numbers beyond all', ',{"session_id":"s","after":{"epoch":"x","seq":1e400},"timeout_ms":1e400,"type":"halt"}'],
];

/** Watches from the side: whatever one client sends, this one hears everything once and stays connected. */
async function bystander(server: TestServer) {
  const watcher = await connectClient(server.url);
  let published = 0;
  return async () => {
    published++;
    await publish(server, 'bystander', { type: 'test:step', data: { n: published } });
    const events = await watcher.untilEvents(published, 'bystander');
    expect(events.map((event) => event.seq)).toEqual(Array.from({ length: published }, (_, index) => index + 1));
    expect(watcher.disconnects).toEqual([]);
    expect((await http('GET', `${server.url}/health`)).status).toBe(200);
  };
}

const refusal = (packet: string) => JSON.parse(packet.slice(packet.indexOf('['))) as Record<string, unknown>[];

test.each(requests)('%s with anything at all is answered or refused; nobody else notices', async (name) => {
  const server = await startServer();
  const others = await bystander(server);
  const raw = await connectRaw(server.port);
  for (const [index, [what, args]] of payloads.entries()) {
    raw.send(`42["${name}"${args}]`);
    raw.send(`42${index}["${name}"${args}]`);
    const answer = refusal(await raw.next(`43${index}[`)).at(0);
    expect(answer, what).toBeTypeOf('object');
    if (what.endsWith('deep') && ['publish', 'cli_event', 'command'].includes(name)) expect(answer?.['success'], what).toBe(false);
    if (answer?.['success'] === false) {
      expect(answer, what).toEqual(
        expect.objectContaining({ success: false, error: expect.any(String), code: expect.any(String), timestamp: expect.any(String) }),
      );
      expect(answer['code'], what).not.toBe('INTERNAL');
      expect(String(answer['error']).length, what).toBeLessThan(2_000);
    }
  }
  await others();
});

test.each([
  ['an unknown message', '42["nonsense",{}]'],
  ['a number as its name', '42[5,{}]'],
  ['the name error', '42["error","x"]'],
  ['the name __proto__', '42["__proto__",{}]'],
  ['the name constructor', '42["constructor"]'],
  ['a name of 100,000 characters', `42["${'n'.repeat(100_000)}"]`],
])('%s is refused by name', async (_what, packet) => {
  const server = await startServer();
  const others = await bystander(server);
  const raw = await connectRaw(server.port);
  raw.send(packet);
  const [, error] = refusal(await raw.next('42["server:error"'));
  expect(error).toMatchObject({ success: false, code: 'INVALID' });
  expect(error?.['error']).toMatch(/^Unknown message: /);
  expect(JSON.stringify(error).length).toBeLessThan(1_000);
  raw.send(packet.replace('42', '427'));
  expect(refusal(await raw.next('437['))[0]).toMatchObject({ success: false, code: 'INVALID' });
  await others();
});

test.each([
  ['a reserved name', '42["disconnect","x"]'],
  ['a packet that is no JSON', '42["ping"'],
  ['a packet of no known type', '49["x"]'],
  ['an event that is an object', '42{"a":1}'],
  ['an event without a name', '42[]'],
  ['a second connect', '40{"session_id":"x"}'],
  ['a connect to another namespace', '40/admin,{}'],
  ['an ack that nobody waits for', '4399["x"]'],
  ['a binary event without its attachment', '451-["publish",{"_placeholder":true,"num":0}]'],
  ['a binary event with a false attachment', '451-["publish",{"_placeholder":true,"num":"x"}]'],
  ['an Engine.IO packet of no known type', '9'],
  ['an empty frame', ''],
  ['an Engine.IO close', '1'],
])('%s costs at most its own connection', async (_what, packet) => {
  const server = await startServer();
  const others = await bystander(server);
  const raw = await connectRaw(server.port);
  raw.send(packet);
  raw.send('42["ping"]');
  await raw.until('an answer or the end', () => raw.isClosed || raw.packets.some((each) => /^42\["pong"|^1$|^41/.test(each)));
  await others();
});

test('a connect with an auth that is no object is refused', async () => {
  const server = await startServer();
  const others = await bystander(server);
  for (const auth of ['"x"', '5', '[1]', 'null']) {
    const raw = await connectRaw(server.port, { join: false });
    await raw.next('0{');
    raw.send(`40${auth}`);
    await raw.until('an answer or the end', () => raw.isClosed || raw.packets.some((each) => /^4[04]/.test(each)));
  }
  await others();
});

test('binary data is refused, wherever it hides, and texts after it are taken', async () => {
  const server = await startServer();
  const others = await bystander(server);
  const client = await connectQuiet(server.url);
  const bytes = Buffer.from('binary');
  const event = { type: 'execution:completed', data: { result: { deep: [bytes] } } };
  const attempts: [string, unknown][] = [
    ['publish', bytes],
    ['publish', { session_id: 's', events: [event] }],
    ['cli_event', { session_id: 's', event_type: 'a:b', data: bytes }],
    ['command', { type: 'INJECT', session_id: 's', skill_name: 'x', parameters: { bytes } }],
    ['subscribe', { session_id: bytes }],
  ];
  for (const [name, payload] of attempts) {
    const answer = await client.ask(name, payload);
    expect(answer).toMatchObject({ success: false, code: 'INVALID' });
    expect(answer['error']).toContain('Binary');
  }
  expect((await http('GET', `${server.url}/api/sessions/s`)).status).toBe(404);
  expect(await client.publish('s', [{ type: 'a:b', data: {} }])).toMatchObject({ success: true });
  await others();
});

test('an event too large is refused and its producer stays connected', async () => {
  const server = await startServer();
  const client = await connectQuiet(server.url);
  const text = (bytes: number, sign = 'x') => sign.repeat(bytes / Buffer.byteLength(sign));
  const ok = await client.publish('s', [{ type: 'a:b', data: { text: text(1_000_000) } }]);
  expect(ok).toMatchObject({ success: true, last_seq: 1 });
  for (const data of [{ text: text(1_100_000) }, { text: text(3_900_000) }, { text: text(1_500_000, '\u4e2d') }]) {
    const answer = await client.publish('s', [{ type: 'a:b', data }]);
    expect(answer).toMatchObject({ success: false, code: 'TOO_LARGE' });
    expect(answer['error']).toContain('events[0]');
  }
  expect(await client.ask('cli_event', { session_id: 's', event_type: 'a:b', data: { text: text(2_000_000) } })).toMatchObject({
    success: false,
    code: 'TOO_LARGE',
  });
  expect(client.disconnects).toEqual([]);
  expect(await client.publish('s', [{ type: 'a:b', data: {} }])).toMatchObject({ success: true, last_seq: 2 });
});

test('a message beyond 4 MiB costs its sender the connection and nobody else', async () => {
  const server = await startServer();
  const others = await bystander(server);
  const client = await connectQuiet(server.url);
  client.socket.emit('publish', { session_id: 's', events: [{ type: 'a:b', data: { text: 'x'.repeat(5 * 1024 * 1024) } }] });
  await client.until('the cut', () => client.disconnects.length === 1);
  await others();
});

test('a session whose metadata nest too deep is refused', async () => {
  const server = await startServer();
  const others = await bystander(server);
  const body = `{"session_id":"s","metadata":{"a":${deep(50_000)}}}`;
  expect(await http('POST', `${server.url}/api/sessions`, body)).toMatchObject({ status: 400, body: { code: 'INVALID' } });
  expect((await http('GET', `${server.url}/api/sessions/s`)).status).toBe(404);
  await others();
});

test('bytes that are no HTTP, half a handshake and a reset cost nobody anything', async () => {
  const server = await startServer();
  const others = await bystander(server);
  for (const bytes of [
    '\x16\x03\x01\x02\x00garbage',
    'GET /socket.io/?EIO=4&transport=websocket HTTP/1.1\r\nHost: 127.0.0.1\r\n',
    'GET / HTTP/9.9\r\n\r\n',
  ]) {
    const socket = connect(server.port, '127.0.0.1');
    await new Promise((resolve) => socket.once('connect', resolve));
    await new Promise((resolve) => socket.write(bytes, resolve));
    socket.resetAndDestroy();
    await others();
  }
  for (const query of ['EIO=3&transport=polling', 'EIO=4&transport=nothing', 'EIO=4', 'EIO=4&transport=polling&sid=unknown', '']) {
    const response = await fetch(`${server.url}/socket.io/?${query}`);
    expect(response.status).toBe(400);
    await response.text();
  }
  await others();
});

test('a client that asks without reading the answers is refused or cut, not buffered without bound', async () => {
  const server = await startServer();
  const stateBytes = 500_000;
  await http('POST', `${server.url}/api/sessions`, { session_id: 's', metadata: { text: 'x'.repeat(stateBytes) } });
  const others = await bystander(server);
  const raw = await connectRaw(server.port);
  raw.socket.pause();
  const clients = async () => (await http<{ connected_clients: number }>('GET', `${server.url}/health`)).body.connected_clients;
  let asked = 0;
  do {
    for (let n = 0; n < 20; n++) raw.send(`42${asked++}["subscribe",{"session_id":"s"}]`);
    await others();
  } while ((await clients()) === 2 && asked < 1_000);
  // 500 MB were asked for; what waits to be read stays below its bound, and a live answer.
  const metrics = await (await fetch(`${server.url}/metrics`)).text();
  const waiting = Number(/^shannon_dash_waiting_bytes (\d+)/m.exec(metrics)?.[1]);
  expect(waiting).toBeLessThan(limits.waitingBytes + 2 * 1024 * 1024);
}, 30_000);
