import { expect, test } from 'vitest';
import { MemoryJournal } from '../../src/journal/memory/memory-journal.ts';
import { connectRaw, type RawWebSocket } from '../helpers/raw-websocket.ts';
import { connectClient, connectQuiet, type SocketClient } from '../helpers/socket-client.ts';
import { http, startServer, type TestServer } from '../helpers/start-server.ts';

const cut = async (server: TestServer) => {
  const metrics = await (await fetch(`${server.url}/metrics`)).text();
  return Number(/^shannon_dash_slow_consumers_total (\d+)/m.exec(metrics)?.[1] ?? Number.NaN);
};

const numbers = (through: number, from = 1) => Array.from({ length: through - from + 1 }, (_, at) => from + at);

/** Makes a session whose state is 4 MB: the last lines of a hundred checks. */
async function fatten(producer: SocketClient, session: string): Promise<void> {
  const line = 'x'.repeat(1_990);
  const check = (n: number) => Array.from({ length: 20 }, () => ({ type: 'validation:output', data: { check_name: `c-${n}`, line } }));
  for (let n = 0; n < 100; n += 25) await producer.publish(session, numbers(n + 25, n + 1).flatMap(check));
}

test('one connection that asks for several histories at once gets them all, and is not cut', async () => {
  const server = await startServer();
  const producer = await connectQuiet(server.url);
  const sessions = ['a', 'b', 'c', 'd', 'e'];
  const batch = Array.from({ length: 1_000 }, () => ({ type: 'test:step', data: { text: 'x'.repeat(900) } }));
  for (const session of sessions) for (let n = 0; n < 2; n++) await producer.publish(session, batch);
  const watcher = await connectQuiet(server.url);
  const after = { epoch: '', seq: 0 };
  const asked = sessions.map((session_id, at) => watcher.ask('subscribe', { session_id, after, batch: at % 2 === 0 }));
  expect(await Promise.all(asked)).toEqual(sessions.map((session_id) => expect.objectContaining({ success: true, session_id })));
  await watcher.untilEvents(10_000, undefined, 30_000);
  for (const session of sessions) expect(watcher.events(session).map(({ seq }) => seq)).toEqual(numbers(2_000));
  expect(watcher.disconnects).toEqual([]);
  expect(await cut(server)).toBe(0);
});

test('a watcher of all sessions gets 36 MB of states at its pace, and then all that came meanwhile, once', async () => {
  const server = await startServer({ journal: new MemoryJournal() });
  const producer = await connectQuiet(server.url);
  const fat = numbers(9).map((n) => `fat-${n}`);
  for (const session of fat) await fatten(producer, session);
  const slow: RawWebSocket = await connectRaw(server.port);
  slow.socket.pause();
  slow.send('421["subscribe",{"batch":true}]');
  // It takes nothing: what happens now, it has to be told after the states that are on their way.
  for (let n = 0; n < 3; n++)
    for (const session of [...fat, 'new-1', 'new-2']) await producer.publish(session, [{ type: 'test:step', data: { n } }]);
  expect((await http('DELETE', `${server.url}/api/sessions/new-2`)).status).toBe(200);
  await producer.publish('new-2', [{ type: 'test:step', data: {} }]);
  slow.socket.resume();
  const messages = () =>
    slow.packets.filter((packet) => packet.startsWith('42["')).map((packet) => JSON.parse(packet.slice(2)) as [string, never]);
  await slow.until('the answer', () => slow.packets.some((packet) => packet.startsWith('431')), 30_000);
  await producer.publish('new-1', [{ type: 'test:last', data: {} }]);
  await slow.until('the last event', () => slow.packets.some((packet) => packet.includes('test:last')), 30_000);
  // As a watcher sees it: a state is where a session stands, and each event is the next one.
  const heads = new Map<string, number>();
  for (const [name, payload] of messages()) {
    const { session_id, events, session } = payload as {
      session_id: string;
      events: { seq: number }[];
      session: { session_id: string; seq: number };
    };
    if (name === 'session:state') heads.set(session.session_id, session.seq);
    if (name === 'session:created') heads.set(session_id, 0);
    if (name === 'session:deleted') heads.delete(session_id);
    for (const { seq } of name === 'events' ? events : []) {
      expect(seq).toBe((heads.get(session_id) ?? 0) + 1);
      heads.set(session_id, seq);
    }
  }
  expect(Object.fromEntries(heads)).toEqual({ ...Object.fromEntries(fat.map((session) => [session, 2_003])), 'new-1': 4, 'new-2': 1 });
  expect(slow.isClosed).toBe(false);
  expect(await cut(server)).toBe(0);
}, 60_000);

test('a plain client that was cut comes back by itself', async () => {
  const server = await startServer({ journal: new MemoryJournal() });
  const producer = await connectQuiet(server.url);
  const slow = await connectClient(server.url, { reconnection: true, reconnectionDelay: 10 });
  await slow.ask('subscribe', { session_id: 's' });
  const engine = slow.socket.io.engine as unknown as { transport: { ws: { _socket: { pause(): void; resume(): void } } } };
  // oxlint-disable-next-line no-underscore-dangle -- ws gives no other way to stop reading
  const tcp = engine.transport.ws._socket;
  tcp.pause();
  const batch = Array.from({ length: 20 }, () => ({ type: 'test:step', data: { text: 'x'.repeat(10_000) } }));
  while ((await cut(server)) === 0) await producer.publish('s', batch);
  tcp.resume();
  await slow.until('another greeting', () => slow.all('connected').length === 2);
  expect(slow.disconnects).toEqual(['transport close']);
});
