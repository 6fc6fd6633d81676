import * as fc from 'fast-check';
import { expect, test, vi } from 'vitest';
import type { SessionEvent } from '../../src/core/protocol/event.ts';
import { fold, foldAll, isSettled, readsData } from '../../src/core/fold/fold.ts';
import { foldLimits } from '../../src/core/protocol/limits.ts';
import type { SessionState } from '../../src/core/protocol/session-state.ts';
import { anyEvents as events, anyType as types } from './any-events.ts';
import { createdState, eventsOf, timeOf } from './session-events.ts';

// A second or two of work, which a busy machine may stretch.
vi.setConfig({ testTimeout: 60_000 });

function deepFrozen<Value>(value: Value): Value {
  if (typeof value === 'object' && value !== null && !Object.isFrozen(value)) {
    Object.freeze(value);
    for (const part of Object.values(value)) deepFrozen(part);
  }
  return value;
}

const throughJson = <Value>(value: Value): Value => JSON.parse(JSON.stringify(value)) as Value;

test('folding in any batches, each begun from the JSON of the last state, ends the same', () => {
  fc.assert(
    fc.property(events, fc.array(fc.nat({ max: 40 }), { maxLength: 6 }), (given, cuts) => {
      const whole = foldAll(createdState(), given);
      const at = [0, ...cuts.map((cut) => Math.min(cut, given.length)).toSorted((a, b) => a - b), given.length];
      let state = createdState();
      for (const [index, from] of at.entries()) state = throughJson(foldAll(state, throughJson(given.slice(from, at[index + 1] ?? from))));
      expect(JSON.stringify(state)).toBe(JSON.stringify(whole));
    }),
    { numRuns: 150 },
  );
});

test('events of whose data nothing is taken can be left out, but for the last, once the state is settled', () => {
  fc.assert(
    fc.property(events, (given) => {
      let short = createdState();
      for (const [index, event] of given.entries()) {
        const isLeftOut = isSettled(short) && !readsData(event.type) && index < given.length - 1;
        if (!isLeftOut) short = fold(short, event);
      }
      expect(short).toEqual(foldAll(createdState(), given));
    }),
    { numRuns: 300 },
  );
});

test('any events in any order fold, and leave what they were given as it was', () => {
  fc.assert(
    fc.property(events, (given) => {
      let state: SessionState = deepFrozen(createdState());
      for (const event of deepFrozen(given)) state = deepFrozen(fold(state, event));
      expect(state.seq).toBe(given.length);
    }),
    { numRuns: 300 },
  );
});

test.each([null, 'text', 5, true, [], [1, { path: 'a' }]])('data that are %j fold too, for every type', (data) => {
  for (const type of types) {
    const event = { session_id: 's', seq: 1, id: 'e1', type, timestamp: timeOf(1), data } as unknown as SessionEvent;
    expect(fold(createdState(), event).seq).toBe(1);
  }
});

test('values nested deeper than JSON can be written fold too, for every type', () => {
  const deep: unknown = JSON.parse(`${'[{"message":'.repeat(20_000)}1${'}]'.repeat(20_000)}`);
  const data = { skill_name: 'a', command_id: 'k', command_type: 'INJECT', decision_id: 'd', options: ['A', deep], capabilities: [deep] };
  for (const type of types) {
    const given = eventsOf([
      [type, { ...data, error: deep, result: deep, context: deep, parameters: { deep }, files: deep, message: deep }],
    ]);
    expect(JSON.stringify(foldAll(createdState(), given)).length).toBeLessThan(50_000);
  }
});

/** One event of every type, each text as long as the state keeps it or longer, each with an id of its own. */
function hugeEvents(round: number): SessionEvent[] {
  const long = (kind: string) => `${kind}${round} `.padEnd(foldLimits.textChars + 100, 'x');
  const fields = {
    skill_name: long('s'),
    skill_id: long('i'),
    agent_id: long('a'),
    path: long('p'),
    decision_id: long('d'),
    check_name: long('v'),
    checkpoint_id: long('c'),
    command_id: long('k'),
    instance_id: long('o'),
    command_type: 'INJECT',
    choice: long('h'),
    task: long('t'),
    message: long('m'),
    reason: long('r'),
    question: long('q'),
    default: long('f'),
    label: long('l'),
    role: long('o'),
    line: long('n'),
    by: long('b'),
    error: long('e'),
    result: long('u').repeat(3),
    context: { deep: long('x') },
    comment: long('c'),
    parameters: { deep: long('z').repeat(100) },
    files: [long('w')],
    capabilities: Array.from({ length: 100 }, () => long('g')),
    delivered_to: long('d'),
    acknowledged_by: long('y'),
    made_by: long('m'),
    initiated_by: long('i'),
    target_skill: long('t'),
    options: Array.from({ length: 2 }, (_, at) => ({ id: long(`${at}`), label: long('l'), description: long('d') })),
  };
  const perRound = types.filter((type) => type !== 'decision:made' && !/^command:(?!queued)/.test(type));
  return eventsOf(perRound.map((type) => [type, fields] as const));
}

test('the size of the state stays bounded when every text is long and every list grows', () => {
  const full = Math.max(foldLimits.skills, foldLimits.files, foldLimits.agents, foldLimits.commands) + 10;
  let state = createdState();
  for (let round = 0; round < full; round++) state = foldAll(state, hugeEvents(round));
  const charsWhenFull = JSON.stringify(state).length;
  for (let round = full; round < full + 100; round++) state = foldAll(state, hugeEvents(round));
  // Full lists let go as much as they take, but for the digits of the numbers.
  expect(JSON.stringify(state).length).toBeLessThan(charsWhenFull * 1.001);
  expect(state.commands.map(({ parameters }) => JSON.stringify(parameters).length)).toSatisfy(
    (sizes: number[]) => Math.max(...sizes) < 10_000,
  );
  expect(charsWhenFull).toBeLessThan(20_000_000);
});
