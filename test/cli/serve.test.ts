import { statSync, utimesSync, writeFileSync } from 'node:fs';
import { connect } from 'node:net';
import { join } from 'node:path';
import { expect, test } from 'vitest';
import { bareRequest } from '../helpers/bare-request.ts';
import { newPlace, runProgram, serve, StartedProgram } from './started-program.ts';

test('serve says where it is, where the journal is, whether tokens are asked for, and what to type next', async () => {
  const place = newPlace();
  const server = new StartedProgram(['serve', '--port', '0'], place);
  await server.until(({ stdout }) => stdout.includes('next'));
  expect(server.stdout).toMatch(
    /^shannon-dash at http:\/\/127\.0\.0\.1:\d+\n {2}journal {2}~\/state\/shannon-dash\/journal\.db\n {2}tokens {3}needed, but not by your own programs on this machine; make one: shannon-dash token create\n {2}pages {4}localhost:3000, localhost:5173 may.*--no-dev-origins\n {2}next {5}shannon-dash run/,
  );
  expect(statSync(join(place.folder, 'state/shannon-dash/journal.db')).mode & 0o777).toBe(0o600);
  expect(statSync(join(place.folder, 'state/shannon-dash')).mode & 0o777).toBe(0o700);
});

test('serve says which pages may steer, and which names and pages it lets in is a flag or a setting', async () => {
  const place = newPlace({ SHANNON_DASH_DEV_ORIGINS: 'false', SHANNON_DASH_ALLOWED_HOSTS: 'a.example,dash.example' });
  const quiet = new StartedProgram(['serve', '--port', '0'], place);
  const shut = new StartedProgram(['serve', '--port', '0', '--no-dev-origins', '--journal', 'memory'], newPlace());
  await quiet.until(({ stdout }) => stdout.includes('next'));
  expect(quiet.stdout).toContain('\n  pages    none but its own may watch and steer\n');
  const { port } = new URL(/http:\S+/.exec(quiet.stdout)?.[0] ?? '');
  expect((await bareRequest(Number(port), '/health', { headers: { host: 'dash.example' } })).status).toBe(200);
  expect((await bareRequest(Number(port), '/health', { headers: { origin: 'http://localhost:3000' } })).status).toBe(403);
  quiet.child.kill('SIGTERM');
  await shut.until(({ stdout }) => stdout.includes('next'));
  expect(shut.stdout).toContain('\n  pages    none but its own may watch and steer\n');
});

test('serve --json prints one document when it listens', async () => {
  const { server, url } = await serve('--journal', 'memory');
  expect(JSON.parse(server.stdout)).toMatchObject({ v: 1, event: 'ready', url, pid: server.child.pid, journal: 'memory' });
});

test.each(['SIGINT', 'SIGTERM'] as const)(
  '%s ends it with 0 in time, while clients are connected, and what was acknowledged is kept',
  async (signal) => {
    const place = await serve();
    expect((await place.run('emit', 'execution:started', '-s', 'kept')).code).toBe(0);
    const watcher = place.start('watch', 'kept', '--json', '--since', '0');
    await watcher.until(({ stdout }) => stdout.includes('execution:started'));
    const startedAt = performance.now();
    place.server.child.kill(signal);
    const end = await place.server.ended;
    expect(end.code).toBe(0);
    expect(performance.now() - startedAt).toBeLessThan(5_000);
    // Off a terminal the log alone speaks, a JSON document a line; but for what is wrong with an old SQLite.
    const told = end.stderr
      .trimEnd()
      .split('\n')
      .filter((line) => !line.startsWith('warning: SQLite '))
      .map((line) => JSON.parse(line) as object);
    expect(told[0]).toMatchObject({
      msg: 'listening',
      url: place.url,
      pid: place.server.child.pid,
      tokens: expect.stringContaining('needed'),
    });
    expect(told.at(-1)).toMatchObject({ msg: 'stopping' });
    const again = new StartedProgram(['serve', '--port', '0', '--json'], place);
    await again.until(({ stdout }) => stdout.includes('\n'));
    const { url } = JSON.parse(again.stdout) as { url: string };
    const { stdout } = await runProgram(['sessions', '--json', '--url', url], place);
    expect(JSON.parse(stdout)).toMatchObject({ sessions: [{ session_id: 'kept', seq: 1 }] });
  },
);

test('a client that never reads and never closes does not hold up the end', async () => {
  const place = await serve('--journal', 'memory');
  const { port } = new URL(place.url);
  const socket = connect(Number(port), '127.0.0.1');
  await new Promise((resolve) => socket.once('connect', resolve));
  socket.on('error', () => undefined).write('GET /health HTTP/1.1\r\nHost: localhost\r\n');
  place.server.child.kill('SIGINT');
  expect((await place.server.ended).code).toBe(0);
  socket.destroy();
});

