import { writeFileSync } from 'node:fs';
import { connect } from 'node:net';
import { join } from 'node:path';
import { expect, test } from 'vitest';
import { createToken } from '../../src/server/access/tokens/token-changes.ts';
import { freePort } from '../helpers/free-port.ts';
import { until } from './run-place.ts';
import { newPlace, runProgram, StartedProgram, type Place } from './started-program.ts';

/** A place whose URL nobody listens at. */
async function placeWithoutServer(): Promise<Place & { port: number; run: (...args: string[]) => ReturnType<typeof runProgram> }> {
  const port = await freePort();
  const place = newPlace({ SHANNON_DASH_URL: `http://127.0.0.1:${port}` });
  return { ...place, port, run: (...args) => runProgram(args, place) };
}

function isListening(port: number): Promise<boolean> {
  return new Promise((resolve) => {
    const socket = connect({ host: '127.0.0.1', port });
    const end = (answer: boolean) => {
      socket.destroy();
      resolve(answer);
    };
    socket.once('connect', () => end(true)).once('error', () => end(false));
  });
}

const untilNobodyListens = (port: number) => until('the server ends', async () => !(await isListening(port)));

test('what a run has left is read after its server has ended, and no server stays', async () => {
  const place = await placeWithoutServer();
  await place.run('run', '-s', 'old', '--', 'sh', '-c', 'echo out; exit 3');
  await untilNobodyListens(place.port);
  expect((await place.run('sessions')).stdout).toMatch(/^old +failed/m);
  await untilNobodyListens(place.port);
  expect(await place.run('watch', 'old', '--since', '0', '--until', 'done')).toMatchObject({
    code: 0,
    stdout: expect.stringMatching(/out +out[^]*failed: exit code 3/) as string,
  });
  expect((await place.run('commands')).stderr).toMatch(/nobody has sent old a command/);
  expect((await place.run('stats')).stdout).toMatch(/sessions 1 \(0 live\)/);
  const send = await place.run('send', 'HALT');
  expect(send).toMatchObject({
    code: 7,
    stderr: expect.stringMatching(/no session is live; the last one was old, which is failed/) as string,
  });
  await untilNobodyListens(place.port);
});

test('with a token what a run has left is read too, and one of another server is refused as that server would', async () => {
  const place = await placeWithoutServer();
  await place.run('run', '-s', 'old', '--', 'true');
  await untilNobodyListens(place.port);
  const [own, foreign] = [join(place.folder, 'own.token'), join(place.folder, 'foreign.token')];
  await place.run('token', 'create', 'me', '--role', 'admin', '--out', own);
  writeFileSync(foreign, `${createToken(join(place.folder, 'elsewhere.json'), { name: 'me', role: 'admin' }).text}\n`, { mode: 0o600 });
  expect(await place.run('sessions', '--token-file', own)).toMatchObject({
    code: 0,
    stdout: expect.stringMatching(/^old +completed/m) as string,
    stderr: '',
  });
  expect((await place.run('stop', '--token-file', own)).stderr).toContain('no session is live; the last one was old');
  expect((await place.run('logs', 'old', '--token-file', foreign)).stderr).toContain('this token is not valid here');
});

test('a watcher that came first sees the run that begins', async () => {
  const place = await placeWithoutServer();
  const watcher = new StartedProgram(['watch', 'next', '--wait', '--plain', '--since', '0', '--until', 'done'], place);
  await watcher.until(({ stderr }) => stderr.includes('waiting for next'));
  expect((await place.run('run', '-s', 'next', '--', 'echo', 'seen')).code).toBe(0);
  expect(await watcher.ended).toMatchObject({ code: 0, stdout: expect.stringMatching(/seen[^]*completed/) as string });
});

test('where another server has the journal, that one is asked', async () => {
  const place = await placeWithoutServer();
  const server = new StartedProgram(['serve', '--port', '0', '--json'], place);
  await server.until(({ stdout }) => stdout.includes('\n'));
  const { url } = JSON.parse(server.stdout) as { url: string };
  await place.run('emit', 'execution:started', '-s', 'elsewhere', '--url', url);
  const { stdout, stderr } = await place.run('sessions');
  expect(stdout).toMatch(/^elsewhere +running/m);
  expect(stderr).toContain(`the server at ${url} has the journal`);
});

test('serve takes over from the server that a run has started, which goes on and loses nothing', async () => {
  const place = await placeWithoutServer();
  const run = new StartedProgram(['run', '-s', 'on', '--', 'sh', '-c', 'echo first; read _; echo second'], place);
  await run.until(({ stdout }) => stdout.includes('first'));
  const watcher = new StartedProgram(['watch', 'on', '--json', '--since', '0', '--until', 'done'], place);
  await watcher.until(({ stdout }) => stdout.includes('first'));
  // One with another journal cannot follow on the one before.
  expect(await place.run('serve', '--journal', 'memory')).toMatchObject({
    code: 1,
    stderr: expect.stringContaining('run or watch has started that server: it ends 3 seconds after its last user') as string,
  });
  const server = new StartedProgram(['serve', '--json'], place);
  await server.until(({ stdout }) => stdout.includes('\n'));
  expect(server.stderr).toMatch(/takes over from the server that run started \(process \d+\)/);
  run.child.stdin?.end('\n');
  expect((await run.ended).code).toBe(0);
  const events = (await watcher.ended).stdout
    .trim()
    .split('\n')
    .map((line) => JSON.parse(line) as { seq: number; type: string });
  expect(events.map(({ seq }) => seq)).toEqual(events.map((_, index) => index + 1));
  expect(events.map(({ type }) => type)).toContain('execution:completed');
  expect((await place.run('sessions')).stdout).toMatch(/^on +completed/m);
  // It is one that stays: it has not taken over from itself.
  const second = await place.run('serve', '--json');
  expect(second).toMatchObject({ code: 1, stderr: expect.stringContaining('another server has it open') as string });
});
