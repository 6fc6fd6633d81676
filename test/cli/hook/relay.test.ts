import { once } from 'node:events';
import { existsSync, readdirSync, readFileSync } from 'node:fs';
import { connect, createServer, type AddressInfo, type Server } from 'node:net';
import { join } from 'node:path';
import { expect, onTestFinished, test } from 'vitest';
import { mostRunning } from '../../../src/cli/hook-relay/running-hooks.ts';
import { limits } from '../../../src/core/protocol/limits.ts';
import { freePort } from '../../helpers/free-port.ts';
import { http } from '../../helpers/start-server.ts';
import { until } from '../run-place.ts';
import { newPlace, runProgram, serveForAll, StartedProgram, type Place } from '../started-program.ts';

const begun = { session_id: 'one', hook_event_name: 'SessionStart', source: 'startup', cwd: '/' };
const notHeard = (how: string, why: string) =>
  expect.stringMatching(new RegExp(`^shannon-dash: claude-code was not heard \\(${how}\\): ${why}.*\\n$`)) as string;
const goesOn = 'it goes on without';
const served = serveForAll('--journal', 'memory');

test('passes what the agent says to the server, and its answer to the agent', async () => {
  const { url, env, ...place } = served();
  const answered = await runProgram(['hook', 'claude-code'], { ...place, env }, JSON.stringify(begun));
  expect(answered).toEqual({ code: 0, signal: null, stdout: '{}\n', stderr: '' });
  expect((await http('GET', `${url}/api/sessions/claude-code-one`)).status).toBe(200);
  // By a flag, as install writes it, where the environment says nothing.
  const { SHANNON_DASH_URL: _, ...without } = env;
  const second = await runProgram(
    ['hook', 'claude-code', '--url', url, '--timeout', '25s'],
    { ...place, env: without },
    JSON.stringify({ ...begun, session_id: 'two' }),
  );
  expect(second).toMatchObject({ code: 0, stdout: '{}\n', stderr: '' });
  expect((await http('GET', `${url}/api/sessions/claude-code-two`)).status).toBe(200);
});

test('inside a run its events go to the session of the run, at its server', async () => {
  const { url, env, ...place } = served();
  const { SHANNON_DASH_URL: _, ...without } = env;
  const script = `echo '${JSON.stringify({ ...begun, source: 'user', hook_event_name: 'UserPromptSubmit', prompt: 'work' })}' | "$0" "$@"`;
  const relay = [
    process.execPath,
    join(import.meta.dirname, '../../../bin/shannon-dash.js'),
    'hook',
    'claude-code',
    '--url',
    'http://127.0.0.1:1',
  ];
  const { code, stderr } = await runProgram(['run', '--url', url, '-s', 'mine', '-q', '--', 'sh', '-c', script, ...relay], {
    ...place,
    env: without,
  });
  expect({ code, stderr }).toEqual({ code: 0, stderr: '' });
  const { events } = (await http('GET', `${url}/api/sessions/mine/events`)).body as { events: { type: string; data: unknown }[] };
  expect(JSON.stringify(events)).toContain('"work"');
});

test('where no server answers the agent goes on, and one line says why; with --strict it is refused', async () => {
  const place = newPlace({ SHANNON_DASH_URL: `http://127.0.0.1:${await freePort()}` });
  const input = JSON.stringify(begun);
  expect(await runProgram(['hook', 'claude-code'], place, input)).toMatchObject({
    code: 0,
    stdout: '',
    stderr: notHeard(goesOn, 'http://.* does not answer'),
  });
  expect(await runProgram(['hook', 'claude-code', '--strict'], place, input)).toMatchObject({
    code: 2,
    stdout: '',
    stderr: notHeard('refused, since the hook is strict', 'http://.* does not answer'),
  });
  // Flags of another version are no reason to fail.
  expect(await runProgram(['hook', 'claude-code', '--new', '--more=1', 'word'], place, input)).toMatchObject({
    code: 0,
    stderr: notHeard(goesOn, ''),
  });
  const misled = { ...place, env: { ...place.env, SHANNON_DASH_URL: 'gopher://x' } };
  expect(await runProgram(['hook', 'claude-code'], misled, input)).toMatchObject({ code: 0, stderr: notHeard(goesOn, '') });
});

