import { statSync, utimesSync, writeFileSync } from 'node:fs';
import { connect } from 'node:net';
import { join } from 'node:path';
import { expect, onTestFinished, test } from 'vitest';
import { connectPublisher } from '../../src/client/orchestrator/publisher.ts';
import { bareRequest } from '../helpers/bare-request.ts';
import { connectClient, connectQuiet } from '../helpers/socket-client.ts';
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
      level: 'info',
      time: expect.stringMatching(/^\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d\.\d{3}Z$/),
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

test('watchers, some of which read nothing, and a producer do not hold up the end; what was acknowledged is kept', async () => {
  const place = await serve();
  const { port } = new URL(place.url);
  const large = { type: 'a:b', data: { text: 'x'.repeat(100_000) } };
  const events = `${place.url}/api/sessions/s/events`;
  const post = (body: unknown) =>
    fetch(events, { method: 'POST', headers: { 'content-type': 'application/json' }, body: JSON.stringify(body) });
  // More than the buffers of the connections of those who read nothing.
  for (let n = 0; n < 4; n++) await post(Array.from({ length: 20 }, () => large));
  const stream = 'GET /api/sessions/s/events HTTP/1.1\r\nHost: localhost\r\nAccept: text/event-stream\r\n\r\n';
  const stuck = (request: string) => {
    const socket = connect(Number(port), '127.0.0.1');
    onTestFinished(() => void socket.destroy());
    socket.on('error', () => undefined).write(request);
    return new Promise<void>((resolve) => socket.once(request === stream ? 'data' : 'connect', () => resolve(void socket.pause())));
  };
  const watchers = await Promise.all(Array.from({ length: 20 }, () => connectClient(place.url, { auth: { session_id: 's' } })));
  await Promise.all(Array.from({ length: 5 }, () => stuck(stream)));
  await stuck('GET /health HTTP/1.1\r\nHost: localhost\r\n');
  const producer = await connectQuiet(place.url);
  let acknowledged = 80;
  const publishing = (async () => {
    while ((await producer.publish('s', [{ type: 'a:c' }]))['success'] === true) acknowledged++;
  })().catch(() => undefined);
  for (const watcher of watchers) await watcher.next('a:c');
  place.server.child.kill('SIGTERM');
  const end = await place.server.ended;
  expect(end.code).toBe(0);
  expect(end.stderr).not.toContain('by force');
  for (const watcher of watchers) await watcher.next('server:shutdown');
  producer.close();
  await publishing;
  const again = new StartedProgram(['serve', '--port', '0', '--json'], place);
  await again.until(({ stdout }) => stdout.includes('\n'));
  const { url } = JSON.parse(again.stdout) as { url: string };
  const { seq } = (await (await fetch(`${url}/api/sessions/s`)).json()) as { seq: number };
  expect(seq).toBeGreaterThanOrEqual(acknowledged);
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
    /url left out[^]*this token is not valid here/,
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
  const publisher = await connectPublisher({ url, session: 'r' });
  onTestFinished(() => publisher.close(0));
  const publishingUntil = new AbortController();
  const publishing = (async () => {
    for (let n = 0; !publishingUntil.signal.aborted; n++) await publisher.publish('a:step', { n });
  })();
  // Chokidar begins to look a moment after the server is ready: touched until it was seen.
  const touch = setInterval(() => utimesSync(configuration, new Date(), new Date()), 300);
  await server.until(({ stderr }) => stderr.includes('restarting: '));
  clearInterval(touch);
  await server.until(() => readies().length >= 2);
  expect(readies().at(-1)?.url).toBe(url);
  expect(readies().at(-1)?.pid).not.toBe(first?.pid);
  await watcher.until(({ stderr }) => stderr.includes('connected again'));
  publishingUntil.abort();
  await publishing;
  await publish('execution:completed');
  await watcher.until(({ stdout }) => stdout.includes('execution:completed'));
  const seen = watcher.stdout
    .split('\n')
    .filter((line) => line !== '')
    .map((line) => JSON.parse(line) as { seq: number; type: string; data: { n?: number } });
  expect(seen.map(({ seq }) => seq)).toEqual(seen.map((_, at) => at + 1));
  // Neither lost nor doubled: as many as were acknowledged, each with its own number.
  const steps = seen.filter(({ type }) => type === 'a:step').map(({ data }) => data.n);
  expect(steps).toEqual(Array.from({ length: publisher.journalled }, (_, n) => n));
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
  expect((await run('ping', '-c', '1')).code).toBe(6);
});
