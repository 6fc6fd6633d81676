import { describe, expect, test } from 'vitest';
import { eventType, parseEventInput, publishRequest } from '../../src/core/protocol/event.ts';
import { commandStepId, isSessionId } from '../../src/core/ids.ts';
import { limits } from '../../src/core/protocol/limits.ts';
import { parse } from '../../src/core/json/parse.ts';
import { readTimestamp } from '../../src/core/timestamp.ts';

describe('an event type', () => {
  test.each(['skill:started', 'a:b', 'my_group-2:some.name_x-1', 'build:step:done', `a:${'b'.repeat(126)}`, 'constructor:x'])(
    '%s is one',
    (type) => expect(parse(eventType, type)).toBe(type),
  );

  test.each([
    'connect',
    'connect_error',
    'disconnect',
    'disconnecting',
    'newListener',
    'removeListener',
    'error',
    'message',
    '',
    ':',
    'a:',
    ':b',
    'Skill:started',
    'skill:Started',
    'a b:c',
    'a:b\n',
    '1a:b',
    'a::b',
    'skill:started ',
    '__proto__:x',
    'é:b',
    `a:${'b'.repeat(127)}`,
    `${'a'.repeat(100_000)}!`,
  ])('any other text is none (%$)', (type) => expect(eventType.safeParse(type).success).toBe(false));

  test.each(['session:state', 'session:gap', 'session:x', 'server:shutdown', 'server:error'])('%s is a message of the server', (type) => {
    expect(() => parseEventInput({ type, data: {} }, 'events[0]')).toThrow(
      'events[0].type: session:* and server:* are messages of the server itself',
    );
  });

  test.each([undefined, null, 5, {}, ['skill:started']])('any other text is none (%$)', (type) => {
    expect(() => parseEventInput({ type }, 'events[2]')).toThrow('events[2].type: must be a text');
  });
});

describe('an event of a producer', () => {
  test.each(['command:applied', 'command:result', 'orchestrator:attached'])('of type %s is refused: it cannot be forged', (type) => {
    const data = { command_id: 'c', command_type: 'HALT' };
    expect(() => parseEventInput({ type, data }, 'events[1]')).toThrow(`events[1].type: ${type} is written by the server only`);
  });

  test.each(['queued', 'delivered', 'final'])(
    'an id of a step of a command (%s) is refused: it would stand in the way of that step',
    (step) => {
      const id = commandStepId('c-1', step);
      expect(() => parseEventInput({ type: 'my:own', id }, 'events[1]')).toThrow(`events[1].id: ${id} is an id of the server's own`);
      expect(parseEventInput({ type: 'my:own', id: `my-${id}` }, 'events[1]').id).toBe(`my-${id}`);
    },
  );

  test('of an unknown type is taken with any data', () => {
    const data = { path: 5, nested: [{ a: null }] };
    expect(parseEventInput({ type: 'my:own', data, id: 'e-1' }, '')).toEqual({ type: 'my:own', data, id: 'e-1' });
    expect(parseEventInput({ type: 'my:own' }, '')).toEqual({ type: 'my:own', data: {} });
  });

  test.each([null, 'text', 5, [1]])('with %j for data is refused', (data) => {
    expect(() => parseEventInput({ type: 'my:own', data }, 'events[0]')).toThrow('events[0].data: must be an object');
  });

  test.each([
    ['', 'id: must not be empty'],
    ['x'.repeat(129), 'id: must be at most 128 characters'],
    [7, 'id: must be a text'],
  ])('with a wrong id is refused: $1', (id, message) => {
    expect(() => parseEventInput({ type: 'my:own', id }, '')).toThrow(message);
  });

  test.each([null, undefined, 5, 'x', [], [1]])('that is %j is refused', (input) => {
    expect(() => parseEventInput(input, 'events[0]')).toThrow(/^events\[0\]/);
  });

  test('keeps its JSON from changing the prototype of anything', () => {
    const input: unknown = JSON.parse('{"type":"my:own","data":{"__proto__":{"polluted":1},"a":1}}');
    const { data } = parseEventInput(input, '');
    expect(data['polluted']).toBeUndefined();
    expect(Object.getPrototypeOf(data)).toBe(Object.prototype);
  });
});

