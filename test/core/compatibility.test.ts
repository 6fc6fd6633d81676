import * as fc from 'fast-check';
import { expect, test } from 'vitest';
import { translateCliEvent } from '../../src/core/compatibility.ts';
import { eventTable, isServerOnly } from '../../src/core/event-table.ts';

const translated = (event_type: string, data?: unknown) => translateCliEvent({ event_type, data });

test.each([
  ['file:modified', { file_path: 'a.ts' }, { file_path: 'a.ts', path: 'a.ts' }],
  ['file:modified', { file_path: 'old', path: 'new' }, { file_path: 'old', path: 'new' }],
  ['skill:started', { skill: 'build', n: 1 }, { skill: 'build', n: 1, skill_name: 'build' }],
  ['decision:point', { title: 'Which?' }, { title: 'Which?', question: 'Which?' }],
  ['file:modified', { skill: 'x', title: 'y' }, { skill: 'x', title: 'y' }],
  ['my:own', { file_path: 'a' }, { file_path: 'a' }],
  ['my:own', undefined, {}],
  ['my:own', null, {}],
  ['my:own', 'text', { value: 'text' }],
  ['my:own', 0, { value: 0 }],
  ['my:own', [1, 2], { value: [1, 2] }],
])('%s with %j becomes %j', (type, data, expected) => {
  expect(translated(type, data)).toEqual({ type, data: expected, timestamp: undefined });
});

test('validation:completed is called validation:result', () => {
  const data = { check_name: 'lint', success: true };
  expect(translated('validation:completed', data)).toMatchObject({ type: 'validation:result', data });
});

test('the given data stay as they were', () => {
  const data = Object.freeze({ file_path: 'a.ts' });
  expect(translated('file:created', data).data).not.toBe(data);
  expect(data).toEqual({ file_path: 'a.ts' });
});

test.each([
  ['2026-01-02T03:04:05.678901', '2026-01-02T03:04:05.678Z'],
  ['yesterday', undefined],
  [1_767_323_045, '2026-01-02T03:04:05.000Z'],
  [5, undefined],
])('timestamp %j becomes %j', (timestamp, expected) => {
  expect(translateCliEvent({ event_type: 'my:own', timestamp }).timestamp).toBe(expected);
});

test.each(['constructor:x', 'valueof:x', 'constructor:constructor'])('%s is a type like any other', (type) => {
  expect(translated(type, { a: 1 })).toMatchObject({ type, data: { a: 1 } });
});

test.each(['disconnect', '', 'Skill:Started', 'session:state'])('%j is refused: it is no type', (type) => {
  expect(() => translated(type)).toThrow(expect.objectContaining({ code: 'INVALID', message: expect.stringMatching(/^event_type: /) }));
});

test.each(['command:applied', 'orchestrator:attached'])('%s is refused: it cannot be forged', (type) => {
  expect(() => translated(type)).toThrow(`event_type: ${type} is written by the server only`);
});

test('a known type is never refused for its payload', () => {
  const types = Object.keys(eventTable).filter((type) => !isServerOnly(type));
  fc.assert(
    fc.property(fc.constantFrom(...types), fc.jsonValue(), fc.jsonValue(), (event_type, data, timestamp) => {
      const event = translateCliEvent({ event_type, data, timestamp });
      expect(event.type).toBe(event_type);
      expect(event.data).toBeTypeOf('object');
      expect(Array.isArray(event.data)).toBe(false);
    }),
    { numRuns: 300 },
  );
});
