import { execFile } from 'node:child_process';
import { promisify } from 'node:util';
import { expect, test } from 'vitest';
import type { SessionEvent } from '../../src/core/protocol/event.ts';
import { until } from './run-place.ts';
import { newServerPlace, type ServerPlace } from './server-place.ts';
import { bin, nodePath, type StartedProgram } from './started-program.ts';

const at = '2026-01-02T12:04:31.420Z';
const started = { type: 'execution:started', timestamp: at };
const skill = (name: string) => ({ type: 'skill:started', data: { skill_name: name }, timestamp: at });
const completed = { type: 'execution:completed', timestamp: at };
const failed = { type: 'execution:failed', data: { error: 'out of memory' }, timestamp: at };
const asks = { type: 'decision:point', data: { decision_id: 'd', question: 'Go?', options: ['a', 'b'] }, timestamp: at };
const made = { type: 'decision:made', data: { decision_id: 'd', choice: 'a' }, timestamp: at };

/** The times of the lines are those at which the server took the events in. */
function timeless(text: string): string {
  return text.replace(/^\d\d:\d\d:\d\d\.\d{3}/gm, 'TIME');
}

function eventsOf({ stdout }: { stdout: string }): SessionEvent[] {
  return stdout
    .split('\n')
    .filter((line) => line !== '')
    .map((line) => JSON.parse(line) as SessionEvent)
    .filter(({ type }) => type !== 'session:state');
}

async function watching(place: ServerPlace, ...args: string[]): Promise<StartedProgram> {
  const watcher = place.start('watch', '--wait', ...args);
  await watcher.until(({ stderr }) => /^(?:watching|waiting)/m.test(stderr));
  return watcher;
}

test('without a terminal: a line for each event, without any control of a terminal', async () => {
  const place = await newServerPlace();
  const watcher = await watching(place, 's');
  expect(watcher.stderr).toBe(`waiting for s at ${place.url}: it has no events yet\n`);
  await place.publishAll(
    's',
    started,
    skill('lint'),
    { type: 'process:output', data: { stream: 'stderr', lines: ['one', 'two'] }, timestamp: at },
    failed,
  );
  await watcher.until(({ stdout }) => stdout.includes('failed'));
  expect(timeless(watcher.stdout)).toBe(
    [
      'TIME  run     started',
      'TIME  skill   lint started',
      'TIME  err     one',
      'TIME  err     two',
      'TIME  run     failed: out of memory',
      '',
    ].join('\n'),
  );
  watcher.child.kill('SIGINT');
  expect((await watcher.ended).code).toBe(130);
});

test('without a session it shows all of them, each line with its own', async () => {
  const place = await newServerPlace();
  const watcher = await watching(place);
  await place.publishAll('one', started);
  await place.publishAll('two', started);
  await watcher.until(({ stdout }) => stdout.includes('two'));
  expect(timeless(watcher.stdout)).toBe('TIME  one  run     started\nTIME  two  run     started\n');
  watcher.child.kill('SIGTERM');
  expect((await watcher.ended).code).toBe(143);
});

test('--json gives the wire events, versioned; --since and --tail begin in the history', async () => {
  const place = await newServerPlace();
  await place.publishAll('s', started, skill('a'), skill('b'), completed);
  const from = async (...args: string[]) => {
    const end = await place.call('watch', 's', '--json', '--until', 'done', ...args);
    expect(end.code).toBe(0);
    return eventsOf(end);
  };
  const whole = await place.run('watch', 's', '--json', '--until', 'done', '--since', '0');
  expect(whole.code).toBe(0);
  expect(eventsOf(whole)).toMatchObject([{ v: 1, session_id: 's', seq: 1, type: 'execution:started' }, { seq: 2 }, { seq: 3 }, { seq: 4 }]);
  expect((await from('--since', '2')).map(({ seq }) => seq)).toEqual([3, 4]);
  expect((await from('--tail', '2')).map(({ seq }) => seq)).toEqual([3, 4]);
  expect((await from('--since', '0', '-f', 'skill:*')).map(({ seq }) => seq)).toEqual([2, 3]);
  expect((await from('--tail', '1', '-f', 'skill:*')).map(({ seq }) => seq)).toEqual([3]);
  expect((await from('--at', '2')).map(({ seq }) => seq)).toEqual([1, 2]);
  expect(await from()).toEqual([]);
});

