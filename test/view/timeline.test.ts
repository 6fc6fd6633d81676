import { expect, test } from 'vitest';
import { foldAll } from '../../src/core/fold/fold.ts';
import { initialState } from '../../src/core/protocol/session-state.ts';
import { tickTimes, timelineOf } from '../../src/view/timeline.ts';

const startMs = Date.UTC(2026, 0, 2, 12);
const at = (seconds: number) => new Date(startMs + seconds * 1_000).toISOString();

/** The state after events, each at a second of the run. */
function after(events: readonly (readonly [seconds: number, type: string, data: Record<string, unknown>])[]) {
  const origin = initialState({ session_id: 's', created_at: at(0) });
  const told = events.map(([seconds, type, data], index) => ({
    session_id: 's',
    seq: index + 1,
    id: `e${index}`,
    type,
    timestamp: at(seconds),
    data,
  }));
  return foldAll(origin, told);
}

/** Each lane as text: its rows, and the bars in them, in seconds. */
function lanesOf(state: ReturnType<typeof after>, nowSeconds: number) {
  const { fromMs, lanes } = timelineOf(state, startMs + nowSeconds * 1_000);
  const seconds = (ms: number) => (ms - fromMs) / 1_000;
  return Object.fromEntries(
    lanes.map(({ title, rows }) => [
      title,
      rows.map((row) => row.map((bar) => `${bar.text} ${seconds(bar.fromMs)}-${seconds(bar.toMs)}${bar.isOpen ? '...' : ''} ${bar.tone}`)),
    ]),
  );
}

test('a timeline has a bar for what lasted, rows for what overlaps, and what goes on lasts until now', () => {
  const command = (status: string, type: string, id: string) =>
    [`command:${status}`, { command_id: id, command_type: type, by: 'ana' }] as const;
  const state = after([
    [0, 'execution:started', {}],
    [1, 'agent:spawned', { agent_id: 'a' }],
    [2, 'skill:started', { skill_name: 'one' }],
    [3, 'skill:started', { skill_name: 'two' }],
    [5, 'skill:failed', { skill_name: 'one', error: 'no' }],
    [6, 'skill:started', { skill_name: 'three' }],
    [7, ...command('queued', 'HALT', 'c1')],
    [8, ...command('applied', 'HALT', 'c1')],
    [8, 'execution:halted', { command_id: 'c1', initiated_by: 'ana' }],
    [9, ...command('queued', 'RESUME', 'c2')],
    [12, ...command('applied', 'RESUME', 'c2')],
    [12, 'execution:resumed', { command_id: 'c2', initiated_by: 'ana' }],
    [13, 'decision:point', { decision_id: 'd', question: 'Go on?', options: ['yes'] }],
    [14, 'checkpoint:created', { checkpoint_id: 'cp', label: 'here' }],
    [15, 'validation:started', { check_name: 'tests' }],
    [18, 'validation:result', { check_name: 'tests', success: true, duration: 3 }],
  ]);
  expect(lanesOf(state, 20)).toEqual({
    Agents: [['a 1-20... active']],
    Skills: [['one 2-5 bad', 'three 6-20... active'], ['two 3-20... active']],
    Checks: [['tests 15-18 good']],
    Decisions: [['Go on? 13-20... warn']],
    Halts: [['halted by ana 8-12 warn']],
    Checkpoints: [['here 14-14 strong']],
  });
});

test('nothing reaches beyond the run, and a session of which nothing is known has no lanes', () => {
  const state = after([
    [0, 'execution:started', {}],
    [5, 'skill:completed', { skill_name: 'told at its end', duration: 600 }],
    [10, 'execution:completed', {}],
  ]);
  expect(lanesOf(state, 500)).toEqual({ Skills: [['told at its end 0-5 good']] });
  expect(timelineOf(initialState({ session_id: 's', created_at: at(0) }), startMs)).toEqual({
    fromMs: startMs,
    toMs: startMs + 1_000,
    lanes: [],
  });
});

test('what follows too soon for the text of the bar before it has a row of its own, as long as there are rows', () => {
  const skills = (number: number) =>
    after([
      [0, 'execution:started', {}],
      ...Array.from({ length: number }, (_, index) => [index + 1, 'skill:completed', { skill_name: `${index}`, duration: 0.5 }] as const),
    ]);
  expect(lanesOf(skills(3), 100)['Skills']).toEqual([['0 0.5-1 good'], ['1 1.5-2 good'], ['2 2.5-3 good']]);
  expect(lanesOf(skills(40), 1_000)['Skills']).toHaveLength(1);
});

test.each([
  [3_507_000, 6, [0, 600, 1_200, 1_800, 2_400, 3_000]],
  [3_507_000, 2, [0, 1_800]],
  [1_000, 6, [0, 1]],
  [90_000, 1, [0]],
  [40 * 365 * 86_400_000, 2, [0]],
])('times divide %s ms into round parts, at most %s', (lengthMs, most, seconds) => {
  expect(tickTimes(lengthMs, most).map((ms) => ms / 1_000)).toEqual(seconds);
});
