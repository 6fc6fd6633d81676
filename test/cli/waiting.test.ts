import { expect, test } from 'vitest';
import { newServerPlace, type ServerPlace } from './server-place.ts';

async function emit(place: ServerPlace, session: string, type: string, data: object = {}): Promise<void> {
  await place.publishAll(session, { type, data });
}

test('watch --until waits for several sessions, and for all', async () => {
  const place = await newServerPlace();
  for (const session of ['a', 'b', 'old']) await emit(place, session, 'execution:started');
  await emit(place, 'old', 'execution:completed');
  const both = place.start('watch', 'a', 'b', '--until', 'done', '--exit-status');
  const all = place.start('watch', '--all', '--until', 'decision', '--fail-on-decision');
  for (const each of [both, all]) await each.until(({ stderr }) => stderr.includes('waiting for'));
  await emit(place, 'a', 'execution:completed');
  await both.until(({ stdout }) => stdout.includes('a  completed'));
  await all.until(({ stdout }) => stdout.includes('a  completed'));
  await emit(place, 'b', 'decision:point', { decision_id: 'd', question: 'Ship?', options: ['yes', 'no'] });
  const asked = await all.ended;
  expect([asked.code, asked.stdout.includes('old'), asked.stdout]).toEqual([
    8,
    false,
    expect.stringContaining('b  asks: Ship?  (yes | no)'),
  ]);
  await emit(place, 'b', 'execution:failed', { error: 'red' });
  const done = await both.ended;
  expect(done.code).toBe(5);
  expect(done.stdout).toMatch(/b {2}failed after \d+s: red\n$/);
  // What is over already is told at once.
  expect(await place.call('watch', 'a', 'b', '--until', 'failed')).toMatchObject({
    code: 0,
    stdout: expect.stringContaining('b  failed') as string,
  });
  expect(await place.call('watch', '--all', '--until', 'done')).toMatchObject({
    code: 0,
    stderr: expect.stringContaining('no session is live: there is nothing to wait for') as string,
  });
  expect((await place.call('watch', 'a', '--until', 'done')).stderr).not.toContain('waits for its next run');
  expect((await place.call('watch', 'a', 'b')).stderr).toMatch(/several sessions can be waited for/);
});

test('off the full screen a watch starts with how the session stands', async () => {
  const place = await newServerPlace();
  await emit(place, 's', 'execution:started', { task: 'build it' });
  await emit(place, 's', 'decision:point', { decision_id: 'd', question: 'Ship?', options: ['yes', 'no'] });
  const watcher = place.start('watch', 's', '--plain');
  await watcher.until(({ stdout }) => stdout.includes('Ship?'));
  expect(watcher.stdout).toMatch(/^\S+ {2}state {3}running: build it\n\S+ {2}state {3}asks: Ship\? {2}\(yes \| no\) {2}d\n$/);
  const json = place.start('watch', 's', '--json');
  await json.until(({ stdout }) => stdout.includes('\n'));
  expect(JSON.parse(json.stdout)).toMatchObject({ v: 1, type: 'session:state', session_id: 's', seq: 2, state: { task: 'build it' } });
});

test('--timeout ends the waiting with 3, and says how it stands', async () => {
  const place = await newServerPlace();
  await emit(place, 'a', 'execution:started');
  const waiting = ['--timeout', '1s'];
  const [one, all] = await Promise.all([
    place.run('watch', 'a', '--plain', '--until', 'done', ...waiting),
    place.run('watch', '--all', '--until', 'decision', ...waiting),
  ]);
  expect(one).toMatchObject({ code: 3, stderr: expect.stringContaining('it has not come in 1s: the session is running\n') });
  expect(all).toMatchObject({ code: 3, stderr: expect.stringContaining('it has not come in 1s\n') });
  await emit(place, 'a', 'execution:completed');
  expect(await place.run('watch', 'a', '--plain', '--until', 'done', ...waiting)).toMatchObject({ code: 0 });
});