test('settings come from the flag, else the environment, else the project, else the user', async () => {
  const place = newPlace();
  const ready = async (args: string[], env: NodeJS.ProcessEnv = {}) => {
    const server = new StartedProgram(['serve', '--port', '0', '--json', ...args], { ...place, env: { ...place.env, ...env } });
    await server.until(({ stdout }) => stdout.includes('\n'));
    server.child.kill('SIGINT');
    await server.ended;
    return (JSON.parse(server.stdout) as { journal: string }).journal;
  };
  writeFileSync(join(place.folder, '.shannon-dash.json'), '{"journal": "project.db"}');
  expect((await runProgram(['trust'], place)).code).toBe(0);
  expect(await ready([])).toBe(join(place.folder, 'project.db'));
  expect(await ready([], { SHANNON_DASH_JOURNAL: 'environment.db' })).toBe(join(place.folder, 'environment.db'));
  expect(await ready(['--journal', 'memory'], { SHANNON_DASH_JOURNAL: 'environment.db' })).toBe('memory');
});

test("a project's file cannot send a token to another machine", async () => {
  const place = newPlace({ SHANNON_DASH_TOKEN: 'secret' });
  writeFileSync(join(place.folder, '.shannon-dash.json'), '{"url": "http://elsewhere.invalid"}');
  const end = await runProgram(['stats', '--url', 'http://127.0.0.1:1'], place);
  expect(end.stderr).not.toContain('elsewhere');
  expect((await runProgram(['stats'], { ...place, env: { ...place.env, SHANNON_DASH_PORT: '1' } })).stderr).toMatch(
    /url left out[^]*cannot reach http:\/\/127\.0\.0\.1:1 /,
  );
  writeFileSync(join(place.folder, '.shannon-dash.json'), '{"token_file": "x"}');
  expect((await runProgram(['stats'], place)).stderr).toContain('"token_file" is not a setting');
});

test('--reload restarts on a change, on the same port, and a watcher misses nothing', async () => {
  const place = newPlace();
  const configuration = join(place.folder, '.shannon-dash.json');
  writeFileSync(configuration, '{}');
  const server = new StartedProgram(['serve', '--port', '0', '--json', '--reload'], place);
  const readies = () =>
    server.stdout
      .split('\n')
      .filter((line) => line !== '')
      .map((line) => JSON.parse(line) as { url: string; pid: number });
  await server.until(() => readies().length === 1);
  const [first] = readies();
  const url = first?.url ?? '';
  const publish = (type: string) => runProgram(['emit', type, '-s', 'r', '--url', url], place);
  await publish('execution:started');
  const watcher = new StartedProgram(['watch', 'r', '--json', '--since', '0', '--url', url], place);
  await watcher.until(({ stdout }) => stdout.includes('execution:started'));
  // Chokidar begins to look a moment after the server is ready: touched until it was seen.
  const touch = setInterval(() => utimesSync(configuration, new Date(), new Date()), 300);
  await server.until(({ stderr }) => stderr.includes('restarting: '));
  clearInterval(touch);
  await server.until(() => readies().length >= 2);
  expect(readies().at(-1)?.url).toBe(url);
  expect(readies().at(-1)?.pid).not.toBe(first?.pid);
  await watcher.until(({ stderr }) => stderr.includes('connected again'));
  await publish('execution:completed');
  await watcher.until(({ stdout }) => stdout.includes('execution:completed'));
  expect(
    watcher.stdout
      .split('\n')
      .filter((line) => line !== '')
      .map((line) => (JSON.parse(line) as { seq: number }).seq),
  ).toEqual([1, 2]);
  server.child.kill('SIGTERM');
  expect((await server.ended).code).toBe(0);
});

test('--reload starts a server that was killed again, clients wait for it; and what lies beside the skills is none of its business', async () => {
  const place = newPlace();
  const server = new StartedProgram(['serve', '--port', '0', '--json', '--reload', '--skills', '.', '--journal', 'j.db'], place);
  const readies = () =>
    server.stdout
      .split('\n')
      .filter((line) => line !== '')
      .map((line) => JSON.parse(line) as { url: string; pid: number });
  await server.until(() => readies().length === 1);
  const [first] = readies();
  const url = first?.url ?? '';
  const run = (...args: string[]) => runProgram([...args, '--url', url], place);
  expect((await run('emit', 'execution:started', '-s', 'r')).code).toBe(0);
  process.kill(first?.pid ?? 0, 'SIGKILL');
  const emit = runProgram(['emit', '-', '-s', 'r', '--url', url], place, '{"type":"a:b"}\n');
  const ends = await Promise.all([run('emit', 'a:c', '-s', 'r'), run('sessions'), emit]);
  expect(ends.map(({ code, stderr }) => [code, stderr])).toEqual([
    [0, ''],
    [0, ''],
    [0, ''],
  ]);
  await server.until(() => readies().length === 2);
  expect(readies()[1]).toMatchObject({ url });
  expect(readies()[1]?.pid).not.toBe(first?.pid);
  expect(server.stderr).toMatch(/the server ended with a signal; it starts again in 100 ms/);
  // A skill is its business: that is the first thing it has seen change.
  writeFileSync(join(place.folder, 'new.yaml'), 'name: new');
  await server.until(() => readies().length === 3);
  expect(server.stderr.match(/restarting: .*/g)).toEqual(['restarting: a skill changed']);
  const skills = await fetch(new URL('/api/skills', url)).then((response) => response.json());
  expect(skills).toMatchObject({ skills: [{ name: 'new' }] });
  server.child.kill('SIGTERM');
  expect((await server.ended).code).toBe(0);
  // Nobody brings it back from now on, so nobody waits.
  expect((await run('sessions')).code).toBe(6);
});