test.each([
  [[], 'events: must have at least one event'],
  [Array.from({ length: limits.publishEvents + 1 }, () => ({})), 'events: must have at most 1000 events'],
  ['x', 'events: must be a list'],
])('a publish of too few or too many events is refused', (events, message) => {
  expect(() => parse(publishRequest, { session_id: 's', events })).toThrow(message);
});

test.each([
  ['a', true],
  ['A.b_c:d-1', true],
  ['x'.repeat(128), true],
  ['x'.repeat(129), false],
  ['', false],
  ['-a', false],
  ['../etc', false],
  ['a b', false],
  ['a\n', false],
  ['é', false],
  [['a'], false],
  [null, false],
])('a session id (%$): $1', (id, valid) => expect(isSessionId(id)).toBe(valid));

describe('a timestamp', () => {
  test.each([
    ['2026-01-02T03:04:05.678Z', '2026-01-02T03:04:05.678Z'],
    ['2026-01-02T03:04:05Z', '2026-01-02T03:04:05.000Z'],
    ['2026-01-02T03:04Z', '2026-01-02T03:04:00.000Z'],
    ['2026-01-02T03:04:05.678901+00:00', '2026-01-02T03:04:05.678Z'],
    ['2026-01-02T03:04:05.678901', '2026-01-02T03:04:05.678Z'],
    ['2026-01-02T03:04:05+0130', '2026-01-02T01:34:05.000Z'],
    ['2026-01-02T03:04:05-05:00', '2026-01-02T08:04:05.000Z'],
    ['2024-02-29T00:00:00Z', '2024-02-29T00:00:00.000Z'],
    ['2026-01-02 03:04:05+00:00', '2026-01-02T03:04:05.000Z'],
    ['2026-01-02 03:04:05.123456', '2026-01-02T03:04:05.123Z'],
    ['2026-01-02 03:04:05 +0100', '2026-01-02T02:04:05.000Z'],
    ['2026-01-02 03:04:05 UTC', '2026-01-02T03:04:05.000Z'],
    ['2026-01-02T03:04:05+05', '2026-01-01T22:04:05.000Z'],
    ['2026-01-02T03:04:05,5Z', '2026-01-02T03:04:05.500Z'],
    ['2026-01-02', '2026-01-02T00:00:00.000Z'],
    ['1767323045', '2026-01-02T03:04:05.000Z'],
    [1_767_323_045, '2026-01-02T03:04:05.000Z'],
    [1_767_323_045.678, '2026-01-02T03:04:05.678Z'],
    [1_767_323_045_678, '2026-01-02T03:04:05.678Z'],
  ])('%s is %s', (given, normal) => expect(readTimestamp(given)).toBe(normal));

  test.each([
    '',
    'now',
    '2026',
    '02/01/2026',
    -1,
    0,
    5,
    1e300,
    Number.NaN,
    Infinity,
    true,
    {},
    null,
    '2026-13-01T00:00:00Z',
    '2026-01-02T25:00:00Z',
    '2026-01-02T03:61:00Z',
    '2026-02-30T00:00:00Z',
    '2026-04-31T12:00:00+02:00',
    '2025-02-29T00:00:00Z',
    '2026-01-02T03:04 (Z)',
    '2026-01-02T03:04:05 GMT+1',
    'x2026-01-02T03:04:05Z',
    '2026-01-02T03:04:05Z\n',
    '0000-01-01T00:00:00+14:00',
    '9999-12-31T23:59:59-12:00',
    '2026-01-02T03:04:05.'.padEnd(100_000, '0'),
  ])('anything else is none (%$)', (given) => expect(readTimestamp(given)).toBeUndefined());

  test.each(['soon', -5, true, {}, []])('of an event that is not understood is refused (%$)', (timestamp) => {
    expect(() => parseEventInput({ type: 'a:b', timestamp }, 'events[0]')).toThrow('events[0].timestamp: must be a date and time');
  });

  test.each([undefined, null])('may be absent (%$)', (timestamp) => {
    expect(parseEventInput({ type: 'a:b', timestamp }, '').timestamp).toBeUndefined();
  });
});
