import { once } from 'node:events';
import { request, type IncomingMessage } from 'node:http';
import { connect, type Socket } from 'node:net';
import { expect, onTestFinished, test } from 'vitest';
import { connectPolling } from '../helpers/polling-client.ts';
import { connectRaw } from '../helpers/raw-websocket.ts';
import { connectQuiet } from '../helpers/socket-client.ts';
import { http, startServer, type TestServer } from '../helpers/start-server.ts';

const mebibyte = 1024 * 1024;
const text = 'x'.repeat(10_000);
const batch = Array.from({ length: 20 }, () => ({ type: 'test:step', data: { text } }));

const cut = async (server: TestServer) => {
  const metrics = await (await fetch(`${server.url}/metrics`)).text();
  return Number(/^shannon_dash_slow_consumers_total (\d+)/m.exec(metrics)?.[1] ?? Number.NaN);
};

/** Publishes until the server has cut somebody; gives the bytes that were published until then. */
async function publishUntilCut(server: TestServer, mostBytes: number): Promise<number> {
  const producer = await connectQuiet(server.url);
  let bytes = 0;
  while ((await cut(server)) === 0 && bytes < mostBytes) {
    await producer.publish('s', batch);
    bytes += batch.length * text.length;
  }
  return bytes;
}

test('a Socket.IO client that stops reading is cut when more than 1 MiB waits; others are not held up', async () => {
  const server = await startServer();
  const fast = await connectQuiet(server.url);
  await fast.ask('subscribe', { session_id: 's' });
  const slow = await connectRaw(server.port);
  slow.send('42["subscribe",{"session_id":"s"}]');
  await slow.next('42["subscribed"');
  slow.socket.pause();
  // The kernel takes some megabytes for a reader that sleeps; all beyond that and 1 MiB must be the server's.
  const bytes = await publishUntilCut(server, 64 * mebibyte);
  expect(await cut(server)).toBe(1);
  const metrics = await (await fetch(`${server.url}/metrics`)).text();
  expect(metrics).toContain('shannon_dash_cuts_total{reason="backlog"} 1\n');
  expect(bytes).toBeLessThan(32 * mebibyte);
  await fast.untilEvents(bytes / text.length);
  expect(fast.disconnects).toEqual([]);
  const { body } = await http('GET', `${server.url}/health`);
  expect(body['connected_clients']).toBe(2);
  slow.socket.resume();
  await slow.until('the end of the connection', () => slow.isClosed);
  expect(slow.receivedBytes).toBeLessThan(bytes);
});

test('a cut client comes back with its cursor and misses nothing', async () => {
  const server = await startServer();
  const slow = await connectRaw(server.port);
  slow.send('42["subscribe",{"session_id":"s","batch":true}]');
  await slow.next('42["subscribed"');
  slow.socket.pause();
  const bytes = await publishUntilCut(server, 64 * mebibyte);
  slow.socket.resume();
  await slow.until('the end of the connection', () => slow.isClosed);
  const seen = slow.packets
    .filter((packet) => packet.startsWith('42["events"'))
    .flatMap((packet) => (JSON.parse(packet.slice(2)) as [string, { events: { seq: number }[] }])[1].events.map((event) => event.seq));
  const { epoch } = (await http<{ epoch: string }>('GET', `${server.url}/api/sessions/s`)).body;
  const back = await connectQuiet(server.url);
  await back.ask('subscribe', { session_id: 's', after: { epoch, seq: seen.at(-1) ?? 0 } });
  const total = bytes / text.length;
  await back.untilEvents(total - seen.length);
  expect([...seen, ...back.events().map((event) => event.seq)]).toEqual(Array.from({ length: total }, (_, index) => index + 1));
});

test('a polling client that stops polling is cut too', async () => {
  const server = await startServer();
  const { port } = server;
  const poll = async (method: 'GET' | 'POST', query: string, body?: string) => {
    const response = await fetch(`http://127.0.0.1:${port}/socket.io/?EIO=4&transport=polling${query}`, {
      method,
      ...(body === undefined ? {} : { body }),
    });
    return response.text();
  };
  const { sid } = JSON.parse((await poll('GET', '')).slice(1)) as { sid: string };
  await poll('POST', `&sid=${sid}`, '40{"subscribe":false}');
  await poll('POST', `&sid=${sid}`, '42["subscribe",{"session_id":"s"}]');
  const bytes = await publishUntilCut(server, 16 * mebibyte);
  expect(bytes).toBeLessThan(3 * mebibyte);
  expect(await cut(server)).toBe(1);
});

test('an SSE reader that stops reading is cut too', async () => {
  const server = await startServer();
  const reader = request(`${server.url}/api/sessions/s/events`, { headers: { accept: 'text/event-stream' } });
  onTestFinished(() => void reader.destroy());
  reader.on('error', () => undefined);
  const response = await new Promise<IncomingMessage>((resolve) => reader.on('response', resolve).end());
  response.pause();
  response.on('error', () => undefined);
  const bytes = await publishUntilCut(server, 64 * mebibyte);
  expect(await cut(server)).toBe(1);
  expect(bytes).toBeLessThan(32 * mebibyte);
  const closed = new Promise((resolve) => response.once('close', resolve));
  response.resume();
  await closed;
});

