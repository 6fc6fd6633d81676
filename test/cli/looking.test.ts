import { expect, test } from 'vitest';
import { attachOrchestrator } from '../helpers/test-orchestrator.ts';
import { WatchedProgram } from '../dashboard/watched-program.ts';
import { newServerPlace } from './server-place.ts';
import { serve } from './started-program.ts';

test('stats --json has the figures that scripts need', async () => {
  const place = await newServerPlace();
  await place.publishAll('s', { type: 'execution:started' });
  await attachOrchestrator(place.url, { instance_id: 'one' });
  const { code, stdout } = await place.run('stats', '--json');
  expect(code).toBe(0);
  const number = expect.any(Number) as number;
  expect(JSON.parse(stdout)).toMatchObject({
    v: 1,
    url: place.url,
    clients: 1,
    orchestrators: 1,
    events_total: 2,
    events_per_second: number,
    publish_p50_ms: number,
    publish_p99_ms: number,
    journal_bytes: number,
    uptime_ms: number,
    sessions: [{ session_id: 's', status: 'running', watchers: 0, orchestrator: { attached: true, instance_id: 'one' } }],
  });
});

test('stats for people names server, journal and each live session', async () => {
  const place = await newServerPlace();
  await place.publishAll('s', { type: 'skill:started', data: { skill_name: 'lint' } });
  const { stdout } = await place.run('stats');
  expect(stdout).toMatch(/^http:\/\/127\.0\.0\.1:\d+ {2}shannon-dash 4\.\S+, up \d+s$/m);
  expect(stdout).toMatch(/^clients 0, programs 0, sessions 1 \(1 live\)$/m);
  expect(stdout).toMatch(/^s +running .* lint$/m);
});

test('stats -w looks again every second, over a restart of the server, until Ctrl-C', async () => {
  const place = await newServerPlace();
  const live = place.start('stats', '-w', '--json');
  await live.until(({ stdout }) => stdout.split('\n').length > 2);
  await place.server.close();
  await live.until(({ stderr }) => stderr.includes('trying again'));
  await place.server.restart();
  const before = live.stdout.length;
  await live.until(({ stdout }) => stdout.length > before);
  live.child.kill('SIGINT');
  const end = await live.ended;
  expect(end.code).toBe(130);
  for (const line of end.stdout.trim().split('\n')) expect(JSON.parse(line)).toMatchObject({ v: 1, url: place.url });
});

test('stats -w on a terminal stays in its place', async () => {
  const place = await newServerPlace();
  const terminal = new WatchedProgram(['stats', '-w', '--url', place.url]);
  await terminal.until(
    () => terminal.raw.split('clients').length > 2,
    20_000,
    () => terminal.text(),
  );
  expect(terminal.text().split('clients')).toHaveLength(2);
  terminal.type('\x03');
  expect(await terminal.ended()).toBe(130);
});

test('sessions lists them, those that changed last first', async () => {
  const place = await newServerPlace();
  expect(await place.run('sessions')).toMatchObject({ code: 0, stdout: '', stderr: expect.stringContaining('shannon-dash run') as string });
  for (const session of ['a', 'b', 'c']) await place.publishAll(session, { type: 'execution:started' });
  await place.publishAll('a', { type: 'execution:failed' });
  const names = async (...args: string[]) =>
    (JSON.parse((await place.call('sessions', '--json', ...args)).stdout) as { sessions: { session_id: string }[] }).sessions.map(
      (each) => each.session_id,
    );
  expect(await names()).toEqual(['a', 'c', 'b']);
  expect(await names('--live')).toEqual(['c', 'b']);
  const { stdout, stderr } = await place.call('sessions', '--limit', '1');
  expect(stdout).toMatch(/^SESSION +STATUS.*\na +failed/);
  expect(stderr).toBe('and 2 more: --limit 3\n');
});

test('commands tells state, by whom and how long ago, also when the run is over', async () => {
  const place = await newServerPlace();
  await place.publishAll('s', { type: 'execution:started' });
  expect((await place.run('commands')).stderr).toBe('nobody has sent s a command\n');
  await place.command('s', 'HALT', { reason: 'lunch', command_id: 'h-1' });
  await place.command('s', 'RESUME');
  await place.publishAll('s', { type: 'execution:completed' });
  const { stdout } = await place.call('commands');
  expect(stdout).toMatch(/^COMMAND +STATUS +BY +DONE BY +AGE +ID$/m);
  expect(stdout).toMatch(/^HALT +applied +\S+ +server +\d+s +h-1 +\{"reason":"lunch"\}$/m);
  expect(JSON.parse((await place.call('commands', '--limit', '1', '--json')).stdout)).toMatchObject({
    v: 1,
    session_id: 's',
    total: 2,
    commands: [{ command_type: 'RESUME' }],
  });
  expect((await place.call('commands', '--status', 'failed')).stderr).toBe('nobody has sent s a command that is failed\n');
});

