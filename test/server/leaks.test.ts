import { io } from 'socket.io-client';
import { setFlagsFromString } from 'node:v8';
import { runInNewContext } from 'node:vm';
import { expect, test } from 'vitest';
import { SocketClient } from '../helpers/socket-client.ts';
import { http, publish, startServer, type TestServer } from '../helpers/start-server.ts';

setFlagsFromString('--expose-gc');
const collect = runInNewContext('gc') as () => void;

const step = { type: 'test:step', data: {} };
const figures = async (server: TestServer) => {
  const { body } = await http<{ sessions: Record<string, number>; total_connections: number; orchestrators: number }>(
    'GET',
    `${server.url}/api/stats`,
  );
  return body;
};

async function heapAfterCollection(): Promise<number> {
  // Twice with a turn between, so that what finalizers let go is gone too.
  collect();
  await new Promise((resolve) => setImmediate(resolve));
  collect();
  return process.memoryUsage().heapUsed;
}

const resources = () => process.getActiveResourcesInfo().filter((each) => each !== 'Immediate' && each !== 'CloseReq').length;

/** Runs `cycle` often enough to warm up, then counts what `times` more of it leave behind. */
async function leftBy(server: TestServer, cycle: () => Promise<void>, times: number) {
  const isQuiet = () => expect.poll(async () => (await figures(server)).total_connections, { timeout: 10_000 }).toBe(0);
  for (let n = 0; n < 40; n++) await cycle();
  await isQuiet();
  const before = { heap: await heapAfterCollection(), resources: resources() };
  for (let n = 0; n < times; n++) await cycle();
  await isQuiet();
  return { heap: (await heapAfterCollection()) - before.heap, resources: resources() - before.resources };
}

test('2,000 clients that connect, subscribe, attach, command and leave are gone without a trace', async () => {
  const server = await startServer();
  await publish(server, 's', step);
  const eight = Array.from({ length: 8 }, (_, n) => n);
  const cycle = async () => {
    // Not remembered until the end of the test, unlike other clients of the tests.
    const clients = eight.map(() => new SocketClient(io(server.url, { forceNew: true, reconnection: false, transports: ['websocket'] })));
    await Promise.all(
      clients.map(async (client, index) => {
        await client.next('connected');
        await client.ask('subscribe', { session_id: 's' });
        await client.ask('subscribe', { session_id: `none-${index}`, after: { epoch: 'x', seq: 5 }, event_types: ['a:*'], batch: true });
        if (index === 0) await client.ask('orchestrator:attach', { session_id: 't', instance_id: 'i' });
        client.close();
      }),
    );
  };
  const left = await leftBy(server, cycle, 2_000 / eight.length);
  const after = await figures(server);
  expect(after).toMatchObject({ sessions: { s: 0, t: 0 }, total_connections: 0, orchestrators: 0 });
  await publish(server, 's', step);
  expect(left.heap / 2_000).toBeLessThan(1_000);
  expect(left.resources).toBeLessThan(10);
}, 180_000);

test('500 streams that are opened and left leave nothing', async () => {
  const server = await startServer();
  await publish(server, 's', step);
  const cycle = async () => {
    await Promise.all(
      [1, 2, 3, 4, 5].map(async () => {
        const abort = new AbortController();
        const response = await fetch(`${server.url}/api/sessions/s/events`, {
          headers: { accept: 'text/event-stream' },
          signal: abort.signal,
        });
        await response.body?.getReader().read();
        abort.abort();
      }),
    );
  };
  const left = await leftBy(server, cycle, 100);
  await expect.poll(async () => (await figures(server)).sessions['s'], { timeout: 10_000 }).toBe(0);
  expect(left.heap / 500).toBeLessThan(2_000);
  expect(left.resources).toBeLessThan(10);
}, 180_000);
