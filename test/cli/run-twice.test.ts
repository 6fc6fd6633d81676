import { expect, test } from 'vitest';
import { http, type Json } from '../helpers/start-server.ts';
import { newRunPlace, until, type RunPlace } from './run-place.ts';
import { StartedProgram } from './started-program.ts';

const statusOf = async ({ server }: RunPlace, session: string) =>
  (await http<{ sessions: Json[] }>('GET', `${server.url}/api/sessions`)).body.sessions.find(({ session_id }) => session_id === session)?.[
    'status'
  ];
const waiting = ['--no-files', '--', 'sh', '-c', 'echo up; read end'];

test('a second run of a name is refused and names the first; --take-over takes the session, and the first program goes on', async () => {
  const place = await newRunPlace();
  const first = place.start('s', ...waiting);
  await first.until(({ stdout }) => stdout === 'up\n');
  const second = place.start('s', '--no-files', '--', 'touch', 'second');
  expect((await second.ended).code).toBe(1);
  expect(second.stderr).toContain(`run-${first.child.pid}@`);
  expect(second.stderr).toContain('is attached to s');
  expect(second.stderr).toContain('shannon-dash run -s s --take-over');
  expect(place.read('second')).toBeUndefined();
  const third = place.start('s', '--no-files', '--take-over', '--', 'echo', 'third');
  expect((await third.ended).code).toBe(0);
  expect(third.stdout).toBe('third\n');
  first.child.stdin?.end('\n');
  expect((await first.ended).code).toBe(0);
});

test('a command to a run that has ended is refused, and the next run of that name does not get it', async () => {
  const place = await newRunPlace();
  await place.start('s', '--no-files', '--', 'true').ended;
  const late = new StartedProgram(['send', 'ROLLBACK', '--yes', '-s', 's'], { folder: place.work, env: place.env });
  expect((await late.ended).code).toBe(7);
  expect(late.stderr).toContain('cannot rollback - execution is completed');
  const next = place.start('s', '--no-files', '--', 'echo', 'next');
  expect((await next.ended).code).toBe(0);
  expect((await place.events('s')).filter(({ type }) => /rollback|halt|command:queued/.test(type))).toEqual([]);
});

test('a run that is killed is lost in every list, with what ran in it', async () => {
  const place = await newRunPlace({ lostAfterMs: 500 });
  const run = place.start(
    's',
    '--no-files',
    '--',
    'sh',
    '-c',
    'shannon-dash emit skill:started --data \'{"skill_name": "build"}\'; echo up; read end',
  );
  await run.until(({ stdout }) => stdout.includes('up\n'));
  expect(await statusOf(place, 's')).toBe('running');
  run.child.kill('SIGKILL');
  await until('it is lost', async () => (await statusOf(place, 's')) === 'lost');
  const { body } = await http('GET', `${place.server.url}/api/sessions/s`);
  expect(body).toMatchObject({ status: 'lost', current_skill: null, skills: [{ skill_name: 'build', status: 'lost' }] });
  const list = new StartedProgram(['sessions'], { folder: place.work, env: place.env });
  await list.ended;
  expect(list.stdout).toMatch(/^s +lost /m);
  const live = new StartedProgram(['sessions', '--live', '--json'], { folder: place.work, env: place.env });
  await live.ended;
  expect(live.stdout).not.toContain('"session_id":"s"');
  const watch = new StartedProgram(['watch', 's', '--plain', '--until', 'done', '--exit-status'], { folder: place.work, env: place.env });
  expect((await watch.ended).code).toBe(5);
});
