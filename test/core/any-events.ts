import * as fc from 'fast-check';
import type { SessionEvent } from '../../src/core/protocol/event.ts';
import { eventTable } from '../../src/core/protocol/event-table.ts';
import { timeOf } from './session-events.ts';

/** Every type that has a part in the state, and some that have none. */
export const anyType = [...Object.keys(eventTable), 'my:own', 'constructor:x'];
const id = fc.constantFrom('a', 'b', 'c');
const text = fc.oneof(
  { weight: 4, arbitrary: id },
  { weight: 4, arbitrary: fc.string({ unit: 'binary', maxLength: 12 }) },
  { weight: 1, arbitrary: fc.constantFrom('x'.repeat(2_100), '\u0000'.repeat(2_100)) },
);
const number = fc.oneof(
  fc.integer({ min: -1, max: 101 }),
  fc.double({ noNaN: true, noDefaultInfinity: true }),
  fc.constantFrom(1.7e308, -0),
);
const json = fc.oneof(fc.jsonValue({ maxDepth: 2 }), fc.constantFrom(JSON.parse('{"toString":1,"valueOf":2,"__proto__":3}')));

/** Data that hit the fields that the fold reads, mostly of the right kind and sometimes of any. */
const likely = fc.record(
  {
    ...Object.fromEntries(
      [
        'skill_name',
        'skill_id',
        'agent_id',
        'path',
        'decision_id',
        'choice',
        'check_name',
        'checkpoint_id',
        'command_id',
        'instance_id',
        'tool_name',
        'tool_id',
        'model',
      ].map((field) => [field, fc.oneof({ weight: 6, arbitrary: id }, { weight: 1, arbitrary: text }, { weight: 1, arbitrary: json })]),
    ),
    ...Object.fromEntries(
      [
        'task',
        'plan_id',
        'message',
        'reason',
        'initiated_by',
        'question',
        'default',
        'comment',
        'made_by',
        'line',
        'label',
        'role',
        'by',
      ].map((field) => [field, fc.oneof({ weight: 4, arbitrary: text }, { weight: 1, arbitrary: json })]),
    ),
    ...Object.fromEntries(
      ['progress', 'duration', 'tokens', 'cost_usd', 'step_index', 'step', 'total_steps', 'lines_added', 'lines_removed', 'timeout_ms'].map(
        (field) => [field, fc.oneof({ weight: 4, arbitrary: number }, { weight: 1, arbitrary: json })],
      ),
    ),
    ...Object.fromEntries(['result', 'error', 'context', 'parameters', 'files', 'capabilities', 'under'].map((field) => [field, json])),
    capabilities: fc.oneof(fc.array(json, { maxLength: 3 }), json),
    options: fc.oneof(fc.array(fc.oneof(id, json), { maxLength: 4 }), fc.constant(['a', { id: 'b', label: 'B' }]), json),
    success: fc.oneof(fc.boolean(), json),
    command_type: fc.constantFrom('HALT', 'RESUME', 'ROLLBACK', 'INJECT', 'x'),
  },
  { requiredKeys: [] },
);
const data = fc.oneof({ weight: 8, arbitrary: likely }, { weight: 1, arbitrary: fc.dictionary(fc.string({ maxLength: 5 }), json) });
const timestamp = fc.integer({ min: -10, max: 1e6 }).map(timeOf);
/** A history of any events in any order. */
export const anyEvents = fc
  .array(fc.tuple(fc.constantFrom(...anyType), data, timestamp), { maxLength: 40 })
  .map((given) =>
    given.map(([type, data, timestamp], at): SessionEvent => ({ session_id: 's', seq: at + 1, id: `e${at + 1}`, type, timestamp, data })),
  );
