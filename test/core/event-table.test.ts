import { describe, expect, test } from 'vitest';
import { parseEventInput } from '../../src/core/protocol/event.ts';
import { eventTable, isServerOnly, type KnownEventType } from '../../src/core/protocol/event-table.ts';
import { ShannonDashError } from '../../src/core/protocol/errors.ts';
import { parse } from '../../src/core/json/parse.ts';

/** Protocol, section 3: the required fields of each type, with a value that is right. */
const required: Record<KnownEventType, Record<string, unknown>> = {
  'execution:started': {},
  'execution:progress': {},
  'execution:completed': {},
  'execution:failed': {},
  'execution:lost': {},
  'execution:halting': {},
  'execution:halted': {},
  'execution:resumed': {},
  'execution:rollback': {},
  'execution:redirect': {},
  'skill:started': { skill_name: 'build' },
  'skill:progress': { skill_name: 'build' },
  'skill:completed': { skill_name: 'build' },
  'skill:failed': { skill_name: 'build' },
  'skill:injected': { skill_name: 'build' },
  'file:created': { path: 'a.ts' },
  'file:modified': { path: 'a.ts' },
  'file:deleted': { path: 'a.ts' },
  'file:changed': {},
  'decision:point': { decision_id: 'd1', question: 'Which?', options: ['A', { id: 'b', label: 'B', recommended: true }] },
  'decision:made': { decision_id: 'd1', choice: 'A' },
  'validation:started': { check_name: 'lint' },
  'validation:output': { line: '' },
  'validation:result': { check_name: 'lint', success: false },
  'agent:spawned': { agent_id: 'a1' },
  'agent:progress': { agent_id: 'a1' },
  'agent:completed': { agent_id: 'a1' },
  'agent:waiting': {},
  'message:user': { text: 'Go on' },
  'message:assistant': { text: '' },
  'tool:started': { tool_name: 'Bash' },
  'tool:completed': { tool_name: 'Bash' },
  'tool:failed': { tool_name: 'Bash' },
  'usage:reported': {},
  'checkpoint:created': { checkpoint_id: 'c1' },
  'checkpoint:saved': { checkpoint_id: 'c1' },
  'checkpoint:failed': { checkpoint_id: 'c1' },
  'process:output': { lines: ['one'] },
  'process:screen': { text: '\u001b[?1049h' },
  'run:files-let-go': { count: 1 },
  'run:marked': {},
  'journal:lost': {},
  'command:queued': { command_id: 'k1', command_type: 'HALT' },
  'command:delivered': { command_id: 'k1', command_type: 'HALT' },
  'command:applied': { command_id: 'k1', command_type: 'HALT' },
  'command:failed': { command_id: 'k1', command_type: 'HALT' },
  'command:rejected': { command_id: 'k1', command_type: 'HALT' },
  'command:expired': { command_id: 'k1', command_type: 'HALT' },
  'command:cancelled': { command_id: 'k1', command_type: 'HALT', cancelled_by: 'ana' },
  'orchestrator:attached': {},
  'orchestrator:detached': {},
};

const types = Object.keys(eventTable) as KnownEventType[];
const missing = types.flatMap((type) => Object.keys(required[type]).map((field) => [type, field] as const));

/** The refusal that a call ends with. */
function refusal(work: () => unknown): ShannonDashError {
  try {
    work();
  } catch (error) {
    if (error instanceof ShannonDashError) return error;
    throw error;
  }
  throw new Error('it was accepted');
}

test('the table has the types of the protocol and no other', () => {
  expect(types.toSorted()).toEqual(Object.keys(required).toSorted());
});

test.each(types)('%s is accepted with its required fields, and what else it holds is kept', (type) => {
  const data = { ...required[type], extra: { deep: [1, null] } };
  expect(parse(eventTable[type], data)).toEqual(data);
  if (!isServerOnly(type)) expect(parseEventInput({ type, data }, '')).toEqual({ type, data });
});

test.each(missing)('%s without %s is refused with the path of the field', (type, field) => {
  const { [field]: _, ...data } = required[type];
  const at = isServerOnly(type) ? 'data' : 'events[3].data';
  const error = refusal(() => (isServerOnly(type) ? parse(eventTable[type], data, at) : parseEventInput({ type, data }, 'events[3]')));
  expect(error.code).toBe('INVALID');
  expect(error.message).toMatch(new RegExp(`^${at.replaceAll(/[[\]]/g, String.raw`\$&`)}\\.${field}: \\S`));
  expect(error.details).toMatchObject([{ path: `${at}.${field}` }]);
});

test.each(missing.filter(([type]) => !isServerOnly(type)))(
  '%s with another kind of value for %s is refused with the path',
  (type, field) => {
    const data = { ...required[type], [field]: field === 'options' || field === 'lines' ? 'A' : [] };
    expect(refusal(() => parseEventInput({ type, data }, 'events[0]')).message).toMatch(`events[0].data.${field}: `);
  },
);

describe('what else the table holds its fields to', () => {
  test.each(['skill:progress', 'skill:completed', 'skill:failed'])('%s may name its skill by skill_id alone', (type) => {
    expect(parseEventInput({ type, data: { skill_id: 's1' } }, '').data).toEqual({ skill_id: 's1' });
  });

  test.each([
    ['skill:progress', { skill_name: 'a', progress: 101 }, 'data.progress: must be from 0 to 100'],
    ['execution:progress', { progress: -1 }, 'data.progress: must be from 0 to 100'],
    ['execution:progress', { progress: '50' }, 'data.progress: must be a number from 0 to 100'],
    ['skill:completed', { skill_name: 'a', duration: -1 }, 'data.duration: must not be negative'],
    ['decision:point', { decision_id: 'd', question: 'q', options: [] }, 'data.options: must have at least one option'],
    [
      'decision:point',
      { decision_id: 'd', question: 'q', options: ['A', { id: 'b' }] },
      'data.options[1]: must be a text or {id, label, description?, recommended?}',
    ],
    ['validation:output', { line: 'x', type: 'stdin' }, 'data.type: must be stdout or stderr'],
    ['validation:result', { check_name: 'x', success: 'yes' }, 'data.success: must be true or false'],
    ['file:created', { path: '' }, 'data.path: must not be empty'],
    ['message:assistant', { text: 'x'.repeat(100_001) }, 'data.text: must be at most 100,000 characters'],
    ['usage:reported', { output_tokens: -1 }, 'data.output_tokens: must not be negative'],
    ['usage:reported', { cost_usd: '1' }, 'data.cost_usd: must be a number'],
    ['tool:failed', { tool_id: 't' }, 'data.tool_name: must be a text'],
    ['file:changed', { created: 'a.ts' }, 'data.created: must be a list of paths'],
    ['file:changed', { deleted: ['a.ts', ''] }, 'data.deleted[1]: must not be empty'],
    ['file:created', { path: 'x'.repeat(1_001) }, 'data.path: must be at most 1,000 characters'],
  ])('%s with %j: %s', (type, data, message) => {
    expect(refusal(() => parseEventInput({ type, data }, '')).message).toBe(message);
  });
});
