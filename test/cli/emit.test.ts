import { expect, test } from 'vitest';
import type { SessionEvent } from '../../src/core/protocol/event.ts';
import { http } from '../helpers/start-server.ts';
import { newServerPlace } from './server-place.ts';
import { runProgram, serve } from './started-program.ts';

async function events(url: string, session: string): Promise<SessionEvent[]> {
  return (await http<{ events: SessionEvent[] }>('GET', `${url}/api/sessions/${session}/events`)).body.events;
}

test('an event is in the journal when emit ends, under the name of who sent it', async () => {
  const place = await newServerPlace();
  place.env['SHANNON_DASH_CLIENT'] = 'ci';
  const end = await place.run('emit', 'skill:started', '-s', 'a', '--data', '{"skill_name":"lint"}');
  expect(end).toMatchObject({ code: 0, stdout: '', stderr: '' });
  expect(await events(place.url, 'a')).toMatchObject([{ seq: 1, type: 'skill:started', data: { skill_name: 'lint' }, source: 'ci' }]);
});

test('the session comes from the environment, or is the only live one', async () => {
  const place = await newServerPlace();
  place.env['SHANNON_DASH_SESSION'] = 'b';
  await place.call('emit', 'execution:started');
  delete place.env['SHANNON_DASH_SESSION'];
  const { stdout } = await place.call('emit', 'note:made', '--json');
  expect(JSON.parse(stdout)).toEqual({ v: 1, ok: true, session_id: 'b', events: 1, first_seq: 2, last_seq: 2 });
});

test('the same --id is journalled once; with other content it is a conflict', async () => {
  const place = await newServerPlace();
  for (const _ of [1, 2]) expect((await place.call('emit', 'a:b', '-s', 's', '--id', 'x', '--data', '{"n":1}')).code).toBe(0);
  expect((await place.call('emit', 'a:b', '-s', 's', '--id', 'x', '--data', '{"n":2}')).code).toBe(7);
  expect(await events(place.url, 's')).toHaveLength(1);
});

test('many come from stdin, in order, a line each', async () => {
  const place = await newServerPlace();
  const lines = Array.from({ length: 5_000 }, (_, index) => JSON.stringify({ type: 'load:step', data: { index }, id: `id-${index}` }));
  const { code, stdout } = await runProgram(['emit', '-', '-s', 's', '--json'], place, `${lines.join('\n')}\n\n`);
  expect(code).toBe(0);
  expect(JSON.parse(stdout)).toMatchObject({ events: 5_000, first_seq: 1, last_seq: 5_000 });
  const { body } = await http<{ events: SessionEvent[] }>('GET', `${place.url}/api/sessions/s/events?limit=10000`);
  expect(body.events.map(({ data }) => data['index'])).toEqual(lines.map((_, index) => index));
  await runProgram(['emit', 'load:more', '-', '-s', 's'], place, '{"n":1}\n{"n":2}\n');
  expect((await http<{ events: SessionEvent[] }>('GET', `${place.url}/api/sessions/s/events?after=5000`)).body.events).toMatchObject([
    { type: 'load:more', data: { n: 1 } },
    { type: 'load:more', data: { n: 2 } },
  ]);
});

test('--data - reads one document', async () => {
  const place = await newServerPlace();
  await runProgram(['emit', 'a:b', '-s', 's', '--data', '-'], place, '{\n  "n": 1\n}\n');
  expect(await events(place.url, 's')).toMatchObject([{ data: { n: 1 } }]);
});

test('a line that is refused is named; what stands before it is journalled', async () => {
  const place = await newServerPlace();
  const broken = await runProgram(['emit', '-', '-s', 's'], place, '{"type":"a:b"}\n{"type":\n{"type":"a:c"}\n');
  expect(broken.code).toBe(2);
  expect(broken.stderr).toMatch(/^error: line 2 of stdin is not JSON/m);
  expect(await events(place.url, 's')).toHaveLength(1);
  const refused = await runProgram(['emit', '-', '-s', 's'], place, '{"type":"skill:started"}\n');
  expect(refused.code).toBe(2);
  expect(refused.stderr).toMatch(/skill:started.*skill_name/);
});

test('an open stdin does not hold back what has come', async () => {
  const place = await newServerPlace();
  const watcher = place.start('watch', 's', '--wait', '--json');
  await watcher.until(({ stderr }) => stderr.includes('waiting for s'));
  const emit = place.start('emit', '-', '-s', 's');
  emit.child.stdin?.write('{"type":"first:event"}\n');
  await watcher.until(({ stdout }) => stdout.includes('first:event'));
  emit.child.stdin?.end();
  expect((await emit.ended).code).toBe(0);
});

test('what cannot be journalled for the time given ends it with the reason, what came before is journalled', async () => {
  const place = await serve('--journal', 'memory');
  const emit = place.start('emit', '-', '-s', 's', '--timeout', '2s');
  emit.child.stdin?.write('{"type":"first:event"}\n');
  await expect.poll(() => events(place.url, 's').catch(() => []), { timeout: 20_000 }).toHaveLength(1);
  // It stands still: it is there, and acknowledges nothing.
  place.server.child.kill('SIGSTOP');
  emit.child.stdin?.write('{"type":"second:event"}\n');
  const end = await emit.ended;
  expect(end.stderr).toMatch(/^error: 1 event was not journalled in 2s: /m);
  expect(end.code).toBe(3);
  place.server.child.kill('SIGCONT');
});

test('inside a run, an event waits for a server that is being restarted', async () => {
  const place = await serve('--port', '0');
  const { port } = new URL(place.url);
  place.server.child.kill('SIGINT');
  await place.server.ended;
  place.env['SHANNON_DASH_RUN'] = 'run-1';
  const emit = place.start('emit', 'a:b', '-s', 's');
  const again = place.start('serve', '--port', port, '--json');
  await again.until(({ stdout }) => stdout.includes('\n'));
  expect(await emit.ended).toMatchObject({ code: 0, stderr: '' });
  expect(await events(place.url, 's')).toHaveLength(1);
});

test('numbers that would be changed are refused by their field; usual timestamps are read; a byte order mark is skipped', async () => {
  const place = await newServerPlace();
  const number = '12345678901234567890';
  const line = await runProgram(['emit', '-', '-s', 's'], place, `{"type":"a:b","data":{"id":${number}}}\n`);
  expect([line.code, line.stderr]).toEqual([2, expect.stringContaining(`line 1 of stdin: data.id: ${number} cannot be kept`)]);
  const data = await place.call('emit', 'a:b', '-s', 's', '--data', '{"n":[1e400]}');
  expect([data.code, data.stderr]).toEqual([2, expect.stringContaining('--data: n[0]: 1e400 cannot be kept')]);
  const lines = ['2026-01-02 03:04:05+00:00', 1_767_323_045, null].map((timestamp) => JSON.stringify({ type: 'a:b', timestamp }));
  expect((await runProgram(['emit', '-', '-s', 's'], place, `\ufeff${lines.join('\r\n')}\r\n`)).code).toBe(0);
  const [first, second, third, ...more] = await events(place.url, 's');
  expect([first?.timestamp, second?.timestamp, more]).toEqual(['2026-01-02T03:04:05.000Z', '2026-01-02T03:04:05.000Z', []]);
  expect(third).not.toHaveProperty('received_at');
  const unread = await runProgram(['emit', '-', '-s', 's'], place, '{"type":"a:b","timestamp":"soon"}\n');
  expect([unread.code, unread.stderr]).toEqual([2, expect.stringContaining('timestamp: must be a date and time')]);
});
