import { describe, expect, test } from 'vitest';
import { isSettled, newPrompt, openDecisions, withDigit } from '../../src/view/decision-prompt.ts';
import { runJournal, stateOf } from '../dashboard/screen-models.ts';

describe('a decision', () => {
  test('is asked in the order of asking', () => {
    expect(openDecisions(stateOf(runJournal)).map((decision) => decision.decision_id)).toEqual(['d-1', 'd-2']);
  });

  test('is highlighted by digits only, of two figures where there are more than nine', () => {
    const prompt = newPrompt('d', 'skills');
    expect(prompt.choice).toBeNull();
    expect(withDigit(prompt, 2, 3).choice).toBe(1);
    expect(withDigit(prompt, 4, 3)).toBe(prompt);
    expect(withDigit(withDigit(prompt, 1, 12), 2, 12).choice).toBe(11);
    expect(withDigit(withDigit(prompt, 1, 12), 5, 12).choice).toBe(4);
  });

  test('takes keys only 400 ms after it changed', () => {
    const change = { prompt: 'rollback', atMs: 1_000 } as const;
    expect([isSettled(change, 1_399), isSettled(change, 1_400), isSettled(undefined, 0)]).toEqual([false, true, true]);
  });
});
