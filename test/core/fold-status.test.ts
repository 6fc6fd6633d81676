import { describe, expect, test } from 'vitest';
import { foldAll } from '../../src/core/fold/fold.ts';
import { isLive } from '../../src/core/protocol/session-state.ts';
import { createdState, eventsOf, stateAfter, timeOf } from './session-events.ts';

const halting = ['execution:halting', { command_id: 'k1', reason: 'wait', initiated_by: 'ana' }] as const;
const halted = ['execution:halted', { command_id: 'k1' }] as const;
const queued = ['command:queued', { command_id: 'k1', command_type: 'HALT', by: 'ana' }] as const;
const failed = ['command:failed', { command_id: 'k1', command_type: 'HALT', error: 'no' }] as const;

test('a new session is created, with nothing in it', () => {
  expect(createdState()).toMatchObject({ status: 'created', seq: 0, started_at: null, progress: null, halt: null, orchestrator: null });
  expect(foldAll(createdState(), [])).toEqual(createdState());
});

describe('created', () => {
  test.each([
    ['command:queued', { command_id: 'k', command_type: 'INJECT' }],
    ['command:rejected', { command_id: 'k', command_type: 'RESUME' }],
    ['orchestrator:attached', { instance_id: 'o' }],
    ['orchestrator:detached', {}],
  ])('stays with %s', (type, data) => {
    expect(stateAfter([type, data])).toMatchObject({ status: 'created', started_at: null, seq: 1, updated_at: timeOf(1) });
  });

  test.each(['execution:started', 'execution:progress', 'skill:started', 'file:created', 'my:own', 'agent:spawned'])(
    'becomes running with %s',
    (type) => expect(stateAfter(['orchestrator:attached'], [type])).toMatchObject({ status: 'running', started_at: timeOf(2) }),
  );

  test('can be halted before it starts, and waits then', () => {
    expect(stateAfter(queued, halting)).toMatchObject({ status: 'halting', started_at: null });
    expect(stateAfter(queued, halting, halted)).toMatchObject({ status: 'halted', started_at: null });
    expect(stateAfter(queued, halting, halted, ['execution:started', { task: 't' }])).toMatchObject({ status: 'halted', task: 't' });
    expect(stateAfter(queued, halting, halted, ['execution:resumed'])).toMatchObject({ status: 'running', halt: null });
  });
});

describe('running', () => {
  test('is halting, then halted, with who, why and since when; then running again', () => {
    const running = [['execution:started'], queued, halting] as const;
    expect(stateAfter(...running)).toMatchObject({
      status: 'halting',
      halt: { reason: 'wait', command_id: 'k1', by: 'ana', since: timeOf(3), from: 'running' },
    });
    expect(stateAfter(...running, halted)).toMatchObject({
      status: 'halted',
      halt: { reason: 'wait', command_id: 'k1', by: 'ana', since: timeOf(4), from: 'running' },
    });
    expect(stateAfter(...running, halted, ['execution:resumed'])).toMatchObject({ status: 'running', halt: null });
  });

  test('ends as completed, with a result', () => {
    const state = stateAfter(
      ['execution:started'],
      ['execution:progress', { progress: 40 }],
      ['execution:completed', { result: { n: 1 } }],
    );
    expect(state).toMatchObject({ status: 'completed', progress: 100, result: { n: 1 }, error: null, ended_at: timeOf(3) });
    expect(isLive(state.status)).toBe(false);
  });

  test.each([
    ['bang', 'bang'],
    [{ message: 'bang', code: 5 }, 'bang'],
    [{ code: 5 }, '{"code":5}'],
    [null, null],
  ])('ends as failed, with an error (%$)', (error, text) => {
    const state = stateAfter(['execution:started'], ['execution:progress', { progress: 40 }], ['execution:failed', { error }]);
    expect(state).toMatchObject({ status: 'failed', progress: 40, error: text, ended_at: timeOf(3) });
    expect(isLive(state.status)).toBe(false);
  });

  test('keeps its progress and message where an event says neither, or nonsense', () => {
    const state = stateAfter(['execution:progress', { progress: 40, message: 'm' }], ['execution:progress', { progress: 400, message: 5 }]);
    expect(state).toMatchObject({ progress: 40, message: 'm' });
  });
});

