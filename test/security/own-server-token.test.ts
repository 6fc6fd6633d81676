import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { chmodSync, chownSync, existsSync, mkdirSync, readFileSync, readdirSync, statSync, symlinkSync, writeFileSync } from 'node:fs';
import { createServer, request } from 'node:http';
import type { AddressInfo } from 'node:net';
import { join } from 'node:path';
import { expect, onTestFinished, test, vi } from 'vitest';
import { ownServersFolder, ownServerToken } from '../../src/client/connection/own-server.ts';
import { connectWatcher } from '../../src/index.ts';
import { userFolders } from '../../src/cli/settings/user-folders.ts';
import { newPlace, runProgram, serve, StartedProgram } from '../cli/started-program.ts';

/** Makes this process look where the programs of a place look. */
function lookIn(folder: string): string {
  vi.stubEnv('XDG_STATE_HOME', join(folder, 'state'));
  onTestFinished(() => void vi.unstubAllEnvs());
  return join(folder, 'state/shannon-dash/servers');
}

function fileOf(port: number, fields: object = {}): string {
  const token = `sd_AAAAAAAA_${'a'.repeat(49)}`;
  return JSON.stringify({ url: `http://127.0.0.1:${port}`, pid: process.pid, token, key: 'k', ...fields });
}

/** Listens, and keeps the headers of all requests. */
async function listener(answer: (url: string) => Promise<string>): Promise<{ port: number; heard: string[] }> {
  const heard: string[] = [];
  const server = createServer((asked, response) => {
    heard.push(JSON.stringify([asked.url, asked.headers]));
    void answer(asked.url ?? '').then((text) => response.end(text));
  });
  server.listen(0, '127.0.0.1');
  onTestFinished(() => void server.close());
  await once(server, 'listening');
  return { port: (server.address() as AddressInfo).port, heard };
}

test('the programs of the same user find the token of a server that asks everybody, and the file goes with the server', async () => {
  const place = await serve('--auth');
  const servers = join(place.folder, 'state/shannon-dash/servers');
  expect(statSync(servers).mode & 0o777).toBe(0o700);
  const [name = ''] = readdirSync(servers);
  expect(statSync(join(servers, name)).mode & 0o777).toBe(0o600);
  expect((await fetch(`${place.url}/api/sessions`)).status).toBe(401);

  const ran = await place.run(
    'run',
    '-s',
    'r',
    '--',
    'sh',
    '-c',
    `"${process.execPath}" "$0" emit test:step`,
    join(import.meta.dirname, '../../bin/shannon-dash.js'),
  );
  expect(ran).toMatchObject({ code: 0 });
  const { sessions } = JSON.parse((await place.run('sessions', '--json')).stdout) as { sessions: { session_id: string; status: string }[] };
  expect(sessions).toMatchObject([{ session_id: 'r', status: 'completed' }]);
  const patient = { ...place, env: { ...place.env, SHANNON_DASH_URL: place.url, SHANNON_DASH_COMPLETION_TIMEOUT: '30s' } };
  expect((await runProgram(['complete', '--', 'watch', ''], patient)).stdout).toMatch(/^r\t/);
  // A given token counts, also one that is not valid.
  const given = await runProgram(['sessions'], { ...place, env: { ...place.env, SHANNON_DASH_TOKEN: 'sd_wrong' } });
  expect(given).toMatchObject({ code: 4, stdout: '' });
  // Who looks in another folder, as another user, finds none.
  expect(await runProgram(['sessions'], { ...newPlace(), env: { ...newPlace().env, SHANNON_DASH_URL: place.url } })).toMatchObject({
    code: 4,
  });

  place.server.child.kill('SIGTERM');
  await place.server.ended;
  expect(readdirSync(servers)).toEqual([]);
});

test('a program that watches comes back to a server that was killed and started again, whose token is another one', async () => {
  const place = await serve('--auth');
  lookIn(place.folder);
  const port = new URL(place.url).port;
  await place.run('run', '-s', 'r', '--', 'true');
  const watcher = await connectWatcher({ url: place.url, session: 'r' });
  onTestFinished(() => watcher.close());
  const file = join(place.folder, 'state/shannon-dash/servers', `${port}.json`);
  const before = readFileSync(file, 'utf8');
  place.server.child.kill('SIGKILL');
  await place.server.ended;
  await expect.poll(() => watcher.connection.status).toBe('reconnecting');
  expect(readFileSync(file, 'utf8')).toBe(before);
  const again = new StartedProgram(['serve', '--auth', '--port', port, '--json'], place);
  await again.until(({ stdout }) => stdout.includes('ready'));
  expect(readFileSync(file, 'utf8')).not.toBe(before);
  await expect.poll(() => watcher.connection.status, { timeout: 15_000 }).toBe('live');
  expect(watcher.state?.session_id).toBe('r');

  // One that asks nobody takes away what is left.
  again.child.kill('SIGKILL');
  await again.ended;
  const open = new StartedProgram(['serve', '--port', port, '--json'], place);
  await open.until(({ stdout }) => stdout.includes('ready'));
  expect(existsSync(file)).toBe(false);
});

