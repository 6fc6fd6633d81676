import { describe, expect, test } from 'vitest';
import { foldLimits } from '../../src/core/protocol/limits.ts';
import { noUsage } from '../../src/core/protocol/agent-activity.ts';
import { stateAfter, timeOf } from './session-events.ts';

describe('tools', () => {
  test('a call runs, ends with its length and is counted by the name of the tool', () => {
    const state = stateAfter(
      ['tool:started', { tool_name: 'Bash', tool_id: 't1', agent_id: 'a', input: { description: 'Look', command: 'ls' } }],
      ['tool:started', { tool_name: 'Bash', tool_id: 't2', input: { command: ['rm', '-r', 'x'] } }],
      ['tool:completed', { tool_name: 'Bash', tool_id: 't1' }],
      ['tool:failed', { tool_name: 'Bash', tool_id: 't2', error: { message: 'exit 1' }, duration: 0.5 }],
      ['tool:started', { tool_name: 'Read', input: { depth: 3 } }],
    );
    expect(state.tools).toEqual([
      {
        tool_id: 't1',
        tool_name: 'Bash',
        detail: 'ls',
        status: 'completed',
        agent_id: 'a',
        started_at: timeOf(1),
        ended_at: timeOf(3),
        duration_ms: 2_000,
        error: null,
      },
      {
        tool_id: 't2',
        tool_name: 'Bash',
        detail: 'rm -r x',
        status: 'failed',
        agent_id: null,
        started_at: timeOf(2),
        ended_at: timeOf(4),
        duration_ms: 500,
        error: 'exit 1',
      },
      {
        tool_id: 'Read',
        tool_name: 'Read',
        detail: null,
        status: 'running',
        agent_id: null,
        started_at: timeOf(5),
        ended_at: null,
        duration_ms: null,
        error: null,
      },
    ]);
    expect(state.tool_usage).toEqual([
      { tool_name: 'Bash', started: 2, completed: 1, failed: 1, duration_s: 2.5, durations: 2 },
      { tool_name: 'Read', started: 1, completed: 0, failed: 0, duration_s: 0, durations: 0 },
    ]);
    // A plan's steps are not its tool calls.
    expect([state.skills, state.current_skill, state.progress]).toEqual([[], null, null]);
  });

  test('an end whose start was never told has no length; the same id again is a new call', () => {
    const state = stateAfter(['tool:completed', { tool_name: 'A' }], ['tool:failed', { tool_name: 'A', error: 'x' }]);
    expect(state.tools).toMatchObject([{ status: 'failed', duration_ms: null, started_at: null }]);
    expect(state.tool_usage).toMatchObject([{ started: 0, completed: 1, failed: 1, durations: 0 }]);
    expect(stateAfter(['tool:failed', { tool_name: 'A', error: 'x' }], ['tool:started', { tool_name: 'A' }]).tools).toMatchObject([
      { status: 'running', error: null, ended_at: null },
    ]);
  });

  test('a call under way when the run ends is lost', () => {
    expect(stateAfter(['tool:started', { tool_name: 'A' }], ['execution:completed', {}]).tools).toMatchObject([{ status: 'lost' }]);
  });

  test('ended calls make room for new ones, and names beyond the limit are not counted', () => {
    const calls = Array.from({ length: foldLimits.tools + 20 }, (_, at) => [
      ['tool:started', { tool_name: `tool ${at}` }] as const,
      ['tool:completed', { tool_name: `tool ${at}` }] as const,
    ]).flat();
    const state = stateAfter(['tool:started', { tool_name: 'long' }], ...calls);
    expect(state.tools.length).toBe(foldLimits.tools);
    expect(state.tools).toContainEqual(expect.objectContaining({ tool_name: 'long', status: 'running' }));
    expect(state.tool_usage.length).toBe(foldLimits.toolUsage);
  });
});

