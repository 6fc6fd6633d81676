import { Socket as TcpSocket } from 'node:net';
import { afterEach, expect, test, vi } from 'vitest';
import { connectRaw } from '../helpers/raw-websocket.ts';
import { startServer } from '../helpers/start-server.ts';

afterEach(() => void vi.restoreAllMocks());

test('an answer and the event that carries it too are written in one piece, and so is what waits behind the first answer to a burst', async () => {
  const server = await startServer();
  const client = await connectRaw(server.port, { auth: { subscribe: false } });
  await client.next('42["connected"');
  const spies = [vi.spyOn(TcpSocket.prototype, '_write'), vi.spyOn(TcpSocket.prototype, '_writev' as '_write')];
  /** Writes of the server, which runs in this process too. */
  const writes = () =>
    spies.flatMap(({ mock }) => mock.contexts).filter((socket) => (socket as TcpSocket).localPort === server.port).length;
  client.send('421["ping",{}]');
  await client.next('42["pong"');
  expect(client.packets.some((packet) => packet.startsWith('431[{"timestamp"'))).toBe(true);
  expect(writes()).toBe(1);

  // Written at once, so that the server reads them at once and commits them together.
  client.socket.cork();
  for (let at = 0; at < 20; at++) client.send(`42${100 + at}["publish",{"session_id":"s","events":[{"type":"test:step","data":{}}]}]`);
  client.socket.uncork();
  await client.next('43119[{"success":true');
  expect(client.packets.filter((packet) => packet.startsWith('431') && packet.includes('"first_seq"'))).toHaveLength(20);
  expect(writes()).toBe(3);
});
