import * as fc from 'fast-check';
import { expect, test } from 'vitest';
import { eventOfCli } from '../../src/core/protocol/compatibility.ts';
import { eventTable, isServerOnly } from '../../src/core/protocol/event-table.ts';

const taken = (event_type: string, data?: unknown) => eventOfCli({ event_type, data });

test.each([
  ['file:modified', { file_path: 'a.ts' }],
  ['skill:started', { skill: 'build', n: 1 }],
  ['decision:point', { title: 'Which?' }],
  ['validation:completed', { check_name: 'lint', success: true }],
  ['my:own', { file_path: 'a' }],
])('%s with %j stays as it was sent', (type, data) => {
  expect(taken(type, Object.freeze(data))).toEqual({ type, data, timestamp: undefined });
});

test.each([
  [undefined, {}],
  [null, {}],
  ['text', { value: 'text' }],
  [0, { value: 0 }],
  [[1, 2], { value: [1, 2] }],
])('%j for data becomes %j', (data, expected) => {
  expect(taken('my:own', data).data).toEqual(expected);
});

test.each([
  ['2026-01-02T03:04:05.678901', '2026-01-02T03:04:05.678Z'],
  ['yesterday', undefined],
  [1_767_323_045, '2026-01-02T03:04:05.000Z'],
  [5, undefined],
])('timestamp %j becomes %j', (timestamp, expected) => {
  expect(eventOfCli({ event_type: 'my:own', timestamp }).timestamp).toBe(expected);
});

test.each(['constructor:x', 'valueof:x', 'constructor:constructor'])('%s is a type like any other', (type) => {
  expect(taken(type, { a: 1 })).toMatchObject({ type, data: { a: 1 } });
});

test.each(['disconnect', '', 'Skill:Started', 'session:state'])('%j is refused: it is no type', (type) => {
  expect(() => taken(type)).toThrow(expect.objectContaining({ code: 'INVALID', message: expect.stringMatching(/^event_type: /) }));
});

test.each(['command:applied', 'orchestrator:attached'])('%s is refused: it cannot be forged', (type) => {
  expect(() => taken(type)).toThrow(`event_type: ${type} is written by the server only`);
});

test('a known type is never refused for its payload', () => {
  const types = Object.keys(eventTable).filter((type) => !isServerOnly(type));
  fc.assert(
    fc.property(fc.constantFrom(...types), fc.jsonValue(), fc.jsonValue(), (event_type, data, timestamp) => {
      const event = eventOfCli({ event_type, data, timestamp });
      expect(event.type).toBe(event_type);
      expect(event.data).toBeTypeOf('object');
      expect(Array.isArray(event.data)).toBe(false);
    }),
    { numRuns: 300 },
  );
});
