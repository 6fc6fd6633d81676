import * as fc from 'fast-check';
import { expect, test } from 'vitest';
import { check } from '../../src/core/json/parse.ts';
import { eventList, sessionEvent } from '../../src/core/protocol/event.ts';
import { serverMessages } from '../../src/core/protocol/messages.ts';
import { createdState, eventsOf, stateAfter } from './session-events.ts';

const [event] = eventsOf([['note:made', { a: 1 }]]);

test('the quick look at a list of events and the schema of an event accept the same', () => {
  const value = fc.oneof(fc.constant(undefined), fc.string(), fc.integer(), fc.constant(null), fc.constant({}), fc.constant([]));
  const field = fc.constantFrom('session_id', 'seq', 'id', 'type', 'timestamp', 'data', 'source', 'received_at', 'extra');
  fc.assert(
    fc.property(fc.array(fc.tuple(field, value), { maxLength: 3 }), (changes) => {
      const changed = { ...event, ...Object.fromEntries(changes) };
      expect(check(eventList, [event, changed]).success).toBe(check(sessionEvent, changed).success);
    }),
  );
  for (const none of [null, undefined, 'x', 1, []]) expect(check(eventList, [none]).success).toBe(false);
  for (const none of [null, {}, 'x', { length: 1 }]) expect(check(eventList, none).success).toBe(false);
});

test('a message is passed on with the fields that this version does not know', () => {
  const state = { ...stateAfter(['skill:started', { skill_name: 'a' }]), mood: 'good' };
  const message = { session: state, epoch: 'e', seq: 1, timestamp: '', more: { deep: [1] } };
  expect(check(serverMessages['session:state'], message)).toEqual({ success: true, data: message });
  const events = { session_id: 's', events: [{ ...event, extra: 1 }], more: 1 };
  expect(check(serverMessages.events, events)).toEqual({ success: true, data: events });
});

test('a status that this version does not know is accepted', () => {
  const message = { session: { ...createdState(), status: 'dreaming' }, epoch: 'e', seq: 1, timestamp: '' };
  expect(check(serverMessages['session:state'], message).success).toBe(true);
});
