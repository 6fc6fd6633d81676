import { copyFileSync, existsSync, readdirSync, readFileSync, statSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { expect, test } from 'vitest';
import { foldVersion } from '../../src/core/fold/fold.ts';
import { initialState } from '../../src/core/protocol/session-state.ts';
import { openSqliteJournal } from '../../src/journal/sqlite/sqlite-journal.ts';
import { openPostgresJournal } from '../../src/journal/postgres/postgres-journal.ts';
import { newPostgresJournal } from '../helpers/postgres-journal.ts';
import { hasPostgres, inPostgres } from '../helpers/postgres-server.ts';
import { http } from '../helpers/start-server.ts';
import { callProgram } from './called-program.ts';
import { newPlace, runProgram, StartedProgram, type Place } from './started-program.ts';

async function serveOn(place: Place, journal: string): Promise<{ server: StartedProgram; url: string; pid: number }> {
  const server = new StartedProgram(['serve', '--port', '0', '--json', '--journal', journal], place);
  await server.until(({ stdout }) => stdout.includes('\n'));
  return { server, ...(JSON.parse(server.stdout) as { url: string; pid: number }) };
}

const step = (n: number) => ({ type: 'test:step', data: { n, filler: `marked${n}.`.repeat(300) } });

test('journal looks after the file of a server that runs, and of one that does not', { timeout: 120_000 }, async () => {
  const place = newPlace();
  const path = join(place.folder, 'j.db');
  const own = (...args: string[]) => callProgram(['journal', ...args, '--journal', path], place);
  const started = (...args: string[]) => runProgram(['journal', ...args, '--journal', path], place);
  expect(await own('info')).toMatchObject({ code: 7, stderr: expect.stringContaining(`there is no journal at ${path}`) });
  expect(existsSync(path)).toBe(false);

  const { server, url, pid } = await serveOn(place, path);
  for (const n of [1, 2, 3]) await http('POST', `${url}/api/sessions/s/events`, step(n));
  const info = await started('info');
  expect(info).toMatchObject({ code: 0, stderr: '' });
  expect(info.stdout).toContain('1 session, 3 events');
  expect(info.stdout).toContain(`the server at ${url} has it (process ${pid})`);
  expect(await own('check')).toMatchObject({ code: 0, stdout: 'whole: 1 session and 3 events can be read\n' });

  const backup = await started('backup', 'copy.db', '--json');
  const copy = join(place.folder, 'copy.db');
  expect(JSON.parse(backup.stdout)).toMatchObject({ ok: true, file: copy, bytes: statSync(copy).size });
  expect(statSync(copy).mode & 0o777).toBe(0o600);
  const before = readFileSync(copy);
  expect(await own('backup', 'copy.db')).toMatchObject({ code: 2, stderr: expect.stringContaining('is there already') });
  expect(readFileSync(copy).equals(before)).toBe(true);
  for (const action of [['check', '--repair'], ['compact']]) {
    const refused = await own(...action);
    expect(refused.code).not.toBe(0);
    expect(refused.stderr).toContain(`another server has it open (process ${pid}, ${url})`);
    expect(refused.stderr).toContain(`kill ${pid}`);
  }
  // By hand: a copy of the file alone is told of when it is used.
  const alone = join(place.folder, 'alone.db');
  copyFileSync(path, alone);
  const refused = await runProgram(['serve', '--port', '0', '--journal', alone], place);
  expect(refused.code).not.toBe(0);
  expect(refused.stderr).toContain(`the log of the newest commits is missing (${alone}-log)`);

  server.child.kill('SIGTERM');
  await server.ended;
  expect(readdirSync(place.folder).filter((name) => name.startsWith('.shannon-dash') || name.startsWith('j.db'))).toEqual(['j.db']);
  expect((await own('info')).stdout).toMatch(/^state {5}closed$/m);
  expect(await own('check')).toMatchObject({ code: 0, stdout: 'whole: 1 session and 3 events can be read\n' });
  expect((await own('backup', 'later.db')).code).toBe(0);
  expect(await started('compact')).toMatchObject({ code: 0 });

  const restored = await serveOn(place, copy);
  const { body } = await http<{ events: { data: { n: number } }[] }>('GET', `${restored.url}/api/sessions/s/events`);
  expect(body.events.map(({ data }) => data.n)).toEqual([1, 2, 3]);
  restored.server.child.kill('SIGTERM');
  await restored.server.ended;

  const damaged = readFileSync(path);
  damaged[damaged.indexOf('marked2.')] = 0;
  damaged.fill(0, 110, 1_000);
  writeFileSync(path, damaged);
  const check = await own('check');
  expect(check.code).toBe(1);
  expect(check.stdout).toContain('damaged: ');
  expect(check.stderr).toContain('shannon-dash journal check --repair');
  expect(readFileSync(path).equals(damaged)).toBe(true);
  const unread = await runProgram(['serve', '--port', '0', '--journal', path], place);
  expect(unread.code).not.toBe(0);
  expect(unread.stderr).toContain('shannon-dash journal check --repair');
  const repaired = await started('check', '--repair');
  expect(repaired.code).toBe(0);
  expect(repaired.stdout).toContain('as it was: ');
  const [aside = ''] = readdirSync(place.folder).filter((name) => name.startsWith('j.db.damaged-'));
  expect(readFileSync(join(place.folder, aside)).equals(damaged)).toBe(true);
  expect((await own('check')).code).toBe(0);
});

test.each([
  [['backup'], 'needs the name of a new file'],
  [['check', 'x.db'], '--journal x.db'],
  [['info', '--repair'], '--repair does not go with journal info'],
  [['info', '--journal', 'memory'], 'a journal in memory has no file'],
])('journal %j is refused with the way to say it', async (args, said) => {
  const { code, stderr } = await callProgram(['journal', ...args], newPlace());
  expect(code).toBe(2);
  expect(stderr).toContain(said);
});

test('journal rebuild-rollups has analytics folded anew from the events', async () => {
  const place = newPlace();
  const path = join(place.folder, 'j.db');
  const journal = await openSqliteJournal({ path });
  const origin = { session_id: 's', created_at: '2026-01-01T00:00:00.000Z' };
  const head = await journal.create(origin);
  const event = (type: string) => ({ type, data: {}, timestamp: '2026-01-01T00:00:00.000Z' });
  await journal.append('s', [event('execution:started'), event('execution:completed')]);
  // A state that says that nothing has happened.
  const wrong = { ...initialState(origin), status: 'completed', seq: 2 };
  await journal.saveSnapshot(head, { seq: 2, version: foldVersion, json: JSON.stringify(wrong) });
  await journal.close();
  const runs = async () => {
    const { server, url } = await serveOn(place, path);
    const { body } = await http<{ total: { completed: number } }>('GET', `${url}/api/analytics`);
    const refused = await callProgram(['journal', 'rebuild-rollups', '--journal', path], place);
    expect(refused).toMatchObject({ code: 1, stderr: expect.stringContaining('another server has it open') });
    server.child.kill('SIGTERM');
    await server.ended;
    return body.total.completed;
  };
  expect(await runs()).toBe(0);
  const { code, stdout } = await runProgram(['journal', 'rebuild-rollups', '--journal', path], place);
  expect([code, stdout]).toEqual([0, expect.stringContaining('the next server folds 1 session from the events')]);
  expect(await runs()).toBe(1);
});

test("the journal of a tenant is never taken for the server's own", { timeout: 60_000 }, async () => {
  const place = newPlace();
  const path = join(place.folder, 'j.db');
  const { url } = await serveOn(place, path);
  await http('POST', `${url}/api/sessions/own/events`, step(1));
  const made = await callProgram(['token', 'create', 'acme', '--role', 'admin', '--tenant', 'acme', '--journal', path, '--json'], place);
  const { token } = JSON.parse(made.stdout) as { token: string };
  await http('POST', `${url}/api/sessions/theirs/events`, step(1), { authorization: `Bearer ${token}` });
  const tenant = `${path}-tenant-acme`;
  expect(existsSync(tenant)).toBe(true);
  for (const action of [['info'], ['check'], ['backup', 'copy.db']]) {
    const refused = await callProgram(['journal', ...action, '--journal', tenant], place);
    expect(refused).toMatchObject({ code: 1, stdout: '', stderr: expect.stringContaining(`has ${tenant} for a tenant`) });
  }
  expect(existsSync(join(place.folder, 'copy.db'))).toBe(false);
});

test.skipIf(!hasPostgres)('journal looks after one in PostgreSQL, also while servers have it', { timeout: 60_000 }, async () => {
  const place = newPlace();
  const location = newPostgresJournal();
  const schema = new URL(location).searchParams.get('schema') ?? '';
  const own = (...args: string[]) => callProgram(['journal', ...args, '--journal', location], place);
  expect(await own('info')).toMatchObject({ code: 7, stderr: expect.stringContaining('there is no journal at postgres://') });

  const journal = await openPostgresJournal(location);
  const leave = journal.join('01');
  journal.announce('http://one.example:8000');
  const timestamp = new Date().toISOString();
  const events = Array.from({ length: 2_500 }, (_, n) => ({ type: 'test:step', data: { n }, timestamp }));
  for (const session of ['a', 'b']) await journal.append(session, events);
  const head = await journal.head('a');
  await journal.saveSnapshot({ session_id: 'a', epoch: head?.epoch ?? '' }, { seq: 2_500, version: foldVersion, json: '{}' });
  await expect
    .poll(async () => (await own('info')).stdout)
    .toMatch(/holds {5}2 sessions, 5,000 events, from .*\nstate {5}1 server has it open: http:\/\/one\.example:8000\n$/s);
  expect(await own('check')).toMatchObject({ code: 0, stdout: 'whole: 2 sessions and 5,000 events can be read\n', stderr: '' });
  expect(await own('rebuild-rollups')).toMatchObject({
    code: 1,
    stderr: expect.stringMatching(/http:\/\/one\.example:8000.*\n {2}end the server first/s),
  });
  expect(await own('compact')).toMatchObject({ code: 2, stderr: expect.stringContaining('VACUUM FULL') });
  leave();
  await journal.close();

  expect(await own('rebuild-rollups')).toMatchObject({ code: 0, stdout: expect.stringContaining('folds 2 sessions') });
  await inPostgres(`DELETE FROM "${schema}".events WHERE seq BETWEEN 3 AND 5 OR seq = 2500`);
  const damaged = await own('check');
  expect(damaged).toMatchObject({ code: 1, stderr: expect.stringContaining('restore a backup') });
  expect(damaged.stdout.split('\n').slice(0, 3)).toEqual([
    'events 3 to 5 of a cannot be read',
    'events 3 to 5 of b cannot be read',
    'events 2500 of a cannot be read',
  ]);
});
