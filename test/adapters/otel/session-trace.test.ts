import { createHash } from 'node:crypto';
import { describe, expect, test } from 'vitest';
import { SessionTrace } from '../../../src/adapters/otel/session-trace.ts';
import type { TracedSpan } from '../../../src/adapters/otel/traced-span.ts';
import { newToken } from '../../../src/server/access/tokens/token-text.ts';
import { eventsOf, timeOf } from '../../core/session-events.ts';

type Given = readonly (readonly [type: string, data?: Record<string, unknown>])[];

const origin = { session_id: 's', epoch: 'e', created_at: timeOf(0) };

function spansOf(given: Given, hasContent = false): TracedSpan[] {
  const trace = new SessionTrace(origin, { hasContent });
  return eventsOf(given).flatMap((event) => trace.take(event));
}

/** As `name < parent's name [from-to]`, in seconds of the events. */
function tree(spans: readonly TracedSpan[]): string[] {
  const seconds = (ms: number) => (ms - Date.parse(timeOf(0))) / 1_000;
  return spans.map(({ name, parentSpanId, startMs, endMs, error }) => {
    const parent = spans.find(({ spanId }) => spanId === parentSpanId)?.name ?? '-';
    return `${name} < ${parent} [${seconds(startMs)}-${seconds(endMs)}]${error === undefined ? '' : ` ${error}`}`;
  });
}

const whole: Given = [
  ['execution:started', { task: 'the task', plan_id: 'nightly' }],
  ['agent:spawned', { agent_id: 'a1', role: 'builder', task: 'its task' }],
  ['tool:started', { tool_name: 'Bash', tool_id: 't1', agent_id: 'a1', input: { command: 'ls' } }],
  ['command:queued', { command_id: 'c1', command_type: 'HALT', by: 'ana' }],
  ['execution:halted', { command_id: 'c1', initiated_by: 'ana' }],
  ['command:applied', { command_id: 'c1', command_type: 'HALT' }],
  ['decision:point', { decision_id: 'd1', question: 'why?', options: ['yes', 'no'] }],
  ['decision:made', { decision_id: 'd1', choice: 'yes', made_by: 'bob' }],
  ['execution:resumed'],
  ['tool:failed', { tool_name: 'Bash', tool_id: 't1', agent_id: 'a1', error: 'exit 1' }],
  ['usage:reported', { agent_id: 'a1', model: 'claude-x', input_tokens: 5, cache_read_tokens: 100, output_tokens: 7, cost_usd: 0.25 }],
  ['skill:started', { skill_name: 'lint' }],
  ['agent:completed', { agent_id: 'a1', success: true }],
  ['skill:completed', { skill_name: 'lint', result: 'clean' }],
  ['execution:completed', { result: 'done' }],
];