test('commands says for whom a command waits; cancel takes it back, resend sends it again', async () => {
  const place = await newServerPlace();
  await place.publishAll('s', { type: 'execution:started' });
  for (const id of ['c-1', 'c-2']) await place.call('send', 'INJECT', '--skill', 'lint', '--id', id, '--wait', 'queued');
  const { stdout } = await place.run('commands');
  expect(stdout).toMatch(/^INJECT +queued .* c-2 +2 of 2, waits for a program to connect; \{/m);
  expect(stdout).toMatch(/^INJECT +queued .* c-1 +1 of 2, waits for a program to connect; \{/m);
  expect(await place.call('commands', 'resend', 'c-1')).toMatchObject({
    code: 7,
    stderr: expect.stringContaining('has not ended') as string,
  });
  expect(await place.call('commands', 'cancel', 'c-1')).toMatchObject({ code: 0, stdout: 'cancelled INJECT c-1: no program has had it\n' });
  expect((await place.call('commands', '--status', 'cancelled')).stdout).toMatch(/^INJECT +cancelled .* c-1 +Taken back by \S+$/m);
  await attachOrchestrator(place.url, { instance_id: 'one' });
  const { code, stdout: again } = await place.call('commands', 'resend', 'c-1');
  expect({ code, again }).toMatchObject({ code: 0, again: expect.stringMatching(/^INJECT applied by one in /) as string });
  expect((await place.call('commands', 'cancel')).code).toBe(2);
});

test('ping: a line a probe, then the summary', async () => {
  const place = await newServerPlace();
  const { code, stdout } = await place.run('ping', '-c', '3', '-i', '0');
  expect(code).toBe(0);
  expect(stdout).toMatch(
    /^seq=1 time=\d+\.\d{3} ms\nseq=2 time=.* ms\nseq=3 time=.* ms\n3 sent, 3 received, 0% loss\nmin\/avg\/p50\/p99\/max = (?:\d+\.\d{3}\/?){5} ms\n$/,
  );
  expect((await place.call('ping', '-c', '2', '-i', '0', '-q')).stdout).toMatch(/^2 sent, 2 received, 0% loss\nmin/);
  const json = await place.call('ping', '-c', '5', '-i', '0', '--json');
  expect(JSON.parse(json.stdout)).toMatchObject({ v: 1, sent: 5, received: 5, loss_percent: 0 });
});

test('ping goes on until Ctrl-C, and counts what is lost', async () => {
  const place = await serve('--journal', 'memory');
  const ping = place.start('ping', '-i', '0.05');
  await ping.until(({ stdout }) => stdout.includes('seq=2'));
  place.server.child.kill('SIGKILL');
  await ping.until(({ stdout }) => stdout.includes('lost: '));
  ping.child.kill('SIGINT');
  const end = await ping.ended;
  expect(end.code).toBe(130);
  expect(end.stdout).toMatch(/^\d+ sent, \d+ received, [\d.]+% loss$/m);
});

test('analytics sums the sessions up: as a table, as CSV and as a document', async () => {
  const place = await newServerPlace();
  expect(await place.run('analytics')).toMatchObject({
    code: 0,
    stdout: '',
    stderr: expect.stringContaining('there are no runs of that time'),
  });
  for (const [session, end] of [
    ['a', 'completed'],
    ['b', 'failed'],
  ]) {
    await place.publishAll(String(session), { type: 'execution:started', data: { folder: 'shop' } }, { type: `execution:${end}` });
  }
  const table = await place.call('analytics', '--by', 'folder');
  expect(table.stdout).toMatch(/^FOLDER +RUNS +FAILED +P50 .*COST\nshop +2 +1 \(50%\) /);
  const csv = await place.call('analytics', '--by', 'folder', '--since', '24h', '--csv');
  expect(csv.stdout).toMatch(/^key,sessions,started,.*\nshop,2,2,1,1,0,0\.5,/);
  const { stdout } = await place.call('analytics', '--json');
  expect(JSON.parse(stdout)).toMatchObject({ v: 1, by: 'day', total: { sessions: 2, completed: 1, failed: 1 }, rows: [{ started: 2 }] });
  expect(await place.call('analytics', '--by', 'moon')).toMatchObject({ code: 2 });
});
