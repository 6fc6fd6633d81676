import { writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { pathToFileURL } from 'node:url';
import { expect, test } from 'vitest';
import { connectQuiet } from '../helpers/socket-client.ts';
import { http, publish } from '../helpers/start-server.ts';
import { watch } from '../dashboard/watch.ts';
import { serve, StartedProgram, type Place } from './started-program.ts';

/** Makes the clock of a program that is started with it wrong by so many minutes. */
function withClock({ folder }: Place, minutes: number): { NODE_OPTIONS: string } {
  const file = join(folder, `clock${minutes}.mjs`);
  writeFileSync(
    file,
    `const Right = Date;
     globalThis.Date = class extends Right {
       constructor(...given) { super(...(given.length === 0 ? [Date.now()] : given)); }
       static now() { return Right.now() + ${minutes * 60_000}; }
     };`,
  );
  return { NODE_OPTIONS: `--import ${pathToFileURL(file).href}` };
}

test('a watcher whose clock is wrong shows ages, durations and deadlines by the server', { timeout: 60_000 }, async () => {
  const place = await serve('--journal', 'memory');
  const server = { url: place.url } as Parameters<typeof publish>[0];
  await publish(server, 's', { type: 'execution:started', data: { task: 'build' } });
  await http('POST', `${place.url}/api/sessions/s/commands`, { type: 'HALT', reason: 'lunch' });
  const ahead = { ...place, env: { ...place.env, ...withClock(place, 10) } };
  const behind = { ...place, env: { ...place.env, ...withClock(place, -10) } };
  const session = new StartedProgram(['sessions'], ahead).ended;
  const commands = new StartedProgram(['commands', '-s', 's'], ahead).ended;
  const decides = [ahead, behind].map(
    (where, at) =>
      new StartedProgram(['decide', 'Ship?', '-s', 's', '--id', `d${at}`, '--option', 'a', '--default', 'a', '--timeout', '1h'], where),
  );
  const screen = watch(place.url, ['s'], { environment: withClock(place, 10) });
  await screen.shows('HALTED');
  expect(screen.rows()[0]).toMatch(/ 00:0[01]:\d\d /);
  expect(screen.text()).not.toMatch(/\b(9|10)m(?!s)/);
  expect((await session).stdout).toMatch(/ \d\d?s ago/);
  expect((await commands).stdout).toMatch(/^HALT +applied +\S+ +server +\d\d?s /m);
  for (const decide of decides) {
    await decide.until(({ stderr }) => stderr.includes('(a in '));
    expect(decide.stderr).toMatch(/\(a in (?:59m\d\ds|1h00m)\)/);
  }
});

test('a producer whose clock is wrong, or names no zone, disturbs no order, age, duration or deadline', async () => {
  const place = await serve('--journal', 'memory');
  const server = { url: place.url } as Parameters<typeof publish>[0];
  const producer = await connectQuiet(place.url);
  const at = (minutes: number) => new Date(Date.now() + minutes * 60_000).toISOString();
  const startedMs = Date.now();
  await publish(server, 'ahead', [
    { type: 'execution:started', timestamp: at(90) },
    { type: 'skill:started', data: { skill_name: 'lint' }, timestamp: at(90) },
    { type: 'skill:completed', data: { skill_name: 'lint' } },
    {
      type: 'decision:point',
      data: { decision_id: 'd', question: 'q', options: ['a'], default: 'a', timeout_ms: 3_600_000 },
      timestamp: at(-300),
    },
  ]);
  // As Python's datetime.now().isoformat() has it two hours east of UTC.
  const naive = at(120).replace('Z', '000');
  await producer.ask('cli_event', { session_id: 'naive', event_type: 'execution:started', timestamp: naive, data: {} });
  await publish(server, 'right', { type: 'execution:started', timestamp: at(0) });
  const events = await http<{ events: Record<string, string>[] }>('GET', `${place.url}/api/sessions/ahead/events`);
  expect(events.body.events.map((event) => 'received_at' in event)).toEqual([true, true, false, true]);
  expect(events.body.events[0]?.['timestamp']).not.toBe(events.body.events[0]?.['received_at']);
  const { body: state } = await http<{ skills: { duration_ms: number }[]; decisions: { deadline: string }[]; started_at: string }>(
    'GET',
    `${place.url}/api/sessions/ahead`,
  );
  const nowMs = Date.now();
  expect(Date.parse(state.started_at)).toBeGreaterThanOrEqual(startedMs);
  expect(state.skills[0]?.duration_ms).toBeLessThanOrEqual(nowMs - startedMs);
  const deadlineMs = Date.parse(state.decisions[0]?.deadline ?? '');
  expect(deadlineMs).toBeGreaterThanOrEqual(startedMs + 3_600_000);
  expect(deadlineMs).toBeLessThanOrEqual(nowMs + 3_600_000);
  const { body: right } = await http('GET', `${place.url}/api/sessions/right/events`);
  expect(JSON.stringify(right)).not.toContain('received_at');
  const listed = JSON.parse((await place.run('sessions', '--json')).stdout) as { sessions: { session_id: string }[] };
  expect(listed.sessions.map(({ session_id }) => session_id)).toEqual(['right', 'naive', 'ahead']);
});
