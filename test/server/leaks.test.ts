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

/**
 * Runs `cycle` often enough to warm up, then counts what a round of `times` more of it leaves behind, in bytes of heap and in open
 * resources: the mean of several rounds, until it is less than `enough` bytes. What leaks is left by every round, while caches and
 * compiled code grow in the first ones only.
 */
async function leftByRound(server: TestServer, { cycle, times, enough }: { cycle: () => Promise<void>; times: number; enough: number }) {
  const isQuiet = () => expect.poll(async () => (await figures(server)).total_connections, { timeout: 10_000 }).toBe(0);
  const runs = async (count: number) => {
    for (let n = 0; n < count; n++) await cycle();
    await isQuiet();
    return { heap: await heapAfterCollection(), resources: resources() };
  };
  const before = await runs(40);
  for (let rounds = 1; ; rounds++) {
    const after = await runs(times);
    const left = { heap: (after.heap - before.heap) / rounds, resources: after.resources - before.resources };
    if (left.heap < enough || rounds === 8) return left;
  }
}

test('clients that connect, subscribe, attach, command and leave are gone without a trace', async () => {
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
  const enough = 1_000 * 125 * eight.length;
  const left = await leftByRound(server, { cycle, times: 125, enough });
  const after = await figures(server);
  expect(after).toMatchObject({ sessions: { s: 0, t: 0 }, total_connections: 0, orchestrators: 0 });
  await publish(server, 's', step);
  expect(left.heap).toBeLessThan(enough);
  expect(left.resources).toBeLessThan(10);
}, 180_000);

test('streams that are opened and left leave nothing', async () => {
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
  const enough = 2_000 * 100 * 5;
  const left = await leftByRound(server, { cycle, times: 100, enough });
  await expect.poll(async () => (await figures(server)).sessions['s'], { timeout: 10_000 }).toBe(0);
  expect(left.heap).toBeLessThan(enough);
  expect(left.resources).toBeLessThan(10);
}, 180_000);
