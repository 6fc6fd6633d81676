import { expect, test } from 'vitest';
import type { SessionEvent } from '../../src/core/protocol/event.ts';
import { MemoryJournal } from '../../src/journal/memory/memory-journal.ts';
import { bring } from '../helpers/bring-session.ts';
import { http, startServer, type Json } from '../helpers/start-server.ts';

interface Row extends Json {
  key: string;
}

interface Answer {
  total: Json;
  rows: Row[];
  slowest_skills: { skill: string }[];
  failing_skills: { skill: string; failed: number }[];
  commands: Json[];
}

const minuteMs = 60_000;
const sessions = 300;

/** Numbers that look like chance and are the same each time. */
function numbers(): (below: number) => number {
  let state = 7;
  return (below) => (state = (state * 48_271) % 2_147_483_647) % below;
}

/** What the test counts by hand, beside the events. */
class Expected {
  readonly lengths: number[] = [];
  readonly waits: number[] = [];
  readonly sum = {
    sessions: 0,
    started: 0,
    completed: 0,
    failed: 0,
    working_ms: 0,
    halted_ms: 0,
    waiting_ms: 0,
    decisions: 0,
    input_tokens: 0,
  };
}

interface Run {
  id: string;
  folder: string;
  model: string;
  day: number;
  steps: [type: string, data: Json, afterMs: number][];
}

function eventsOf({ day, steps }: Run): SessionEvent[] {
  let at = Date.UTC(2026, 0, day, 8);
  return steps.map(([type, data, afterMs], index) => {
    at += afterMs;
    return { session_id: '', id: `e${index}`, seq: index + 1, type, timestamp: new Date(at).toISOString(), data };
  });
}

/** Runs that work, are halted, ask, use a skill and tokens, and end; told to `count` as they are made. */
function makeRuns(count: (run: Run, each: (expected: Expected) => void) => void): Run[] {
  const next = numbers();
  return Array.from({ length: sessions }, (_, index) => {
    const [work, halted, asked, hasFailed] = [next(50) * minuteMs, next(20) * minuteMs, next(30) * minuteMs, next(4) === 0];
    const run: Run = { id: `s-${index}`, folder: `f-${next(5)}`, model: `m-${next(3)}`, day: 1 + next(9), steps: [] };
    const skill = `k-${next(3)}`;
    run.steps = [
      ['execution:started', { folder: run.folder, model: run.model, labels: ['claude-code'] }, 0],
      ['skill:started', { skill_name: skill }, 0],
      ['execution:halted', {}, work],
      ['execution:resumed', {}, halted],
      [hasFailed ? 'skill:failed' : 'skill:completed', { skill_name: skill, duration: 1 + work / 1_000 }, 0],
      ['decision:point', { decision_id: 'd', question: '?', options: ['a', 'b'] }, 0],
      ['decision:made', { decision_id: 'd', choice: 'a' }, asked],
      ['usage:reported', { model: run.model, input_tokens: 10 + index, cost_usd: 0.5 }, 0],
      [hasFailed ? 'execution:failed' : 'execution:completed', {}, work],
    ];
    count(run, ({ sum, lengths, waits }) => {
      sum.sessions++;
      sum.started++;
      sum[hasFailed ? 'failed' : 'completed']++;
      sum.working_ms += 2 * work;
      sum.halted_ms += halted;
      sum.waiting_ms += asked;
      sum.decisions++;
      sum.input_tokens += 10 + index;
      lengths.push(2 * work + halted + asked);
      waits.push(asked);
    });
    return run;
  });
}

function exactly(all: readonly number[], share: number): number {
  return all.toSorted((a, b) => a - b)[Math.floor((all.length - 1) * share)] ?? Number.NaN;
}

function check(found: Json, { sum, lengths, waits }: Expected): void {
  expect(found).toMatchObject(sum);
  for (const [field, of, share] of [
    ['duration_p50_ms', lengths, 0.5],
    ['duration_p95_ms', lengths, 0.95],
    ['decision_p50_ms', waits, 0.5],
    ['decision_p95_ms', waits, 0.95],
  ] as const) {
    const exact = exactly(of, share);
    expect(Math.abs(Number(found[field]) - exact)).toBeLessThanOrEqual(exact * 0.0101 + 1);
  }
}

