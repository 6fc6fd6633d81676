import { describe, expect, test } from 'vitest';
import { sortedSessions } from '../../src/view/overview.ts';
import { firstFocus } from '../../src/view/panels/panel.ts';
import { previewLines, previewTarget } from '../../src/view/rollback-preview.ts';
import { sessionSummary } from '../../src/view/summary.ts';
import { journalled, nowMs, runJournal, stateOf } from '../dashboard/screen-models.ts';

test('a program that tells of no skills is followed by its events', () => {
  expect(firstFocus(stateOf(runJournal))).toBe('skills');
  expect(firstFocus(stateOf(runJournal.slice(0, 1)))).toBe('events');
});

test('the overview puts first what needs a human', () => {
  const at = (minute: number) => new Date(nowMs - minute * 60_000).toISOString();
  const make = (id: string, ...events: [string, Record<string, unknown>][]) => ({
    eventsPerSecond: 0,
    state: stateOf(
      journalled(
        events.map(([type, data], index) => ({ type, data, timestamp: at(10 - index) })),
        id,
      ),
    ),
  });
  const sessions = [
    make('done', ['execution:completed', {}]),
    make('busy', ['execution:started', {}]),
    make('failed', ['execution:failed', {}]),
    make('halted', ['execution:started', {}], ['execution:halted', {}]),
    make('asks', ['execution:started', {}], ['decision:point', { decision_id: 'd', question: '?', options: ['a'] }]),
    make('lost', ['execution:started', {}], ['orchestrator:attached', {}], ['orchestrator:detached', {}]),
  ];
  expect(sortedSessions(sessions).map(({ state }) => state.session_id)).toEqual(['asks', 'lost', 'halted', 'failed', 'busy', 'done']);
});

describe('a rollback preview', () => {
  test('is read from whatever an orchestrator answers, clean and bounded', () => {
    expect(previewLines({ checkpoint_id: 'cp-2', files: ['a', 'b\x1b[2J'], commits: 0 })).toEqual([
      'checkpoint id: cp-2',
      'files:',
      '  - a',
      '  - b',
      'commits: 0',
    ]);
    expect(previewLines({ restore: [{ path: 'a.txt', change: 'removed' }] })).toEqual(['restore:', '  - a.txt  removed']);
    expect(previewLines(null)).toEqual(['the orchestrator does not say what']);
    expect(previewLines(Array.from({ length: 500 }, (_, index) => index)).length).toBeLessThanOrEqual(30);
  });

  test('names what will be restored', () => {
    expect(previewTarget({ checkpoint_id: 'cp-2' }, { steps: 1 })).toEqual({ checkpoint_id: 'cp-2' });
    expect(previewTarget('text', { steps: 1 })).toEqual({ steps: 1 });
  });
});

test('what stays in the terminal is five lines', () => {
  const lines = sessionSummary(stateOf(runJournal), 'http://127.0.0.1:8000', nowMs);
  expect(lines).toHaveLength(5);
  expect(lines.join('\n')).toMatch(
    /run-7f3a {2}running.*\n.*skills 1\/6.*\n.*\n! 2 decisions pending: Migrate.*\n.*event 21 .*watch run-7f3a$/,
  );
});