describe('a session as a trace', () => {
  test('is a workflow, with agents below it, their tools below them, and halts', () => {
    expect(tree(spansOf(whole))).toEqual([
      'shannon.halted < invoke_workflow nightly [5-9]',
      'execute_tool Bash < invoke_agent builder [3-10] exit 1',
      'invoke_agent builder < invoke_workflow nightly [2-13]',
      'execute_tool lint < invoke_workflow nightly [12-14]',
      'invoke_workflow nightly < - [1-15]',
    ]);
  });

  test('has the attributes that backends group by, and what was used by the names of the conventions', () => {
    const [halt, tool, agent, skill, root] = spansOf(whole);
    for (const span of [halt, tool, agent, skill, root]) {
      expect(span?.attributes).toMatchObject({ 'session.id': 's', 'gen_ai.conversation.id': 's' });
    }
    const kinds = [halt, tool, agent, skill, root].map((span) => span?.attributes['openinference.span.kind']);
    expect(kinds).toEqual(['CHAIN', 'TOOL', 'AGENT', 'TOOL', 'CHAIN']);
    const used = {
      'gen_ai.provider.name': 'anthropic',
      'gen_ai.request.model': 'claude-x',
      'gen_ai.usage.input_tokens': 105,
      'gen_ai.usage.output_tokens': 7,
      'gen_ai.usage.cache_read.input_tokens': 100,
      'llm.token_count.total': 112,
      'shannon.cost_usd': 0.25,
    };
    expect(agent?.attributes).toMatchObject({ ...used, 'gen_ai.operation.name': 'invoke_agent', 'gen_ai.agent.id': 'a1' });
    expect(root?.attributes).toMatchObject({ ...used, 'gen_ai.operation.name': 'invoke_workflow', 'gen_ai.workflow.name': 'nightly' });
    expect(tool?.attributes).toMatchObject({ 'gen_ai.tool.name': 'Bash', 'gen_ai.tool.call.id': 't1', 'error.type': '_OTHER' });
  });

  test('tells commands and decisions as moments of the workflow', () => {
    const told = spansOf(whole)
      .at(-1)
      ?.events.map(({ name, attributes }) => [name, ...Object.values(attributes)].join(' '));
    expect(told).toEqual([
      'shannon.command c1 HALT queued ana',
      'shannon.command c1 HALT applied',
      'shannon.decision d1 asked',
      'shannon.decision d1 made bob yes',
    ]);
  });

  test('has ids that follow from the epoch, the session and the event that began the span', () => {
    const spans = spansOf(whole);
    expect(spans).toEqual(spansOf(whole));
    expect(new Set(spans.map(({ traceId }) => traceId))).toEqual(new Set([createHash('sha256').update('es').digest('hex').slice(0, 32)]));
    expect(new Set(spans.map(({ spanId }) => spanId)).size).toBe(spans.length);
    expect(spans.every(({ spanId }) => /^[0-9a-f]{16}$/.test(spanId))).toBe(true);
  });

  test('holds what was said, and what went into tools, only where that is asked for; secrets never', () => {
    const secret = newToken().text;
    const given: Given = [
      ['execution:started', { task: 'the task https://u:pass@example.com' }],
      ['tool:completed', { tool_name: 'Bash', input: { command: 'x'.repeat(10_000) }, result: 'Authorization: Bearer abc' }],
      ['decision:point', { decision_id: 'd', question: 'the question', options: ['yes'] }],
      ['execution:failed', { error: `it broke ${secret} https://u:pass@example.com ${'x'.repeat(10_000)}` }],
    ];
    const without = JSON.stringify(spansOf(given));
    expect(['the task', 'the question', 'Bearer', 'command', 'pass@', secret].filter((each) => without.includes(each))).toEqual([]);
    expect(without.length).toBeLessThan(3_000);
    const spans = spansOf(given, true);
    expect(spans[1]?.attributes).toMatchObject({ 'input.value': 'the task https://u:***@example.com' });
    expect(JSON.stringify(spans)).toContain('the question');
    expect(JSON.stringify(spans)).not.toMatch(/Bearer abc|pass@/);
    expect(JSON.stringify(spans)).not.toContain(secret);
  });

  test('ends with the session: what was under way then is lost', () => {
    const spans = spansOf([
      ['execution:started', { plan_id: 'p' }],
      ['agent:progress', { agent_id: 'a', message: 'first seen' }],
      ['tool:started', { tool_name: 'T', agent_id: 'a' }],
      ['execution:halted'],
      ['execution:failed', { error: 'it broke' }],
    ]);
    expect(tree(spans)).toEqual([
      'invoke_agent a < invoke_workflow p [2-5]',
      'execute_tool T < invoke_agent a [3-5]',
      'shannon.halted < invoke_workflow p [4-5]',
      'invoke_workflow p < - [1-5] it broke',
    ]);
    expect(spans.map(({ attributes }) => attributes['shannon.outcome'])).toEqual(['lost', 'lost', undefined, undefined]);
  });

  test('an end whose start was never told has the length that it tells; what comes after the end stays below the workflow', () => {
    const spans = spansOf([
      ['execution:started', { plan_id: 'p' }],
      ['skill:completed', { skill_name: 'x', duration: 2 }],
      ['agent:completed', { agent_id: 'late', duration: 3 }],
      ['execution:completed'],
      ['tool:completed', { tool_name: 'late' }],
    ]);
    expect(tree(spans)).toEqual([
      'execute_tool x < invoke_workflow p [0-2]',
      'invoke_agent late < invoke_workflow p [0-3]',
      'invoke_workflow p < - [1-4]',
      'execute_tool late < invoke_workflow p [5-5]',
    ]);
  });

  test('that runs again is a second workflow of the same trace', () => {
    const spans = spansOf([
      ['execution:started'],
      ['execution:completed'],
      ['execution:started'],
      ['tool:completed', { tool_name: 'T' }],
      ['execution:failed'],
    ]);
    expect(tree(spans)).toEqual([
      'invoke_workflow s < - [1-2]',
      'execute_tool T < invoke_workflow s [4-4]',
      'invoke_workflow s < - [3-5] It failed',
    ]);
    expect(spans[1]?.parentSpanId).toBe(spans[2]?.spanId);
  });

  test('stays small, however much is begun and never ended', () => {
    const trace = new SessionTrace(origin, { hasContent: false });
    const many: Given = Array.from({ length: 3_000 }, (_, at) => [
      ['tool:started', { tool_name: 'T', tool_id: `t${at}` }] as const,
      ['command:queued', { command_id: `c${at}`, command_type: 'HALT' }] as const,
    ]).flat();
    for (const event of eventsOf(many)) expect(trace.take(event)).toEqual([]);
    const spans = trace.take(eventsOf([['execution:completed']], many.length)[0]!);
    expect(spans).toHaveLength(1_001);
    expect(spans.at(-1)).toMatchObject({ droppedEvents: 3_000 - 128 });
    expect(spans.at(-1)?.events).toHaveLength(128);
  });
});