test.skipIf(process.getuid?.() !== 0 || !existsSync('/proc/net/tcp'))('another user who has taken the port is sent no token', async () => {
  const place = newPlace();
  lookIn(place.folder);
  const script = `const server = require('node:http').createServer((asked, answer) => { console.log(JSON.stringify([asked.url, asked.headers])); answer.end('{}'); });
    server.listen(0, '127.0.0.1', () => console.log(server.address().port));`;
  const squatter = spawn(process.execPath, ['-e', script], { uid: 65_534, gid: 65_534, cwd: '/', env: {} });
  onTestFinished(() => void squatter.kill('SIGKILL'));
  let heard = '';
  squatter.stdout.setEncoding('utf8').on('data', (text: string) => (heard += text));
  await expect.poll(() => heard).toContain('\n');
  const port = Number(heard);
  heard = '';
  mkdirSync(join(place.folder, 'state/shannon-dash/servers'), { recursive: true });
  writeFileSync(join(place.folder, 'state/shannon-dash/servers', `${port}.json`), fileOf(port), { mode: 0o600 });
  const url = `http://127.0.0.1:${port}`;
  expect(await ownServerToken(url)).toBeUndefined();
  await runProgram(['sessions', '--url', url], place);
  await runProgram(['watch', 'x', '--plain', '--url', url, '--timeout', '1s'], place);
  expect(heard).toContain('/api/sessions');
  expect(heard).not.toContain('sd_AAAAAAAA');
});

test('where the kernel does not tell, a server proves by the key of the file that it is the one', async () => {
  const none = [join('/proc', 'none')];
  const place = await serve('--auth');
  const servers = lookIn(place.folder);
  const token = await ownServerToken(place.url, none);
  expect(token).toMatch(/^sd_/);
  // Another listener passes the challenge on to the server, and has the right proof; the file does not name its address.
  const relay = await listener(async (path) => (await fetch(`${place.url}${path}`)).text());
  const real = JSON.parse(readFileSync(join(servers, `${new URL(place.url).port}.json`), 'utf8')) as object;
  writeFileSync(join(servers, `${relay.port}.json`), JSON.stringify(real), { mode: 0o600 });
  expect(await ownServerToken(`http://127.0.0.1:${relay.port}`, none)).toBeUndefined();
  // One that stands where the server stood does not have the key.
  for (const answer of ['{"status":"healthy","proof":"AAAA"}', '{}', 'no', '']) {
    const squatter = await listener(async () => answer);
    writeFileSync(join(servers, `${squatter.port}.json`), fileOf(squatter.port), { mode: 0o600 });
    expect(await ownServerToken(`http://127.0.0.1:${squatter.port}`, none)).toBeUndefined();
    expect(squatter.heard).toEqual([expect.stringContaining('/health?challenge=')]);
    expect(squatter.heard[0]).not.toContain('sd_AAAAAAAA');
  }
});

test('a file counts only if it is regular, of this user, and readable by nobody else', async () => {
  const servers = lookIn(newPlace().folder);
  mkdirSync(servers, { recursive: true });
  const { port } = await listener(async () => '{}');
  const url = `http://127.0.0.1:${port}`;
  const path = join(servers, `${port}.json`);
  writeFileSync(path, fileOf(port), { mode: 0o600 });
  expect(await ownServerToken(url)).toMatch(/^sd_/);
  expect(await ownServerToken(`http://localhost:${port}`)).toMatch(/^sd_/);
  for (const elsewhere of [`https://127.0.0.1:${port}`, `http://127.evil.example:${port}`, `http://192.0.2.1:${port}`, 'nonsense'])
    expect(await ownServerToken(elsewhere)).toBeUndefined();
  chmodSync(path, 0o640);
  expect(await ownServerToken(url)).toBeUndefined();
  chmodSync(path, 0o600);
  for (const content of [
    '{',
    '[]',
    'null',
    fileOf(port, { token: 'a\r\nb' }),
    fileOf(port, { pid: 2 ** 22 + 1 }),
    fileOf(port, { key: 'x'.repeat(5_000) }),
  ]) {
    writeFileSync(path, content);
    expect(await ownServerToken(url)).toBeUndefined();
  }
  writeFileSync(path, fileOf(port));
  expect(await ownServerToken(url)).toMatch(/^sd_/);
  if (process.getuid?.() === 0) {
    chownSync(path, 65_534, 65_534);
    expect(await ownServerToken(url)).toBeUndefined();
  }
  const other = await listener(async () => '{}');
  const target = join(servers, 'target');
  writeFileSync(target, fileOf(other.port), { mode: 0o600 });
  symlinkSync(target, join(servers, `${other.port}.json`));
  expect(await ownServerToken(`http://127.0.0.1:${other.port}`)).toBeUndefined();
});

test('client and command line mean the same folder', () => {
  for (const state of ['/tmp/somewhere', '']) {
    vi.stubEnv('XDG_STATE_HOME', state);
    expect(ownServersFolder()).toBe(join(userFolders().state, 'servers'));
  }
  vi.unstubAllEnvs();
});

test('the token of the file is an admin of its own name, and is in no log, journal or argument', async () => {
  const place = await serve('--auth', '--log-level', 'debug');
  lookIn(place.folder);
  const token = (await ownServerToken(place.url)) ?? '';
  await place.run('run', '-s', 'r', '--', 'true');
  const status = await new Promise((resolve) => {
    request(`${place.url}/metrics`, { headers: { authorization: `Bearer ${token}` } }, (answer) =>
      resolve(answer.resume().statusCode),
    ).end();
  });
  expect(status).toBe(200);
  place.server.child.kill('SIGTERM');
  const { stdout, stderr } = await place.server.ended;
  expect(stderr).toContain('/metrics');
  const kept = readdirSync(join(place.folder, 'state/shannon-dash'), { withFileTypes: true }).filter((each) => each.isFile());
  const texts = kept.map(({ name }) => readFileSync(join(place.folder, 'state/shannon-dash', name), 'latin1'));
  expect(texts.length).toBeGreaterThan(0);
  for (const text of [stdout, stderr, ...texts]) expect(text).not.toContain(token.slice(12, 40));
});