test('analytics agree with what is counted by hand, by day, folder, model and in all, also after a restart and with a part of the days', async () => {
  const by = { day: new Map<string, Expected>(), folder: new Map<string, Expected>(), model: new Map<string, Expected>() };
  const [total, since] = [new Expected(), new Expected()];
  const runs = makeRuns((run, each) => {
    const day = `2026-01-0${run.day}`;
    const keys = { day, folder: run.folder, model: run.model };
    for (const key of ['day', 'folder', 'model'] as const) {
      const expected = by[key].get(keys[key]) ?? new Expected();
      by[key].set(keys[key], expected);
      each(expected);
    }
    each(total);
    if (run.day >= 5) each(since);
  });
  const server = await startServer();
  for (const run of runs) {
    await bring(server.journal, { session_id: run.id, created_at: '2026-01-01T00:00:00.000Z' }, eventsOf(run));
    await http('GET', `${server.url}/api/sessions/${run.id}`);
  }
  const ask = async (query: string) => (await http<Answer>('GET', `${server.url}/api/analytics?${query}`)).body;
  const compare = async () => {
    for (const [key, rows] of Object.entries(by)) {
      const answer = await ask(`by=${key}`);
      expect(answer.rows.map((row) => row.key).toSorted()).toEqual([...rows.keys()].toSorted());
      for (const row of answer.rows) check(row, rows.get(row.key) ?? new Expected());
      check(answer.total, total);
    }
    check((await ask('since=2026-01-05')).total, since);
  };
  await compare();
  await server.restart();
  await compare();
  const skills = await ask('by=skill');
  expect(skills.rows.map(({ key }) => key).toSorted()).toEqual(['k-0', 'k-1', 'k-2']);
  expect(skills.rows.reduce((sum, row) => sum + Number(row['failed']), 0)).toBe(total.sum.failed);
  expect(skills.slowest_skills).toHaveLength(3);
  expect(skills.failing_skills.map(({ failed }) => failed)).toEqual(
    skills.failing_skills.map(({ failed }) => failed).toSorted((a, b) => b - a),
  );
});

test('what is deleted is gone from analytics; commands, roles and kinds of agents have their rows; a halt over midnight is of both days', async () => {
  const server = await startServer({ journal: new MemoryJournal() });
  const publish = (id: string, events: [string, Json][]) =>
    http(
      'POST',
      `${server.url}/api/sessions/${id}/events`,
      events.map(([type, data]) => ({ type, data })),
    );
  await publish('claude-code-1', [
    ['execution:started', { labels: ['claude-code'] }],
    ['agent:spawned', { agent_id: 'a', role: 'Explore' }],
    ['agent:completed', { agent_id: 'a', duration: 3 }],
    ['agent:completed', { agent_id: 'a', duration: 3 }],
  ]);
  await http('POST', `${server.url}/api/sessions/claude-code-1/commands`, { type: 'HALT' });
  await publish('gone', [['execution:started', {}]]);
  await http('DELETE', `${server.url}/api/sessions/gone`);
  const { body } = await http<Answer>('GET', `${server.url}/api/analytics?by=agent`);
  expect(body.total).toMatchObject({ sessions: 1, started: 1, commands_applied: 1 });
  expect(body.commands).toEqual([{ command_type: 'HALT', applied: 1, failed: 0, rejected: 0, expired: 0, cancelled: 0 }]);
  expect(body.rows.find(({ key }) => key === 'claude-code')).toMatchObject({ started: 1, commands_applied: 1 });
  expect(body.rows.find(({ key }) => key === 'Explore')).toMatchObject({
    completed: 1,
    failed: 0,
    duration_p50_ms: expect.closeTo(3_000, -2),
  });
  const night: Run = {
    id: 'night',
    folder: 'f',
    model: 'm',
    day: 1,
    steps: [
      ['execution:started', {}, 0],
      ['execution:halted', {}, 8 * 60 * minuteMs],
      ['execution:completed', {}, 12 * 60 * minuteMs],
    ],
  };
  await bring(server.journal, { session_id: 'night', created_at: '2026-01-01T00:00:00.000Z' }, eventsOf(night));
  await http('GET', `${server.url}/api/sessions/night`);
  const days = await http<Answer>('GET', `${server.url}/api/analytics?since=2026-01-01&until=2026-01-02`);
  expect(days.body.rows).toMatchObject([
    { key: '2026-01-02', halted_ms: 4 * 60 * minuteMs, completed: 1, started: 0 },
    { key: '2026-01-01', halted_ms: 8 * 60 * minuteMs, working_ms: 8 * 60 * minuteMs, completed: 0, started: 1 },
  ]);
});

test('as CSV the rows have the names of their fields; a name that a spreadsheet would take for a formula is a text', async () => {
  const server = await startServer({ journal: new MemoryJournal() });
  const folder = '=HYPERLINK("http://evil.example")';
  await http('POST', `${server.url}/api/sessions/s/events`, { type: 'execution:started', data: { folder } });
  const response = await fetch(`${server.url}/api/analytics?by=folder&format=csv`);
  expect(response.headers.get('content-type')).toBe('text/csv; charset=utf-8');
  const [head, row, rest] = (await response.text()).split('\r\n');
  expect(head).toMatch(/^key,sessions,started,completed,/);
  expect(row).toMatch(/^"'=HYPERLINK\(""http:\/\/evil\.example""\)",1,1,0,/);
  expect(rest).toBe('');
  expect((await fetch(`${server.url}/api/analytics?by=nothing`)).status).toBe(400);
});
