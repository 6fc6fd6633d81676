import * as fc from 'fast-check';
import { expect, test, vi } from 'vitest';
import { foldAll } from '../../src/core/fold/fold.ts';
import { briefOf, briefStateOf } from '../../src/server/sessions/session-brief.ts';
import { anyEvents } from '../core/any-events.ts';
import { createdState, eventsOf } from '../core/session-events.ts';

// A second or two of work, which a busy machine may stretch.
vi.setConfig({ testTimeout: 60_000 });

test('the brief that follows the events without the whole state is the brief of the whole state', () => {
  fc.assert(
    fc.property(anyEvents, fc.nat({ max: 40 }), (given, cut) => {
      const whole = foldAll(createdState(), given);
      let state = briefStateOf(foldAll(createdState(), given.slice(0, cut)));
      for (const event of given.slice(cut)) state = briefStateOf(foldAll(state, [event]));
      expect(briefOf(state)).toEqual(briefOf(whole));
    }),
    { numRuns: 500 },
  );
});

test('usage that two signals tell counts once, also without the whole state', () => {
  const usage = { input_tokens: 10, output_tokens: 1, since: '2026-01-01T00:00:00.000Z', until: '2026-01-01T00:01:00.000Z' };
  const given = eventsOf([
    ['usage:reported', { ...usage, signal: 'logs' }],
    ['usage:reported', { ...usage, signal: 'metrics' }],
  ]);
  let state = createdState();
  for (const event of given) state = briefStateOf(foldAll(state, [event]));
  expect([state.usage, state.rollup]).toEqual([foldAll(createdState(), given).usage, foldAll(createdState(), given).rollup]);
});

test('the steps of a run with many skills are counted on', () => {
  const steps = Array.from({ length: 300 }, (_, at) => [
    ['skill:started', { skill_name: `step-${at}` }],
    [at % 3 === 0 ? 'skill:failed' : 'skill:completed', { skill_name: `step-${at}`, message: 'x'.repeat(1_000) }],
  ]).flat() as [string, Record<string, unknown>][];
  const given = eventsOf([['execution:started', { total_steps: 300 }], ...steps]);
  let state = createdState();
  for (const event of given) state = briefStateOf(foldAll(state, [event]));
  const whole = foldAll(createdState(), given);
  expect(briefOf(state)).toEqual(briefOf(whole));
  expect(JSON.stringify(state).length).toBeLessThan(40_000);
  expect(JSON.stringify(whole).length).toBeGreaterThan(300_000);
});

test('a list tells the beginning of a long task', () => {
  const state = foldAll(createdState(), eventsOf([['execution:started', { task: 'x'.repeat(1_000) }]]));
  const short = `${'x'.repeat(199)}…`;
  expect(briefOf(state).task).toBe(short);
  expect(briefOf(briefStateOf(state)).task).toBe(short);
  expect(briefOf(foldAll(createdState(), eventsOf([['execution:started', {}]]))).task).toBeNull();
});
