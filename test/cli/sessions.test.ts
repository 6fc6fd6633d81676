import { expect, test, vi } from 'vitest';
import { publish } from '../helpers/start-server.ts';
import { callProgram } from './called-program.ts';
import { newRunPlace } from './run-place.ts';
import { newServerPlace } from './server-place.ts';
import { runProgram, serve, type Place } from './started-program.ts';

async function ran(place: Place & { work: string }, session: string, script: string, ...flags: string[]): Promise<void> {
  await runProgram(['run', '-s', session, ...flags, '--', 'sh', '-c', script], { ...place, folder: place.work });
}

test('the list tells what was run, where, by whom and how it ended, and is searched', async () => {
  const place = await newRunPlace();
  await ran(place, 'good', 'exit 0', '--label', 'nightly', '--label', 'arm');
  await ran(place, 'bad', 'exit 4');
  const list = async (...args: string[]) => (await callProgram(['sessions', ...args], place)).stdout;
  const rows = (await runProgram(['sessions'], place)).stdout.split('\n');
  expect(rows[0]).toMatch(/^SESSION +STATUS +EXIT +STARTED +TOOK +FOLDER +USER +LABELS +TASK$/);
  expect(rows[1]).toMatch(/^bad +failed +4 +\d+s ago +\ds +work +\S+ +- +sh -c exit 4$/);
  expect(rows[2]).toMatch(/^good +completed +0 .* nightly,arm +sh -c exit 0$/);
  expect(await list('--failed')).not.toContain('good');
  expect(await list('--status', 'completed')).not.toContain('bad');
  expect(await list('--search', 'NIGHT')).toMatch(/^good/m);
  expect((await callProgram(['sessions', '--search', 'nothing like it'], place)).stderr).toMatch(/none of 2 sessions passes/);
  expect(await list('--since', '1h')).toContain('bad');
  expect((await callProgram(['sessions', '--since', '2099-01-01'], place)).stdout).toBe('');
  const { sessions } = JSON.parse(await list('--json', '--failed')) as { sessions: object[] };
  expect(sessions).toMatchObject([{ session_id: 'bad', exit_code: 4, folder: 'work', labels: [], tokens: null }]);
});

test('one is told on a screen: what failed and why, with the last lines of its output', async () => {
  const place = await newServerPlace();
  const emit = (type: string, data: object) => place.publishAll('told', { type, data });
  await emit('execution:started', { task: 'release', folder: 'shop', branch: 'main', user: 'ana', model: 'large' });
  await emit('skill:failed', { skill_name: 'lint', error: '3 problems' });
  await emit('validation:output', { check_name: 'unit', line: 'expected 1 to be 2' });
  await emit('validation:result', { check_name: 'unit', success: false, message: '1 of 9' });
  await emit('decision:point', { decision_id: 'd', question: 'Ship?', options: ['yes', 'no'] });
  await place.command('told', 'DECISION', { decision_id: 'd', choice: 'no', comment: 'too red' });
  await emit('usage:reported', { input_tokens: 1_200, output_tokens: 34, cost_usd: 0.5, agent_id: 'builder' });
  await emit('process:output', { lines: ['first', 'last words'] });
  await emit('execution:failed', { error: 'unit failed' });
  const { stdout, stderr } = await place.run('sessions', 'show', 'tol');
  for (const line of [
    /status +✖ FAILED/,
    /task +release/,
    /why +unit failed/,
    /where +shop on main by ana/,
    /model +large/,
    /tokens +1,200 in, 34 out, 0 from the cache, \$0\.50/,
    /✖ lint .*3 problems/,
    /checks +0 of 1 passed/,
    /✖ unit .*1 of 9\n +expected 1 to be 2/,
    /decided +Ship\? +no by \S+ after \d+s: too red/,
    /commands .*DECISION applied/,
    /output +\d+s {2}first\n +last words/,
  ]) {
    expect(stdout).toMatch(line);
  }
  expect(stderr).toContain("shannon-dash logs told -t --grep 'fail|FAIL|Error|✖'");
  expect((await place.call('sessions', 'show')).stdout).toBe(stdout);
  expect(JSON.parse((await place.call('sessions', 'show', 'told', '--json')).stdout)).toMatchObject({ session: { status: 'failed' } });
});

test('what is over is put away and taken back', async () => {
  const place = await newServerPlace();
  await place.publishAll('old', { type: 'execution:started' });
  expect((await place.run('sessions', 'archive', 'old')).stderr).toContain('old is running; only what is over is put away');
  await place.publishAll('old', { type: 'execution:completed' });
  await place.publishAll('other', { type: 'execution:started' });
  expect((await place.call('sessions', 'archive', 'old')).stdout).toBe('put away old\n');
  expect((await place.call('sessions')).stdout).not.toContain('old');
  expect((await place.call('sessions', '--archived')).stdout).toMatch(/^old +completed/m);
  expect((await place.call('sessions', 'unarchive', 'old')).stdout).toBe('took back old\n');
  expect((await place.call('sessions')).stdout).toMatch(/^old +completed/m);
});

test('one is pinned and unpinned, live or over, and older events go where a server keeps only the newest', async () => {
  const place = await serve('--journal', 'memory', '--retain-events', '5', '--retain', '30d', '--retain-size', '2GB');
  await publish(place, 'kept', { type: 'execution:started' });
  expect((await place.run('sessions', 'pin', 'kept')).stdout).toBe('pinned kept\n');
  expect((await callProgram(['sessions', 'show', 'kept'], place)).stdout).toMatch(/pinned +retention leaves it alone/);
  await publish(place, 'kept', { type: 'execution:completed' });
  await publish(
    place,
    'kept',
    // A history is cut where at least a hundred are too many.
    Array.from({ length: 110 }, (_, n) => ({ type: 'my:own', data: { n } })),
  );
  expect((await callProgram(['sessions', 'unpin', 'kept'], place)).stdout).toBe('unpinned kept\n');
  await vi.waitFor(
    async () => expect((await callProgram(['sessions', 'show', 'kept'], place)).stdout).toMatch(/history +from event \d+ on/),
    {
      timeout: 30_000,
    },
  );
  expect(await callProgram(['export', 'kept'], place)).toMatchObject({
    stdout: '',
    stderr: expect.stringContaining('retention has taken the events of kept through') as string,
  });
});

test('what is over is removed, what goes on is not, and a name that is none is told with the nearest', async () => {
  const place = await newServerPlace();
  await place.publishAll('working', { type: 'execution:started' });
  await place.publishAll('finished', { type: 'execution:completed' });
  expect(await place.run('sessions', 'rm', 'working', '--yes')).toMatchObject({
    code: 7,
    stderr: expect.stringContaining('working is running; only what is over is removed') as string,
  });
  expect(await place.call('sessions', 'rm', 'finished')).toMatchObject({
    code: 2,
    stderr: expect.stringContaining('needs --yes') as string,
  });
  expect((await place.call('sessions', 'rm', 'fin', '--yes')).stdout).toBe('removed finished\n');
  expect(await place.call('sessions', 'show', 'workin9')).toMatchObject({
    code: 7,
    stderr: expect.stringContaining('session not found: workin9. Did you mean working?') as string,
  });
  expect((await place.call('watch', 'wroking', '--plain')).stderr).toMatch(
    /Did you mean working\?[^]*wait for it: shannon-dash watch wroking --wait/,
  );
  await place.publishAll('work-2', { type: 'execution:started' });
  expect(await place.call('send', 'HALT', '-s', 'work')).toMatchObject({
    code: 2,
    stderr: expect.stringContaining('2 sessions begin with work: working, work-2') as string,
  });
});