test('a refusal of the server, an answer that is none, and an input that is too long let the agent go on', async () => {
  const { url, env, ...place } = served();
  const relay = (input: string, agent = 'claude-code') => runProgram(['hook', agent], { ...place, env }, input);
  expect(await relay('{}')).toMatchObject({ code: 0, stdout: '', stderr: notHeard(goesOn, `${url} answers with status 400: session_id`) });
  expect(await relay('no json')).toMatchObject({ code: 0, stdout: '', stderr: notHeard(goesOn, `${url} answers with status 400`) });
  const long = JSON.stringify({ ...begun, prompt: 'x'.repeat(limits.requestBytes) });
  expect(await relay(long)).toMatchObject({ code: 0, stdout: '', stderr: notHeard(goesOn, 'stdin is longer than') });
  const other = await listening((socket) => void socket.once('data', () => socket.end('HTTP/1.1 200 OK\r\ncontent-length: 4\r\n\r\nwhat')));
  const elsewhere = { ...place, env: { ...env, SHANNON_DASH_URL: other } };
  expect(await runProgram(['hook', 'claude-code'], elsewhere, '{}')).toMatchObject({
    code: 0,
    stdout: '',
    stderr: notHeard(goesOn, `${other} answers with status 200`),
  });
});

test('--start starts one server where none answers, which ends after the last session of an agent', async () => {
  const url = `http://127.0.0.1:${await freePort()}`;
  const place = newPlace({ SHANNON_DASH_URL: url });
  // The test's own process is the agent.
  const relays = await Promise.all(
    ['one', 'two', 'three'].map((id) =>
      runProgram(['hook', 'claude-code', '--start'], place, JSON.stringify({ ...begun, session_id: id })),
    ),
  );
  for (const end of relays) expect(end).toMatchObject({ code: 0, stdout: '{}\n', stderr: '' });
  const { sessions } = (await http('GET', `${url}/api/sessions`)).body as { sessions: { session_id: string }[] };
  expect(sessions.map(({ session_id }) => session_id).toSorted()).toEqual(['claude-code-one', 'claude-code-three', 'claude-code-two']);
  for (const id of ['one', 'two', 'three']) {
    await runProgram(
      ['hook', 'claude-code'],
      place,
      JSON.stringify({ ...begun, session_id: id, hook_event_name: 'SessionEnd', reason: 'other' }),
    );
  }
  // A request would be a use.
  await until('the server has ended', () => isRefused(url));
});

test('fault 20, a process for each call: of those that wait for a server that hangs only so many wait, the others go on at once', async () => {
  const held: (() => void)[] = [];
  const url = await listening((socket) => void held.push(() => socket.destroy()));
  const place = newPlace({ SHANNON_DASH_URL: url });
  const start = () => {
    const relay = new StartedProgram(['hook', 'claude-code', '--timeout', '10m'], place);
    relay.child.stdin?.end('{}');
    return relay;
  };
  const waiting: StartedProgram[] = [];
  while (waiting.length < mostRunning) {
    const some = Array.from({ length: 4 }, start);
    waiting.push(...some);
    await until('they wait', () => Promise.resolve(held.length === waiting.length));
  }
  expect(await start().ended).toMatchObject({
    code: 0,
    stdout: '',
    stderr: notHeard(goesOn, `${mostRunning} hooks wait for an answer already`),
  });
  expect(held.length).toBe(mostRunning);
  // One that is killed leaves its mark behind, and makes room all the same.
  waiting[0]?.child.kill('SIGKILL');
  await waiting[0]?.ended;
  const next = start();
  await until('it waits', () => Promise.resolve(held.length === mostRunning + 1));
  for (const end of held) end();
  for (const each of [...waiting.slice(1), next])
    expect(await each.ended).toMatchObject({ code: 0, stderr: notHeard(goesOn, `${url} does not answer`) });
  expect(readdirSync(join(String(place.env['XDG_STATE_HOME']), 'shannon-dash/running-hooks'))).toEqual([]);
});

