import { expect, test } from 'vitest';
import { connectRaw } from '../helpers/raw-websocket.ts';
import { startServer } from '../helpers/start-server.ts';

test('an answer and the event that carries it too come in one piece, as do the answers to a burst', async () => {
  const server = await startServer();
  const client = await connectRaw(server.port, { auth: { subscribe: false } });
  await client.next('42["connected"');
  let pieces = 0;
  client.socket.on('data', () => pieces++);
  client.send('421["ping",{}]');
  await client.next('42["pong"');
  expect(client.packets.some((packet) => packet.startsWith('431[{"timestamp"'))).toBe(true);
  expect(pieces).toBe(1);

  // Written at once, so that the server reads them at once and commits them together.
  client.socket.cork();
  for (let at = 0; at < 20; at++) client.send(`42${100 + at}["publish",{"session_id":"s","events":[{"type":"test:step","data":{}}]}]`);
  client.socket.uncork();
  await client.next('43119[{"success":true');
  expect(client.packets.filter((packet) => packet.startsWith('431') && packet.includes('"first_seq"'))).toHaveLength(20);
  expect(pieces).toBe(2);
});