describe('usage', () => {
  const report = (fields: Record<string, unknown>) => ['usage:reported', fields] as const;

  test('is summed for the session, each model and each agent', () => {
    const state = stateAfter(
      ['agent:spawned', { agent_id: 'a' }],
      report({ model: 'large', agent_id: 'a', input_tokens: 10, output_tokens: 5, cache_read_tokens: 100, cost_usd: 0.5 }),
      report({ model: 'small', agent_id: 'a', input_tokens: 1, cache_write_tokens: 7, cost_usd: 0.25 }),
      report({ model: 'large', output_tokens: 2 }),
    );
    const all = { input_tokens: 11, output_tokens: 7, cache_read_tokens: 100, cache_write_tokens: 7, cost_usd: 0.75, reports: 3 };
    expect(state.usage).toEqual(all);
    expect(state.usage_by_model).toEqual([
      { model: 'large', input_tokens: 10, output_tokens: 7, cache_read_tokens: 100, cache_write_tokens: 0, cost_usd: 0.5, reports: 2 },
      { model: 'small', input_tokens: 1, output_tokens: 0, cache_read_tokens: 0, cache_write_tokens: 7, cost_usd: 0.25, reports: 1 },
    ]);
    expect(state.usage_by_agent).toEqual([{ ...all, agent_id: 'a', output_tokens: 5, reports: 2 }]);
    expect(state.agents).toMatchObject([{ agent_id: 'a', tokens: 16, cost_usd: 0.75 }]);
  });

  const at = (minute: number) => `2026-01-01T00:${String(minute).padStart(2, '0')}:00.000Z`;
  const told = (signal: string | undefined, since: number, until: number, input_tokens: number) =>
    report({ signal, since: at(since), until: at(until), input_tokens });

  test.each([
    ['logs, and metrics of the same time', [told('logs', 1, 1, 10), told('metrics', 0, 2, 10)], 10],
    ['metrics, and logs of the same time that come late', [told('metrics', 0, 2, 10), told('logs', 1, 1, 10)], 10],
    ['metrics, and logs of a later time', [told('metrics', 0, 2, 10), told('logs', 3, 3, 5), told('metrics', 2, 4, 5)], 15],
    ['logs that come in another order', [told('logs', 3, 3, 1), told('logs', 1, 1, 2), told('metrics', 2, 3, 3)], 3],
    ['logs until the session is resumed without them', [told('logs', 1, 1, 10), told('metrics', 5, 6, 7), told('metrics', 6, 7, 7)], 24],
    ['the producer itself, and telemetry', [told(undefined, 1, 1, 10), told('logs', 8, 8, 10)], 10],
    ['telemetry, and the producer itself', [told('traces', 1, 1, 10), report({ input_tokens: 10 })], 10],
  ])('that is told in two ways counts once: by %s', (_name, reports, sum) => {
    expect(stateAfter(...reports).usage.input_tokens).toBe(sum);
  });

  test('of an agent whose kind alone is known is that of the only one of this kind', () => {
    const spawned = (agent_id: string) => ['agent:spawned', { agent_id, role: 'reviewer' }] as const;
    const used = report({ agent_name: 'reviewer', input_tokens: 3 });
    const idsAfter = (...events: (readonly [string, Record<string, unknown>])[]) =>
      stateAfter(...events).usage_by_agent.map(({ agent_id }) => agent_id);
    expect(idsAfter(spawned('a1'), used)).toEqual(['a1']);
    expect(idsAfter(spawned('a1'), ['agent:completed', { agent_id: 'a1' }], used)).toEqual(['a1']);
    expect(idsAfter(spawned('a1'), ['agent:completed', { agent_id: 'a1' }], spawned('a2'), used)).toEqual(['a2']);
    expect(idsAfter(spawned('a1'), spawned('a2'), used)).toEqual(['reviewer']);
    expect(idsAfter(used)).toEqual(['reviewer']);
  });

  test('of what is no number, or negative, counts as a report of nothing', () => {
    expect(stateAfter(report({ input_tokens: '5', output_tokens: -3, cost_usd: null })).usage).toEqual({ ...noUsage(), reports: 1 });
  });

  test('of more models and agents than are kept is in the total all the same', () => {
    const many = Array.from({ length: 300 }, (_, at) => report({ model: `m${at}`, agent_id: `a${at}`, input_tokens: 1 }));
    const state = stateAfter(...many);
    expect(state.usage.input_tokens).toBe(300);
    expect([state.usage_by_model.length, state.usage_by_agent.length]).toEqual([foldLimits.usageByModel, foldLimits.usageByAgent]);
  });
});

test('messages are counted, and the last of each side is kept', () => {
  const state = stateAfter(
    ['message:user', { text: 'one' }],
    ['message:assistant', { text: 'two', agent_id: 'a' }],
    ['message:user', { text: 'x'.repeat(5_000) }],
  );
  expect(state.messages).toMatchObject({ user: 2, assistant: 1, last_assistant: { text: 'two', agent_id: 'a', at: timeOf(2) } });
  expect(state.messages.last_user?.text.length).toBe(foldLimits.textChars);
});

describe('an agent that waits', () => {
  const waiting = ['agent:waiting', { reason: 'idle', message: 'What next?' }] as const;

  test('is told with its reason, until it works again', () => {
    const told = { reason: 'idle', message: 'What next?', since: timeOf(1), inferred: false };
    expect(stateAfter(waiting).waiting).toEqual(told);
    expect(stateAfter(waiting, ['usage:reported', {}], ['file:modified', { path: 'a' }]).waiting).toEqual(told);
    expect(stateAfter(waiting, ['execution:progress', { model: 'other' }])).toMatchObject({ waiting: told, model: 'other' });
    expect(stateAfter(waiting, ['execution:progress', { model: 'other', message: 'compacting' }]).waiting).toBeNull();
    for (const type of ['message:user', 'tool:started', 'tool:failed', 'skill:started', 'execution:resumed', 'execution:completed']) {
      expect([type, stateAfter(waiting, [type, { text: 't', tool_name: 'a', skill_name: 's' }]).waiting]).toEqual([type, null]);
    }
  });

  test('of several agents is the one that was named', () => {
    const one = ['agent:waiting', { agent_id: 'a', message: 'Help' }] as const;
    expect(stateAfter(one)).toMatchObject({ waiting: null, agents: [{ agent_id: 'a', status: 'running', waiting: { message: 'Help' } }] });
    expect(stateAfter(one, ['tool:started', { tool_name: 'x', agent_id: 'b' }]).agents[0]?.waiting).not.toBeNull();
    expect(stateAfter(one, ['tool:started', { tool_name: 'x', agent_id: 'a' }]).agents[0]?.waiting).toBeNull();
    expect(stateAfter(one, ['execution:failed', {}]).agents).toMatchObject([{ status: 'lost', waiting: null }]);
  });
});

test('a call whose end is inferred is lost, and counts neither as done nor as failed', () => {
  const state = stateAfter(
    ['tool:started', { tool_name: 'Write', tool_id: 't' }],
    ['tool:completed', { tool_name: 'Write', tool_id: 't', inferred: true }],
  );
  expect(state.tools).toMatchObject([{ status: 'lost' }]);
  expect(state.tool_usage).toMatchObject([{ started: 1, completed: 0, failed: 0 }]);
});
