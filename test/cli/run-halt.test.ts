import { spawnSync } from 'node:child_process';
import { writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { expect, test } from 'vitest';
import { readProcTable } from '../../src/run/tree/process-table.ts';
import { http } from '../helpers/start-server.ts';
import { newRunPlace, stateOf, until } from './run-place.ts';

const hasPython = spawnSync('python3', ['-c', '']).status === 0;

/** Stops itself when its child was stopped, as `script` and `sudo` do, and continues the child when it is continued itself. */
const watchingParent = `import os, signal, sys
open('parent', 'w').write(str(os.getpid()))
news = signal.pthread_sigmask(signal.SIG_BLOCK, [signal.SIGCHLD])
child = os.fork()
if child == 0:
    os.setsid()
    signal.pthread_sigmask(signal.SIG_UNBLOCK, [signal.SIGCHLD])
    os.execvp('sh', ['sh', 'tick.sh'])
open('child', 'w').write(str(child))
while True:
    info = signal.sigwaitinfo([signal.SIGCHLD])
    if info.si_code == 5:
        os.kill(os.getpid(), signal.SIGSTOP)
        os.kill(child, signal.SIGCONT)
    elif info.si_code in (1, 2, 3):
        sys.exit(0)
`;

test.runIf(hasPython)('RESUME, and a checkpoint, let a parent go on that stops itself when its child was stopped', async () => {
  const place = await newRunPlace();
  writeFileSync(join(place.work, 'parent.py'), watchingParent);
  writeFileSync(join(place.work, 'tick.sh'), 'while :; do printf . >> ticks; sleep 0.02; done');
  spawnSync('git', ['init', '-q', '.'], { cwd: place.work });
  const program = place.start('s', '--checkpoints', 'git', '--no-files', '--', 'python3', 'parent.py');
  const ticks = () => (place.read('ticks') ?? '').length;
  const goesOn = async (after: string) => {
    const before = ticks();
    await until(`it ticks after ${after}`, () => ticks() > before + 2);
    expect(stateOf(Number(place.read('parent')))).not.toBe('T');
  };
  await until('it ticks', () => ticks() > 2);
  for (let round = 0; round < 3; round++) {
    expect(await place.command('s', 'HALT')).toMatchObject({ status: 'applied' });
    expect(await place.command('s', 'RESUME')).toMatchObject({ status: 'applied' });
    await goesOn('RESUME');
  }
  const checkpoint = { type: 'checkpoint:created', data: { checkpoint_id: 'c', label: 'c' } };
  await http('POST', `${place.server.url}/api/sessions/s/events`, checkpoint);
  await place.untilEvent('s', 'checkpoint:saved');
  await goesOn('the checkpoint');
  const exited = new Promise((resolve) => program.child.once('exit', (_code, signal) => resolve(signal)));
  program.child.kill('SIGTERM');
  expect(await exited).toBe('SIGTERM');
  // It has a session of its own, and lives on with the output, as bare.
  process.kill(Number(place.read('child')), 'SIGKILL');
  await program.ended;
});

test('what the program itself had stopped stays stopped, and an end signal reaches it', async () => {
  const place = await newRunPlace();
  const script = 'sleep 300 & kill -STOP $!; echo $! > stopped; sleep 300 & echo $! > running; while :; do sleep 0.05; done';
  const program = place.start('s', '--no-files', '--', 'bash', '-c', script);
  await until('both are there', () => place.read('running')?.endsWith('\n') === true);
  const [stopped, running] = [Number(place.read('stopped')), Number(place.read('running'))];
  await until('it is stopped', () => stateOf(stopped) === 'T');
  for (let round = 0; round < 2; round++) {
    expect(await place.command('s', 'HALT')).toMatchObject({ status: 'applied' });
    expect([stateOf(stopped), stateOf(running)]).toEqual(['T', 'T']);
    expect(await place.command('s', 'HALT')).toMatchObject({ status: 'applied' });
    expect(await place.command('s', 'RESUME')).toMatchObject({ status: 'applied' });
    expect([stateOf(stopped), stateOf(running)]).toEqual(['T', 'S']);
  }
  program.child.kill('SIGTERM');
  await program.ended;
  await until('nothing of it is left', () => !readProcTable().some(({ pid, state }) => [stopped, running].includes(pid) && state !== 'Z'));
});

test('STOP ends the program and everything that it has started, halted or not, by force what does not end by itself', async () => {
  const place = await newRunPlace();
  const script = `trap '' TERM; sleep 300 & echo $! > plain; setsid sleep 300 & sleep 0.1; echo $! > apart; while :; do sleep 0.1; done`;
  const program = place.start('s', '--no-files', '--', 'sh', '-c', script);
  await until('it works', () => place.read('apart') !== undefined && place.read('apart') !== '');
  const [plain, apart] = [Number(place.read('plain')), Number(place.read('apart'))];
  expect(await place.command('s', 'HALT')).toMatchObject({ status: 'applied' });
  const stopped = await place.command('s', 'STOP', { reason: 'enough', grace_ms: 200 });
  expect(stopped).toMatchObject({ status: 'applied', result: { killed: expect.any(Number) as number } });
  expect((await program.ended).signal).toBe('SIGKILL');
  for (const pid of [plain, apart]) expect(['gone', 'Z']).toContain(stateOf(pid));
  const failed = await place.untilEvent('s', 'execution:failed');
  expect(failed.data).toMatchObject({ error: expect.stringMatching(/^stopped by .*: enough$/) as string, exit_code: 137 });
  expect(await place.command('s', 'STOP')).toMatchObject({ status: 'rejected', error: 'Cannot stop - execution is failed' });
});

test('STOP lets a program end by itself that does', async () => {
  const place = await newRunPlace();
  const program = place.start('s', '--no-files', '--', 'sh', '-c', 'trap "echo saved; exit 0" TERM; echo up; while :; do sleep 0.1; done');
  await program.until(({ stdout }) => stdout.includes('up'));
  expect(await place.command('s', 'STOP')).toMatchObject({ status: 'applied', result: { killed: 0 } });
  const end = await program.ended;
  expect([end.code, end.stdout]).toEqual([0, 'up\nsaved\n']);
  expect((await place.untilEvent('s', 'execution:failed')).data).toMatchObject({ exit_code: 0 });
});

test('background tasks that come back when they are killed do not while the session is halted', async () => {
  const place = await newRunPlace();
  const script = 'while :; do sh -c "echo \\$\\$ > task; exec sleep 300"; done & wait';
  const program = place.start('s', '--no-files', '--', 'bash', '-c', script);
  await until('the task is there', () => Number(place.read('task') ?? '') > 0);
  const first = Number(place.read('task'));
  expect(await place.command('s', 'HALT')).toMatchObject({ status: 'applied' });
  process.kill(first, 'SIGKILL');
  await until('it is gone', () => 'gone Z'.includes(stateOf(first)));
  expect(Number(place.read('task'))).toBe(first);
  expect(await place.command('s', 'RESUME')).toMatchObject({ status: 'applied' });
  await until('it is back', () => Number(place.read('task')) !== first && Number(place.read('task')) > 0);
  expect(await place.command('s', 'STOP', { grace_ms: 0 })).toMatchObject({ status: 'applied' });
  await program.ended;
  expect('gone Z').toContain(stateOf(Number(place.read('task'))));
});

test('what goes on after its program has ended is named', async () => {
  const place = await newRunPlace();
  const program = place.start('s', '--no-files', '-v', '--', 'sh', '-c', 'sleep 300 >/dev/null 2>&1 & echo $! > left; exit 0');
  const { stderr } = await program.ended;
  const pid = Number(place.read('left'));
  const { data } = await place.untilEvent('s', 'execution:completed');
  expect(data['result']).toMatchObject({ survivors: [{ pid, name: 'sleep' }] });
  expect(stderr).toContain(`what it started goes on: sleep (${pid})`);
  process.kill(pid);
});
