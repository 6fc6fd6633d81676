import { existsSync, mkdirSync, readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { Webhook } from 'standardwebhooks';
import { expect, test } from 'vitest';
import { installDebianPackages } from '../helpers/debian-packages.ts';
import { startDesktopSession } from '../helpers/desktop-session.ts';
import { freePort } from '../helpers/free-port.ts';
import { startReceiver } from '../helpers/notification-receiver.ts';
import { http } from '../helpers/start-server.ts';
import { callProgram } from './called-program.ts';
import { newPlace, runProgram, serve, StartedProgram, type Place } from './started-program.ts';

const secret = `whsec_${Buffer.alloc(32, 5).toString('base64')}`;

function writeTargets({ folder }: Place, targets: object): void {
  mkdirSync(join(folder, 'config/shannon-dash'), { recursive: true });
  writeFileSync(join(folder, 'config/shannon-dash/notify.json'), JSON.stringify({ targets }), { mode: 0o600 });
}

const publish = ({ url }: { url: string }, session: string, type: string, data?: object) =>
  http('POST', `${url}/api/sessions/${session}/events`, { type, data });

test('notify test tells each target, and says which do not take it; no secret is shown', async () => {
  const receiver = await startReceiver();
  const place = newPlace();
  writeTargets(place, {
    hook: { kind: 'webhook', url: `${receiver.url}/SECRET-PATH`, secret },
    team: { kind: 'slack', url: `http://127.0.0.1:${await freePort()}/SECRET-PATH` },
  });
  const both = await runProgram(['notify', 'test'], place);
  expect(both).toMatchObject({ code: 1, stdout: 'told  hook  webhook\nfailed  team  slack: it cannot be reached: ECONNREFUSED\n' });
  const [request] = receiver.requests;
  expect(new Webhook(secret).verify(request?.body ?? '', request?.headers ?? {})).toMatchObject({ type: 'notify:test', events: [] });
  const one = await callProgram(['notify', 'test', 'hook', '--json'], place);
  expect([one.code, JSON.parse(one.stdout)]).toEqual([0, { v: 1, trials: [{ target: 'hook', kind: 'webhook', told: true }] }]);
  const listed = await callProgram(['notify', 'list'], place);
  expect(listed.stdout).toMatch(/^TARGET +KIND +HOST +SESSIONS +EVENTS\nhook +webhook +127\.0\.0\.1:\d+ +\* +decision:point /);
  expect((await callProgram(['notify', 'test', 'tema'], place)).stderr).toContain('there is no target "tema"\n  there are: hook, team');
  for (const { stdout, stderr } of [both, one, listed]) expect(stdout + stderr).not.toMatch(/SECRET-PATH|whsec_/);
});

test('without a file, and with one that is wrong, notify says what to write', async () => {
  const place = newPlace();
  expect(await callProgram(['notify', 'test'], place)).toMatchObject({
    code: 7,
    stderr: expect.stringMatching(/notify\.json names none[^]*"kind": "ntfy"/),
  });
  writeTargets(place, { team: { kind: 'slack', url: 'http://hooks.example.com/SECRET-PATH' } });
  const wrong = await callProgram(['notify', 'test'], place);
  expect(wrong.code).toBe(1);
  expect(wrong.stderr).toContain('notify.json.targets.team.url: must be a URL with https');
  expect(wrong.stderr).not.toContain('SECRET-PATH');
});

test("a project's file names no targets, however much it is trusted", async () => {
  const receiver = await startReceiver();
  const place = newPlace();
  const targets = { hook: { kind: 'webhook', url: receiver.url, secret } };
  writeFileSync(join(place.folder, 'notify.json'), JSON.stringify({ targets }), { mode: 0o600 });
  expect(await callProgram(['notify', 'test'], place)).toMatchObject({ code: 7 });
  writeFileSync(join(place.folder, '.shannon-dash.json'), JSON.stringify({ targets }));
  await callProgram(['trust', '--yes'], place);
  expect(await callProgram(['notify', 'test'], place)).toMatchObject({ code: 2, stderr: expect.stringContaining('"targets"') });
  expect(receiver.requests).toEqual([]);
});

test('a server that is killed while its target is away tells it afterwards: each event, and an event twice only with the same id', async () => {
  const port = await freePort();
  const place = await serve();
  writeTargets(place, { hook: { kind: 'webhook', url: `http://127.0.0.1:${port}`, secret } });
  const progress = join(place.folder, 'state/shannon-dash/journal.db-notified');
  // The server looks for the file every second, and keeps from then on how far it has come.
  await expect.poll(() => existsSync(progress)).toBe(true);
  const fail = (session: string) => publish(place, session, 'execution:failed', { error: 'out of memory' });
  expect(await fail('build-1')).toMatchObject({ status: 200 });
  await expect.poll(() => readFileSync(progress, 'utf8')).toContain('execution:failed');
  place.server.child.kill('SIGKILL');
  await place.server.ended;
  const receiver = await startReceiver(port);
  const again = new StartedProgram(['serve', '--port', new URL(place.url).port, '--json'], place);
  await again.until(({ stdout }) => stdout.includes('\n'));
  expect(await fail('build-2')).toMatchObject({ status: 200 });
  const told = () =>
    receiver.requests.map(({ body }) => JSON.parse(body) as { id: string; title: string; text: string; events: { session_id: string }[] });
  await expect.poll(() => new Set(told().flatMap(({ events }) => events.map((each) => each.session_id))).size).toBe(2);
  expect(new Set(told().map(({ id }) => id)).size).toBe(receiver.requests.length);
  again.child.kill('SIGTERM');
  const { stderr } = await again.ended;
  expect(stderr + place.server.stderr).not.toContain('whsec_');
});

test('a desktop shows it: texts of strangers are no options, no markup and no shell', { timeout: 400_000 }, async (context) => {
  const problem = await installDebianPackages('libnotify-bin', 'dbus-daemon', 'python3-dbus', 'python3-gi');
  if (problem !== undefined) context.skip(problem);
  const { env, shown } = await startDesktopSession();
  const place = await serve();
  const watch = new StartedProgram(['watch', 'build', '--wait', '--plain', '--desktop'], { ...place, env: { ...place.env, ...env } });
  await watch.until(({ stderr }) => stderr.includes('waiting for build'));
  const data = { decision_id: 'd', question: '--icon=/etc/passwd <b>Go</b> $(touch x) & more?', options: ['yes', 'no'] };
  expect(await publish(place, 'build', 'decision:point', data)).toMatchObject({ status: 200 });
  await expect
    .poll(() => shown)
    .toEqual([
      { app: 'shannon-dash', title: 'build asks', text: '--icon=/etc/passwd &lt;b&gt;Go&lt;/b&gt; $(touch x) &amp; more?\n[yes] [no]' },
    ]);
  expect(existsSync(join(place.folder, 'x'))).toBe(false);
  const tried = await callProgram(['notify', 'test', '--desktop'], { ...place, env: { ...place.env, ...env } });
  expect(tried).toMatchObject({ code: 0, stdout: 'told  desktop  desktop\n' });
  // The end of the run ends the watch, and is told before.
  const last = new StartedProgram(['watch', 'build', '--plain', '--desktop', '--until', 'done'], {
    ...place,
    env: { ...place.env, ...env },
  });
  await last.until(({ stderr }) => stderr.includes('watching build'));
  await publish(place, 'build', 'execution:completed');
  expect(await last.ended).toMatchObject({ code: 0 });
  expect(shown.map(({ title }) => title)).toContain('build completed');
});

test('a desktop without the command is told of once, beside the lines', async () => {
  const place = await serve();
  const env = { ...place.env, PATH: place.folder };
  const watch = new StartedProgram(['watch', 'build', '--wait', '--plain', '--desktop'], { ...place, env });
  await watch.until(({ stderr }) => stderr.includes('waiting for build'));
  await publish(place, 'build', 'execution:failed');
  await watch.until(({ stderr }) => stderr.includes('notify-send cannot be started'));
  expect(watch.stdout).toContain('failed');
});
