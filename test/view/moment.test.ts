import { expect, test } from 'vitest';
import { initialState, type SessionState } from '../../src/core/protocol/session-state.ts';
import { momentOf } from '../../src/view/moment.ts';

const state: SessionState = {
  ...initialState({ session_id: 'run-1', created_at: new Date(2026, 0, 2, 9, 0).toISOString() }),
  started_at: new Date(2026, 0, 2, 9, 30).toISOString(),
  updated_at: new Date(2026, 0, 3, 1, 15).toISOString(),
};

test.each([
  ['812', { seq: 812 }],
  ['#812', { seq: 812 }],
  ['12m', { ms: new Date(2026, 0, 2, 9, 42).getTime() }],
  ['1h30m', { ms: new Date(2026, 0, 2, 11, 0).getTime() }],
  ['-5m', { ms: new Date(2026, 0, 3, 1, 10).getTime() }],
  ['1:05', { ms: new Date(2026, 0, 3, 1, 5).getTime() }],
  // Later than the last event on its day: the day before.
  ['14:05:30', { ms: new Date(2026, 0, 2, 14, 5, 30).getTime() }],
  ['25:00', undefined],
  ['12:60', undefined],
  ['noon', undefined],
  ['-', undefined],
  ['', undefined],
])('the moment %s', (text, wanted) => {
  expect(momentOf(text, state)).toEqual(wanted);
});