test('of a session that has ended it says that it waits for the next run, where its history ends', async () => {
  const place = await newServerPlace();
  await place.publishAll('s', started, skill('a'), completed);
  const waits = 'it has ended; this waits for its next run (what it did: shannon-dash sessions show s)\n';
  for (const [args, told] of [
    [[], 'completed'],
    [['--since', '0'], 'completed'],
    [['--tail', '1'], 'completed'],
    [['--tail', '0'], ''],
    [['--since', '0', '-f', 'skill:*'], 'a started'],
  ] as const) {
    const watcher = place.start('watch', 's', '--plain', ...args);
    await watcher.until(({ stdout, stderr }) => stderr.endsWith(waits) && stdout.includes(told));
    expect(watcher.stderr).toBe(`watching s at ${place.url}\n${waits}`);
    watcher.child.kill('SIGINT');
    await watcher.ended;
  }
});

test('--tail looks back as far as it must, and sorts out what was not asked for', async () => {
  const place = await newServerPlace();
  const noise = Array.from({ length: 3_000 }, () => skill('x'));
  await place.publishAll('s', started, ...noise, asks, ...noise, made, ...noise, completed);
  const tail = async (...args: string[]) =>
    eventsOf(await place.call('watch', 's', '--json', '--until', 'done', ...args)).map(({ seq }) => seq);
  expect(await tail('--tail', '2', '-f', 'decision:*')).toEqual([3_002, 6_003]);
  expect(await tail('--tail', '9', '-f', 'decision:point', '-f', 'execution:*')).toEqual([1, 3_002, 9_004]);
  expect(await tail('--tail', '2')).toEqual([9_003, 9_004]);
});

test.runIf(process.platform === 'linux')('it ends when its reader has gone, not with the next event', async () => {
  const place = await newServerPlace();
  await place.publishAll('s', started);
  const piped = async (line: string) => {
    const env = { ...place.env, node: nodePath, bin };
    return promisify(execFile)('bash', ['-c', `set -o pipefail; ${line}`], { cwd: place.folder, env });
  };
  expect((await piped('"$node" "$bin" watch s --json --since 0 | grep -m1 started')).stdout).toContain('execution:started');
  expect((await piped('"$node" "$bin" watch s --plain --since 0 | head -1')).stdout).toContain('started');
  await piped('"$node" "$bin" watch none --wait --plain | true');
  await piped('"$node" "$bin" stats -w --json | head -1 >/dev/null');
});

test.each([
  ['--until done, and it fails', ['--until', 'done'], failed, 0],
  ['--exit-status, and it completes', ['--exit-status'], completed, 0],
  ['--exit-status, and it fails', ['--exit-status'], failed, 5],
  ['--until decision', ['--until', 'decision'], asks, 0],
  ['--fail-on-decision', ['--fail-on-decision'], asks, 8],
] as const)('%s', async (_, args, event, code) => {
  const place = await newServerPlace();
  await place.publishAll('s', started);
  const live = await watching(place, 's', ...args);
  await place.publishAll('s', event);
  expect((await live.ended).code).toBe(code);
  expect((await place.call('watch', 's', ...args)).code).toBe(code);
});

test.each([
  ['--until done of a run that completed', [started, completed], ['--until', 'done'], 0, []],
  ['--until failed of a run that failed', [started, failed], ['--until', 'failed', '--exit-status'], 5, []],
  ['--until failed of a run that completed', [started, completed], ['--until', 'failed'], 0, []],
  ['a tail of nothing', [started, completed], ['--until', 'failed', '--tail', '0'], 0, []],
  ['a tail that does not reach back to the end', [started, failed, skill('late')], ['--exit-status', '--tail', '1'], 5, ['skill:started']],
  ['a beginning that is still to come', [started, failed], ['--exit-status', '--since', '9'], 5, []],
  ['an older decision that is still open', [started, asks, skill('a')], ['--fail-on-decision', '--tail', '1'], 8, ['skill:started']],
  [
    'an open decision, told from the beginning',
    [asks, skill('a')],
    ['--fail-on-decision', '--since', '0'],
    8,
    ['decision:point', 'skill:started'],
  ],
  [
    'a decision that was made since',
    [asks, made, completed],
    ['--fail-on-decision', '--since', '0'],
    0,
    ['decision:point', 'decision:made', 'execution:completed'],
  ],
  ['an open decision of a run that is over', [asks, failed], ['--fail-on-decision', '--exit-status'], 5, []],
] as const)('what has happened already ends it too: %s', async (_, events, args, code, told) => {
  const place = await newServerPlace();
  await place.publishAll('s', ...events);
  const end = await place.call('watch', 's', '--json', ...args);
  expect(eventsOf(end).map(({ type }) => type)).toEqual(told);
  expect(end.code).toBe(code);
});

