import { pino, type Level } from 'pino';
import { expect, onTestFinished, test } from 'vitest';
import { openConnection } from '../../src/client/connection/connection.ts';
import { limits } from '../../src/core/protocol/limits.ts';
import { connectRaw } from '../helpers/raw-websocket.ts';
import { http, publish, startServer } from '../helpers/start-server.ts';

interface Line {
  level: number;
  msg: string;
  [field: string]: unknown;
}

function newLog(level: Level) {
  const lines: Line[] = [];
  return { lines, log: pino({ level }, { write: (line) => void lines.push(JSON.parse(line) as Line) }) };
}

test('a message above the limit is one line in the log that names the limit, and its sender learns why it was cut', async () => {
  const { lines, log } = newLog('warn');
  const server = await startServer({ log });
  const connection = openConnection({ url: server.url, client: 'big' });
  onTestFinished(() => connection.close());
  await connection.whenLive();
  const errors: string[] = [];
  connection.onState(({ error }) => void (error !== null && errors.push(error)));
  await expect(connection.request('cli_event', { event_type: 'a:b', session_id: 's', data: { text: 'x'.repeat(5e6) } })).rejects.toThrow();
  expect(errors[0]).toMatch(/larger than the server takes \(4194304 bytes\); send less/);
  expect(lines).toMatchObject([
    { msg: expect.stringContaining(String(limits.requestBytes)), client: 'big', limitBytes: limits.requestBytes },
  ]);
  await connection.whenLive();
});

test('at debug level it tells of requests, refusals, clients, subscriptions, commands and reasons, and of no secret', async () => {
  const { lines, log } = newLog('debug');
  const server = await startServer({ log });
  await publish(server, 's', [
    {
      type: 'decision:point',
      data: {
        decision_id: 'd',
        question: '?',
        options: [
          { id: 'a', label: 'a' },
          { id: 'b', label: 'b' },
        ],
      },
    },
  ]);
  const decision = await http<{ answer_path: string }>('GET', `${server.url}/api/sessions/s/decisions/d`);
  await http('POST', `${server.url}${decision.body.answer_path}?token=secret`, { choice: 'a' });
  await http('GET', `${server.url}/health`, undefined, { origin: 'http://evil.example' });
  const raw = await connectRaw(server.port, { auth: { client: 'ana', subscribe: false } });
  raw.send('421["subscribe",{"session_id":"s"}]');
  await raw.next('431[');
  raw.send('422["command",{"type":"HALT","session_id":"s"}]');
  await raw.next('432[');
  raw.socket.destroy();
  const seen = () => lines.map(({ msg }) => msg);
  await expect.poll(seen).toContain('disconnected');
  expect(lines).toEqual(
    expect.arrayContaining([
      expect.objectContaining({ msg: 'request', method: 'POST', path: '/api/sessions/s/events', status: 200 }),
      expect.objectContaining({ msg: 'request', path: '/api/sessions/s/decisions/d/answer/...' }),
      expect.objectContaining({ rule: 'origin', level: 40 }),
      expect.objectContaining({ msg: 'connected', client: 'ana', transport: 'websocket' }),
      expect.objectContaining({ msg: 'subscribed', client: 'ana', session: 's' }),
      expect.objectContaining({ msg: 'command', client: 'ana', session: 's', command: 'HALT' }),
      expect.objectContaining({ msg: 'disconnected', client: 'ana', reason: 'transport close' }),
    ]),
  );
  const text = JSON.stringify(lines);
  expect(text).not.toContain(decision.body.answer_path);
  expect(text).not.toContain('secret');
});