describe('a HALT without effect', () => {
  test.each(['command:failed', 'command:rejected', 'command:expired'])('gives the status back with %s', (type) => {
    const end = [type, { command_id: 'k1', command_type: 'HALT' }] as const;
    expect(stateAfter(['execution:started'], queued, halting, end)).toMatchObject({ status: 'running', halt: null });
    expect(stateAfter(queued, halting, end)).toMatchObject({ status: 'created', halt: null });
  });

  test('gives running back when the session has started since', () => {
    expect(stateAfter(queued, halting, ['skill:started', { skill_name: 'a' }], failed)).toMatchObject({
      status: 'running',
      started_at: timeOf(3),
      halt: null,
    });
  });

  test('of another command changes nothing', () => {
    const other = ['command:failed', { command_id: 'k2', command_type: 'HALT' }] as const;
    expect(stateAfter(['execution:started'], queued, halting, other).status).toBe('halting');
  });

  test('that applies leaves the gate closing', () => {
    const applied = ['command:applied', { command_id: 'k1', command_type: 'HALT' }] as const;
    expect(stateAfter(['execution:started'], queued, halting, applied).status).toBe('halting');
  });

  test('changes nothing when it is halted already', () => {
    expect(stateAfter(['execution:started'], queued, halting, halted, failed).status).toBe('halted');
  });
});

test('halting of a halting or halted session keeps the first HALT', () => {
  const second = ['execution:halting', { command_id: 'k2', initiated_by: 'ben' }] as const;
  expect(stateAfter(['execution:started'], halting, second)).toMatchObject({ status: 'halting', halt: { command_id: 'k1', by: 'ana' } });
  expect(stateAfter(['execution:started'], halting, halted, second)).toMatchObject({ status: 'halted', halt: { command_id: 'k1' } });
});

describe.each(['execution:completed', 'execution:failed'])('after %s', (end) => {
  const status = end.slice('execution:'.length);

  test.each(['execution:halting', 'execution:halted', 'execution:resumed', 'execution:progress', 'skill:started'])(
    '%s does not bring it back to life',
    (type) => {
      expect(stateAfter(['execution:started'], [end], [type, { skill_name: 'a', progress: 5 }])).toMatchObject({ status, halt: null });
    },
  );

  test('a new start does', () => {
    const state = stateAfter(['execution:started', { task: 'a' }], [end, { result: 1, error: 'x' }], ['execution:started', { task: 'b' }]);
    expect(state).toMatchObject({
      status: 'running',
      task: 'b',
      started_at: timeOf(3),
      ended_at: null,
      progress: null,
      result: null,
      error: null,
    });
  });

  test('a HALT under way is over', () => {
    const state = stateAfter(['execution:started'], queued, halting, [end]);
    expect(state).toMatchObject({ status, halt: null });
    expect(foldAll(state, eventsOf([failed], state.seq))).toMatchObject({ status });
  });
});

test('rollback and redirect say what, who and when, and do not change the status', () => {
  const state = stateAfter(
    ['execution:started'],
    ['execution:rollback', { steps: 2, initiated_by: 'ana' }],
    ['execution:redirect', { target_skill: 't', instructions: 'i', initiated_by: 'ben' }],
  );
  expect(state.status).toBe('running');
  expect(state.rollback).toEqual({ checkpoint_id: null, steps: 2, by: 'ana', at: timeOf(2) });
  expect(state.redirect).toEqual({ target_skill: 't', target_path: null, instructions: 'i', by: 'ben', at: timeOf(3) });
});

test('an event of another type moves seq and time only', () => {
  const before = stateAfter(['execution:started', { task: 't' }]);
  const after = foldAll(before, eventsOf([['my:own', { task: 'other', progress: 3 }]], 1));
  expect(after).toEqual({ ...before, seq: 2, updated_at: timeOf(2) });
});

test.each(['constructor:x', '__proto__', 'toString', 'skill:unknown'])('the type %s is folded by nobody', (type) => {
  expect(stateAfter(['execution:started'], [type]).seq).toBe(2);
});
