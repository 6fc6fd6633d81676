import { expect, test } from 'vitest';
import { WatchEnd, type EndOptions } from '../../src/view/watch-end.ts';
import { journalled, stateOf } from '../dashboard/screen-models.ts';

const nothing: EndOptions = { until: undefined, exitStatus: false, failOnDecision: false, at: undefined };
const running = { type: 'execution:started', data: {} };
const state = (...events: { type: string; data: Record<string, unknown> }[]) => stateOf(journalled([running, ...events]));
const question = { type: 'decision:point', data: { decision_id: 'd', question: 'Go?', options: ['yes', 'no'] } };

test('a watch without a wish for an end goes on, whatever happens', () => {
  const end = new WatchEnd(nothing);
  expect(end.inState(state({ type: 'execution:completed', data: {} }))).toBeUndefined();
  expect(end.inState(state(question))).toBeUndefined();
});

test('a run that was given up as lost has failed, as one that says so itself', () => {
  const end = new WatchEnd({ ...nothing, exitStatus: true });
  expect(end.inState(state({ type: 'execution:failed', data: { error: 'no' } }))).toBe('run-failed');
  expect(end.inState(state({ type: 'execution:lost', data: { reason: 'silence' } }))).toBe('run-failed');
  expect(end.inState(state({ type: 'execution:completed', data: {} }))).toBe('run-completed');
});

test('a decision ends the watch that waits for one, of one session or of all', () => {
  for (const options of [{ until: 'decision' as const }, { failOnDecision: true }]) {
    const end = new WatchEnd({ ...nothing, ...options });
    expect(end.inState(state(question))).toBe('decision-pending');
    expect(end.inStates([state(), state(question)])).toBe('decision-pending');
    expect(end.inStates([state({ type: 'execution:completed', data: {} })])).toBeUndefined();
  }
});

test('a decision of the history that was made since ends nothing', () => {
  const events = journalled([running, question, { type: 'decision:made', data: { decision_id: 'd', choice: 'yes', made_by: 'ana' } }]);
  const end = new WatchEnd({ ...nothing, until: 'decision' });
  expect(end.afterHistory(stateOf(events), 0)).toBeUndefined();
  expect(events.map((event) => end.at(event))).toEqual([undefined, undefined, undefined]);
});