test('fault 17, a time-out of the agent that comes first: the relay gives up before', async () => {
  const url = await listening(() => undefined);
  const place = newPlace({ SHANNON_DASH_URL: url });
  expect(await runProgram(['hook', 'claude-code', '--timeout', '1s', '--strict'], place, '{}')).toMatchObject({
    code: 2,
    stderr: notHeard('refused, since the hook is strict', 'http://.* does not answer: it was asked, and has not answered in time'),
  });
  const open = new StartedProgram(['hook', 'claude-code', '--timeout', '1s'], place);
  expect(await open.ended).toMatchObject({ code: 0, stderr: notHeard(goesOn, 'stdin does not end') });
});

test('the token of the environment goes along, and the session that the environment names', async () => {
  let heard = '';
  const url = await listening(
    (socket) =>
      void socket.on('data', (text) => {
        heard += String(text);
        if (heard.endsWith('{}')) socket.end('HTTP/1.1 200 OK\r\ncontent-length: 2\r\n\r\n{}');
      }),
  );
  const place: Place = newPlace({ SHANNON_DASH_URL: url, SHANNON_DASH_TOKEN: 'sd_secret', SHANNON_DASH_SESSION: 'mine' });
  expect(await runProgram(['hook', 'codex', '--checkpoints', 'git'], place, '{}')).toMatchObject({ code: 0, stdout: '{}\n', stderr: '' });
  expect(heard).toMatch(/^POST \/api\/hooks\/codex HTTP/);
  const headers = new Map([...heard.matchAll(/^([\w-]+): (.*)\r$/gm)].map(([, name = '', value]) => [name.toLowerCase(), value]));
  expect(Object.fromEntries(headers)).toMatchObject({
    authorization: 'Bearer sd_secret',
    'x-shannon-dash-session': 'mine',
    'x-shannon-dash-agent-pid': String(process.pid),
    'x-shannon-dash-checkpoints': 'git',
  });
});

test.runIf(existsSync('/proc/self/stat'))('the agent is the program above the shell that it starts the hook by', async () => {
  let heard = '';
  const url = await listening(
    (socket) =>
      void socket.on('data', (text) => {
        heard += String(text);
        if (heard.endsWith('{}')) socket.end('HTTP/1.1 200 OK\r\ncontent-length: 2\r\n\r\n{}');
      }),
  );
  const place = newPlace({ SHANNON_DASH_URL: url });
  const relay = [process.execPath, join(import.meta.dirname, '../../../bin/shannon-dash.js'), 'hook', 'codex'];
  // The second command keeps the shell from becoming the first.
  const script = `const child = require('node:child_process').spawnSync('sh', ['-c', '"$0" "$@"; true', ...${JSON.stringify(relay)}], { input: '{}' });
    console.log(process.pid, child.status);`;
  const agent = new StartedProgram([], { ...place, oneFile: process.execPath });
  agent.child.stdin?.end(script);
  const { stdout } = await agent.ended;
  const [, pid, status] = /^(\d+) (\d+)\n$/.exec(stdout) ?? [];
  expect(status).toBe('0');
  expect(heard).toContain(`x-shannon-dash-agent-pid: ${pid}\r\n`);
});

test('it loads no schemas and none of the commands', () => {
  const files = readdirSync(join(import.meta.dirname, '../../../dist/program'));
  const relay = files.find((name) => name.startsWith('relay-')) ?? '';
  const reached = new Set([relay]);
  for (const file of reached) {
    const text = readFileSync(join(import.meta.dirname, '../../../dist/program', file), 'utf8');
    for (const [, next = ''] of text.matchAll(/(?:from|^import) ?"\.\/([^"]+)"/gm)) reached.add(next);
  }
  const sizes = [...reached].map((file) => readFileSync(join(import.meta.dirname, '../../../dist/program', file)).length);
  expect(sizes.reduce((sum, size) => sum + size)).toBeLessThan(64 * 1024);
});

async function listening(onConnection: Parameters<typeof createServer>[1]): Promise<string> {
  const server: Server = createServer(onConnection);
  server.listen(0, '127.0.0.1');
  await once(server, 'listening');
  onTestFinished(() => void server.close());
  return `http://127.0.0.1:${(server.address() as AddressInfo).port}`;
}

function isRefused(url: string): Promise<boolean> {
  return new Promise((resolve) => {
    const socket = connect(Number(new URL(url).port), '127.0.0.1', () => resolve(false)).once('error', () => resolve(true));
    socket.once('connect', () => socket.destroy());
  });
}