test('a decision of the history that was made since is no end, the next one is', async () => {
  const place = await newServerPlace();
  await place.publishAll('s', asks, made);
  const watcher = await watching(place, 's', '--json', '--until', 'decision', '--since', '0');
  await watcher.until(({ stdout }) => stdout.includes('decision:made'));
  await place.publishAll('s', { ...asks, data: { ...asks.data, decision_id: 'e' } });
  expect((await watcher.ended).code).toBe(0);
  expect(eventsOf(watcher).map(({ seq }) => seq)).toEqual([1, 2, 3]);
});

test('over a restart of the server every event comes once; what happens to the connection is said on stderr', async () => {
  const place = await newServerPlace();
  const watcher = await watching(place, 's', '--json');
  await place.publishAll('s', started, skill('a'));
  await watcher.until(({ stdout }) => stdout.includes('"a"'));
  await place.server.close();
  await watcher.until(({ stderr }) => stderr.includes('reconnecting ('));
  await place.server.restart();
  await place.publishAll('s', skill('b'));
  await watcher.until(({ stdout }) => stdout.includes('"b"'));
  expect(watcher.stderr).toMatch(/connected again after/);
  expect(eventsOf(watcher).map(({ seq }) => seq)).toEqual([1, 2, 3]);
});

test('a reader that has enough is no error', async () => {
  const place = await newServerPlace();
  await place.publishAll('s', ...Array.from({ length: 500 }, () => skill('x'.repeat(1_000))));
  const watcher = place.start('watch', 's', '--json', '--since', '0');
  await watcher.until(({ stdout }) => stdout.includes('\n'));
  watcher.child.stdout?.destroy();
  expect(await watcher.ended).toMatchObject({ code: 0, stderr: expect.not.stringContaining('EPIPE') as string });
});

test('a reader that is slow gets everything', async () => {
  const place = await newServerPlace();
  const count = 3_000;
  await place.publishAll('s', ...Array.from({ length: count }, () => skill('x'.repeat(1_000))), completed);
  const watcher = place.start('watch', 's', '--json', '--since', '0', '--until', 'done');
  const { stdout } = watcher.child;
  stdout?.pause();
  await until('nothing more is read', () => (stdout?.readableLength ?? 0) >= (stdout?.readableHighWaterMark ?? 0));
  await place.publishAll('another', skill('meanwhile'));
  stdout?.resume();
  const end = await watcher.ended;
  expect(end.code).toBe(0);
  expect(eventsOf(end)).toHaveLength(count + 1);
});

test('texts from outside cannot steer the terminal', async () => {
  const place = await newServerPlace();
  const hostile = '\x1b]0;title\x07\x9b2J\x1b[31mred\r\u202ereversed\nline';
  await place.publishAll(
    's',
    skill(hostile),
    { type: 'process:output', data: { stream: 'stdout', lines: [hostile] } },
    { type: 'odd:type', data: { text: hostile } },
    completed,
  );
  const plain = await place.call('watch', 's', '--since', '0', '--until', 'done');
  expect(plain.stdout).toContain('red');
  const json = await place.call('watch', 's', '--since', '0', '--until', 'done', '--json');
  // oxlint-disable-next-line no-control-regex
  for (const { stdout } of [plain, json]) expect(stdout).not.toMatch(/[\x00-\x09\x0b-\x1f\x7f-\x9f\u202e]/);
  expect(eventsOf(json)[0]?.data['skill_name']).toBe(hostile);
});
