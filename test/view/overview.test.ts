import { describe, expect, test } from 'vitest';
import { overviewTotals, passesFilter, sortedSessions } from '../../src/view/overview.ts';
import { firstFocus } from '../../src/view/panels/panel.ts';
import { checkpointLines, previewLines, previewTarget } from '../../src/view/rollback-preview.ts';
import { unicodeGlyphs } from '../../src/view/text/glyphs.ts';
import { overviewSummary, sessionSummary } from '../../src/view/summary.ts';
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
  expect(sortedSessions(sessions).map(({ state }) => state.session_id)).toEqual(['asks', 'lost', 'halted', 'busy', 'failed', 'done']);
  expect(
    overviewTotals(sessions)
      .map(({ text }) => text)
      .join(''),
  ).toBe('3 need you  1 working  2 ended');
});

test('a filter finds sessions by words of their id, task, place and status', () => {
  const state = stateOf(
    journalled(
      [
        { type: 'execution:started', data: { task: 'Build the API', branch: 'payments' } },
        { type: 'execution:failed', data: {} },
      ],
      'nightly-1',
    ),
  );
  expect(['', 'api', 'failed NIGHT', 'ended payments', 'api working', 'needs'].map((filter) => passesFilter(state, filter))).toEqual([
    true,
    true,
    true,
    true,
    false,
    false,
  ]);
});

describe('a rollback preview', () => {
  test('is read from whatever an orchestrator answers, clean and bounded', () => {
    expect(previewLines({ checkpoint_id: 'cp-2', files: ['a', 'b\x1b[2J'], commits: 0 })).toEqual([
      'back to checkpoint: cp-2',
      'files:',
      '  - a',
      '  - b',
      'commits: 0',
    ]);
    expect(previewLines({ restore: [{ path: 'a.txt', change: 'removed' }] })).toEqual(['files that go back:', '  - a.txt  removed']);
    expect(previewLines(null)).toEqual(['the program does not say what']);
    expect(previewLines(Array.from({ length: 500 }, (_, index) => index)).length).toBeLessThanOrEqual(30);
  });

  test('names what will be restored', () => {
    expect(previewTarget({ checkpoint_id: 'cp-2' }, { steps: 1 })).toEqual({ checkpoint_id: 'cp-2' });
    expect(previewTarget('text', { steps: 1 })).toEqual({ steps: 1 });
  });
});

test('a checkpoint is told by its label, its time and its files', () => {
  const state = stateOf(journalled([{ type: 'checkpoint:created', data: { checkpoint_id: 'cp-2', label: 'after wave 1', files: 24 } }]));
  const style = { glyphs: unicodeGlyphs, nowMs, timestamps: 'clock' } as const;
  expect(checkpointLines(state, 'cp-2', style).join(' | ')).toMatch(
    /^Back to cp-2: after wave 1 \| saved 1m00s ago, at \d\d:17:32, with 24 files$/,
  );
  expect(checkpointLines(state, 'cp-9', style)).toEqual([]);
});

test('what stays in the terminal is five lines', () => {
  const lines = sessionSummary(stateOf(runJournal), 'http://127.0.0.1:8000', nowMs);
  expect(lines).toHaveLength(5);
  expect(lines.join('\n')).toMatch(
    /run-7f3a {2}running.*\n.*skills 1\/6.*\n.*\n! 2 decisions pending: Migrate.*\n.*event 21 .*watch run-7f3a$/,
  );
});

test('what there is none of is not told when the dashboard goes', () => {
  const lines = sessionSummary(stateOf(runJournal.slice(0, 1)), 'http://127.0.0.1:8000', nowMs);
  expect(lines).toEqual([
    expect.stringMatching(/^run-7f3a {2}/),
    'skills 0/6 done, 0 failed',
    expect.stringMatching(/^seen up to event 1 /),
  ]);
  expect(overviewSummary([], 'http://127.0.0.1:8000')).toEqual(['no session', 'again: shannon-dash watch']);
  expect(overviewSummary([], 'http://127.0.0.1:8000', false)[0]).toBe('no server was reached at http://127.0.0.1:8000');
});
