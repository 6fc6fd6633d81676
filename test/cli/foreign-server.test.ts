import { createServer } from 'node:http';
import type { AddressInfo } from 'node:net';
import { Server } from 'socket.io';
import { expect, onTestFinished, test } from 'vitest';
import { failureOf } from '../../src/cli/failure.ts';

import { request } from '../../src/cli/server-access/server-request.ts';
import type { Settings } from '../../src/cli/settings/settings.ts';
import { newPlace, runProgram } from './started-program.ts';

/** A server of somebody else: answers everything with this. */
async function foreignServer(answer: () => { status: number; body: string }): Promise<string> {
  const server = createServer((_, response) => {
    const { status, body } = answer();
    response.writeHead(status, { 'content-type': 'application/json' }).end(body);
  });
  onTestFinished(() => void server.close());
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
  return `http://127.0.0.1:${(server.address() as AddressInfo).port}`;
}

const commands = [
  'sessions',
  'stats',
  'commands -s s',
  'gate -s s',
  'send HALT -s s',
  'emit a:b -s s',
  'emit - -s s',
  'decide Go? --option yes -s s',
  'checkpoint -s s',
  'watch s --tail 3',
  'watch --plain',
  'ping -c 1',
];

test.each<[string, number, string, string[]]>([
  ['JSON', 200, '{}', commands],
  ['its own refusals', 404, '{"message":"no such page"}', ['sessions', 'watch --plain']],
])('every command says in one sentence that a server which answers %s is none of ours', async (_, status, body, asked) => {
  const url = await foreignServer(() => ({ status, body }));
  const place = newPlace();
  for (const command of asked) {
    const { code, stdout, stderr } = await runProgram([...command.split(' '), '--url', url], place, '{"type":"a:b"}\n');
    expect({ command, stderr }).toMatchObject({
      stderr: expect.stringMatching(/^error: (?:http:\S+ answers, but|cannot reach )[^\n]*\n(?: {2}[^\n]*\n)+$/) as string,
    });
    expect(stderr).not.toMatch(/undefined|Cannot read|unexpected|application\/json/);
    expect([stdout, code === 1 || code === 6]).toEqual(['', true]);
  }
});

test('a Socket.IO server of somebody else is told too', async () => {
  const server = createServer();
  const io = new Server(server);
  onTestFinished(() => void io.close());
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
  const url = `http://127.0.0.1:${(server.address() as AddressInfo).port}`;
  const { code, stderr } = await runProgram(['watch', '--plain', '--url', url, '--timeout', '1s'], newPlace());
  expect(stderr).toBe(
    `error: ${url} answers, but does not greet as shannon-dash does\n  see what listens there, or point at another server: --url URL   (SHANNON_DASH_URL)\n`,
  );
  expect(code).toBe(1);
});

test('what is no answer of ours is none, whatever it is', async () => {
  const answers: [status: number, body: string][] = [
    [200, 'hi'],
    [200, 'null'],
    [200, '[]'],
    [200, '{"sessions":null}'],
    [200, '{"sessions":[{}]}'],
    [200, '{"sessions":[{"session_id":1}]}'],
    [302, '{"sessions":[]}'.slice(1)],
    [400, '{"success":false,"error":{"x":1},"code":"INVALID"}'],
    [400, '{"success":false,"error":"x","code":{"constructor":1}}'],
    [500, '{"sessions":[]}'],
  ];
  let now = answers[0];
  const url = await foreignServer(() => ({ status: now?.[0] ?? 0, body: now?.[1] ?? '' }));
  const settings = { url, client: 'me', timeoutMs: undefined, token: undefined } as Settings;
  for (const answer of answers) {
    now = answer;
    const error = failureOf(await request(settings, 'sessions', {}).catch((thrown: unknown) => thrown));
    expect([answer, error.code, error.message]).toEqual([
      answer,
      'UNSUPPORTED',
      `${url} answers, but not as shannon-dash does (status ${answer[0]})`,
    ]);
    expect(error.hints.join()).toContain('--url URL');
  }
  now = [404, '{"success":false,"error":"Session not found: x","code":"NEW_CODE"}'];
  expect(failureOf(await request(settings, 'session', { path: { id: 'x' } }).catch((thrown: unknown) => thrown))).toMatchObject({
    code: 'NEW_CODE',
  });
});