test.runIf(process.platform === 'linux')(
  'readers of each kind that take nothing are cut, also when all that is left waits in the kernel; one that reads slowly is not',
  async () => {
    const server = await startServer();
    const producer = await connectQuiet(server.url);
    const past = 2_400;
    for (let n = 0; n < past; n += batch.length) await producer.publish('s', batch);
    const ask = async (accept: string): Promise<Socket> => {
      const reader = connect(server.port, '127.0.0.1');
      onTestFinished(() => void reader.destroy());
      reader.on('error', () => undefined).pause();
      await once(reader, 'connect');
      reader.write(
        `GET /api/sessions/s/events?after=0&limit=10000 HTTP/1.1\r\nHost: 127.0.0.1:${server.port}\r\nAccept: ${accept}\r\n\r\n`,
      );
      return reader;
    };
    // So slow that Node does not see it within the time: the kernel does.
    const slow = await ask('application/x-ndjson');
    let text = '';
    const take = () => (text += ((slow.read() as Buffer | null) ?? '').toString());
    const reading = setInterval(take, 500);
    onTestFinished(() => clearInterval(reading));
    const stuck = [await ask('application/x-ndjson'), await ask('application/json'), await ask('text/event-stream')];
    const raw = await connectRaw(server.port);
    raw.socket.pause();
    const { epoch } = (await http<{ epoch: string }>('GET', `${server.url}/api/sessions/s`)).body;
    const subscribe = `42["subscribe",${JSON.stringify({ session_id: 's', after: { epoch, seq: 0 } })}]`;
    raw.send(subscribe);
    const polling = await connectPolling(server.url);
    await polling.post(subscribe);
    await expect.poll(() => cut(server), { timeout: 20_000 }).toBe(stuck.length + 2);
    stuck.push(await ask('application/json'));
    await expect.poll(() => cut(server), { timeout: 20_000 }).toBe(stuck.length + 2);
    clearInterval(reading);
    slow.on('data', (data) => (text += data.toString())).resume();
    const lines = () => text.split('"type":"test:step"').length - 1;
    await expect.poll(lines, { timeout: 20_000 }).toBe(past);
    expect(await cut(server)).toBe(stuck.length + 2);
  },
  60_000,
);

test('a slow but reading replay of much more than 1 MiB is not cut, and what is published meanwhile comes after it', async () => {
  const server = await startServer();
  const producer = await connectQuiet(server.url);
  const past = 1_200;
  for (let n = 0; n < past; n += batch.length) await producer.publish('s', batch);
  const { epoch } = (await http<{ epoch: string }>('GET', `${server.url}/api/sessions/s`)).body;
  const slow = await connectRaw(server.port);
  slow.socket.pause();
  slow.send(`42["subscribe",${JSON.stringify({ session_id: 's', after: { epoch, seq: 0 } })}]`);
  const seqs = () =>
    slow.packets
      .filter((packet) => packet.startsWith('42["test:'))
      .map((packet) => (JSON.parse(packet.slice(2)) as [string, { seq: number }])[1].seq);
  // At a crawl: it sleeps while something is published, then reads what has come.
  let total = past;
  for (let naps = 0; naps < 30; naps++) {
    await producer.publish('s', [{ type: 'test:late', data: {} }]);
    total++;
    slow.socket.resume();
    await http('GET', `${server.url}/health`);
    slow.socket.pause();
  }
  slow.socket.resume();
  await slow.until('all events', () => slow.packets.filter((packet) => packet.startsWith('42["test:')).length >= total);
  expect(seqs()).toEqual(Array.from({ length: total }, (_, index) => index + 1));
  expect(await cut(server)).toBe(0);
  expect(slow.isClosed).toBe(false);
});

test('a replay of events of 1 MB each reads no more of them than the watcher takes', async () => {
  const server = await startServer();
  const producer = await connectQuiet(server.url);
  const total = 25;
  for (let n = 0; n < total; n++) await producer.publish('s', [{ type: 'test:large', data: { n, text: 'x'.repeat(1_000_000) } }]);
  const { epoch } = (await http<{ epoch: string }>('GET', `${server.url}/api/sessions/s`)).body;
  const slow = await connectRaw(server.port);
  slow.socket.pause();
  const before = process.memoryUsage().arrayBuffers;
  slow.send(`42["subscribe",${JSON.stringify({ session_id: 's', after: { epoch, seq: 0 } })}]`);
  for (let n = 0; n < 20; n++) await http('GET', `${server.url}/health`);
  expect(process.memoryUsage().arrayBuffers - before).toBeLessThan(12 * mebibyte);
  slow.socket.resume();
  const events = () => slow.packets.filter((packet) => packet.startsWith('42["test:large"')).length;
  await slow.until('all events', () => events() === total);
  expect(await cut(server)).toBe(0);
});
