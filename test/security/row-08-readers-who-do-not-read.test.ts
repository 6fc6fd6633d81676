import { readFileSync, writeFileSync } from 'node:fs';
import { connect, type Socket } from 'node:net';
import { describe, expect, onTestFinished, test } from 'vitest';
import { connectRaw } from '../helpers/raw-websocket.ts';
import { startServerProcess, type ServerProcess } from '../helpers/server-process.ts';
import { connectQuiet, type SocketClient } from '../helpers/socket-client.ts';
import { http } from '../helpers/start-server.ts';
import { temporaryFolder } from '../helpers/temporary-folder.ts';

const mebibyte = 1024 * 1024;
/** About 150 MB, and what the garbage collector of a busy machine leaves for later. */
const mostGrowth = 200 * mebibyte;

function residentBytes({ pid }: ServerProcess, field: 'VmRSS' | 'VmHWM'): number {
  const status = readFileSync(`/proc/${pid}/status`, 'utf8');
  return Number(new RegExp(`^${field}:\\s+(\\d+) kB`, 'm').exec(status)?.[1]) * 1024;
}

/** Sends bytes on a connection of its own and never reads. */
async function sendWithoutReading(port: number, text: string): Promise<Socket> {
  const socket = connect(port, '127.0.0.1');
  onTestFinished(() => void socket.destroy());
  socket.on('error', () => undefined);
  await new Promise((resolve) => socket.once('connect', resolve));
  socket.pause();
  socket.write(text);
  return socket;
}

/** Does it, answers a publisher and a stranger meanwhile, and tells how far the server's memory grew at most. */
async function growth(server: ServerProcess, other: SocketClient, readers: () => Promise<{ end: () => void }>): Promise<number> {
  // What garbage there was before is not of these readers.
  const before = residentBytes(server, 'VmRSS');
  writeFileSync(`/proc/${server.pid}/clear_refs`, '5');
  const { end } = await readers();
  for (let n = 0; n < 20; n++) {
    expect(await other.publish('other', [{ type: 'test:step' }])).toMatchObject({ success: true });
    expect((await http('GET', `${server.url}/api/sessions/other`)).status).toBe(200);
  }
  const grown = residentBytes(server, 'VmHWM') - before;
  end();
  const waiting = async () => Number(/^shannon_dash_waiting_bytes (\d+)/m.exec(await (await fetch(`${server.url}/metrics`)).text())?.[1]);
  await expect.poll(waiting, { timeout: 20_000 }).toBe(0);
  return grown;
}

describe.runIf(process.platform === 'linux')(
  'row 8: readers who do not read cost the server at most 150 MB, and nobody else an answer',
  () => {
    test('histories, large states, streams from the start, pipelined requests', async () => {
      const server = await startServerProcess(`${await temporaryFolder()}/journal.sqlite`);
      const other = await connectQuiet(server.url);
      const text = 'x'.repeat(10_000);
      // 12 MB of history, and three states of 4 MB each.
      for (let n = 0; n < 12; n++)
        await other.publish(
          'long',
          Array.from({ length: 100 }, () => ({ type: 'test:step', data: { text } })),
        );
      // The state keeps of each check the last 20 lines, as far as 2,000 characters each.
      const lines = Array.from({ length: 20 }, () => ({
        type: 'validation:output',
        data: { check_name: 'c', line: text.slice(0, 1_990) },
      }));
      const check = (n: number) => lines.map(({ type, data }) => ({ type, data: { ...data, check_name: `c-${n}` } }));
      for (const session of ['fat-0', 'fat-1', 'fat-2'])
        for (let n = 0; n < 100; n += 10) await other.publish(session, Array.from({ length: 10 }, (_, at) => check(n + at)).flat());
      const size = JSON.stringify((await http('GET', `${server.url}/api/sessions/fat-0`)).body).length;
      const head = (path: string, accept: string) => `GET ${path} HTTP/1.1\r\nHost: 127.0.0.1:${server.port}\r\nAccept: ${accept}\r\n\r\n`;
      const history = head('/api/sessions/long/events?limit=10000', 'application/json');
      const several = (count: number, sent: string) => async () => {
        const sockets = await Promise.all(Array.from({ length: count }, () => sendWithoutReading(server.port, sent)));
        return { end: () => sockets.forEach((socket) => socket.destroy()) };
      };
      // What runs for the first time takes memory that stays.
      for (let n = 0; n < 10; n++) await (await fetch(`${server.url}/api/sessions/long/events?limit=10000`)).text();
      const sizes = {
        state: size,
        histories: await growth(server, other, several(100, history)),
        states: await growth(server, other, async () => {
          const raws = await Promise.all(Array.from({ length: 15 }, () => connectRaw(server.port)));
          for (const raw of raws) {
            raw.socket.pause();
            for (const session of ['fat-0', 'fat-1', 'fat-2']) raw.send(`42["subscribe",{"session_id":"${session}"}]`);
          }
          return { end: () => raws.forEach((raw) => raw.socket.destroy()) };
        }),
        streams: await growth(server, other, several(150, head('/api/sessions/long/events?after=0', 'text/event-stream'))),
        pipelined: await growth(server, other, several(1, history.repeat(300))),
      };
      expect(sizes.state).toBeGreaterThan(3 * mebibyte);
      expect(sizes.histories).toBeLessThan(mostGrowth);
      expect(sizes.states).toBeLessThan(mostGrowth);
      expect(sizes.streams).toBeLessThan(mostGrowth);
      expect(sizes.pipelined).toBeLessThan(mostGrowth);
    }, 120_000);
  },
);
