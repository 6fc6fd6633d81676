import { describe, expect, test } from 'vitest';
import { checkpointFrom } from '../../src/dashboard/session/scrubber.ts';
import { isSettled, newPrompt, openDecisions, withDigit } from '../../src/view/decision-prompt.ts';
import { eventPhrase } from '../../src/view/text/event-phrase.ts';
import { count, duration, rate } from '../../src/view/text/numbers.ts';
import { atTop, moved, windowOf } from '../../src/dashboard/rows/list-cursor.ts';
import { LogBuffer, logLimits, logLines, typedFilter } from '../../src/view/log-buffer.ts';
import { OverviewSelection } from '../../src/dashboard/keys/overview-selection.ts';
import { sortedSessions } from '../../src/view/overview.ts';
import { firstFocus } from '../../src/view/panels/panel.ts';
import { RateMeter } from '../../src/view/rate-meter.ts';
import { previewLines, previewTarget } from '../../src/view/rollback-preview.ts';
import { rowOfCells, wrapped } from '../../src/dashboard/rows/row.ts';
import { screenOf } from '../../src/dashboard/screen/screen.ts';
import { sessionSummary } from '../../src/view/summary.ts';
import { clip, textWidth } from '../../src/dashboard/rows/text-width.ts';
import { shown } from '../../src/view/text/shown-text.ts';
import { clipboardSequence } from '../../src/dashboard/terminal/clipboard.ts';
import { DecisionNotifications } from '../../src/dashboard/terminal/notifications.ts';
import { hostileTexts, unsafe } from './hostile.ts';
import { journalled, nowMs, modelOf, runJournal, stateOf } from './screen-models.ts';

describe('text from outside', () => {
  test.each(hostileTexts)('%j loses what acts, and keeps its width in every terminal', (text) => {
    expect(shown(text)).not.toMatch(unsafe);
    expect(shown(text)).not.toMatch(/\ufe0f|\u200d|\u20e3/u);
  });

  test('is cut by columns, not by characters', () => {
    expect(clip('日本語日本語', 7, '…')).toBe('日本語…');
    expect(clip('src/deep/file.ts', 10, '…', 'start')).toBe('…p/file.ts');
    expect(textWidth(clip('a日本語', 4, '…'))).toBeLessThanOrEqual(4);
  });

  test('wraps at spaces and within words that are too long', () => {
    expect(wrapped('one two three', 7, 9, '…')).toEqual(['one two', 'three']);
    expect(wrapped('x'.repeat(12), 5, 2, '…').map(textWidth)).toEqual([5, 5]);
  });

  test('columns drop what is optional before the rest gets too narrow', () => {
    const cells = [{ text: 'name' }, { text: 'more', width: 8, optional: true }];
    expect(
      rowOfCells(30, cells, '…')
        .map((span) => span.text)
        .join(''),
    ).toHaveLength(30);
    expect(
      rowOfCells(12, cells, '…')
        .map((span) => span.text)
        .join(''),
    ).toBe('name        ');
  });
});

describe('figures', () => {
  test('read as people say them', () => {
    expect([count(81_204), duration(48_000), duration(190_000), duration(7_500_000), duration(360_000_000), duration(-5)]).toEqual([
      '81,204',
      '48s',
      '3m10s',
      '2h05m',
      '4d04h',
      '0s',
    ]);
    expect([rate(0), rate(3.44), rate(142.4)]).toEqual(['0', '3.4', '142']);
  });

  test('a rate is the mean of full seconds', () => {
    const meter = new RateMeter();
    for (let second = 0; second < 8; second++) meter.add(100, second * 1_000);
    expect(meter.perSecond(8_000)).toBe(100);
    expect(meter.perSecond(20_000)).toBe(0);
  });
});

describe('events in words', () => {
  test('name who did what', () => {
    const words = (type: string, data: Record<string, unknown>) => eventPhrase({ type, data }).text;
    expect(words('file:modified', { path: 'src/api.ts', agent_id: 'builder-1', lines_added: 12, lines_removed: 3 })).toBe(
      'builder-1 edited src/api.ts (+12 -3)',
    );
    expect(words('execution:completed', { result: { exit_code: 0, duration_ms: 1_234 } })).toBe('completed, exit code 0 after 1.2s');
    expect(words('execution:completed', { result: 'all good' })).toBe('completed: all good');
    expect(words('decision:made', { choice: 'skip', made_by: 'ana' })).toBe('ana chose "skip"');
    expect(words('command:queued', { command_type: 'ROLLBACK', by: 'ana', parameters: { dry_run: true } })).toBe(
      'ROLLBACK preview queued, by ana',
    );
    expect(words('some:thing', { a: 1, deep: {} })).toBe('some:thing a=1');
    expect(words('agent:progress', { agent_id: 'b', message: 'step 3' })).toBe('b: step 3');
    expect(words('skill:progress', { skill_name: 's', progress: 61, message: 'wave 2' })).toBe('s 61% wave 2');
    expect(words('execution:progress', { message: 'wave 2' })).toBe('wave 2');
    expect(words('orchestrator:detached', { instance_id: 'o', code: 'left', reason: 'it left' })).toBe('orchestrator o left');
    expect(words('orchestrator:detached', { instance_id: 'o', reason: 'ping timeout' })).toBe('orchestrator o lost: ping timeout');
    expect(words('file:created', { file_path: 'a.ts' })).toBe('created a.ts');
    expect(words('skill:started', { skill: 'lint' })).toBe('lint started');
    expect(words('validation:completed', { check_name: 'unit', success: false })).toBe('unit failed');
    expect(words('checkpoint:saved', { checkpoint_id: 'c', files: 3 })).toBe('checkpoint c saved, files: 3');
    expect(words('checkpoint:failed', { checkpoint_id: 'c', error: 'full' })).toBe('checkpoint c failed: full');
  });

  test('exist for whatever data a known type comes with', () => {
    for (const data of [{}, { path: 7 }, { skill_name: null }, { error: { message: 'x' } }]) {
      for (const type of new Set(runJournal.map((event) => event.type))) expect(eventPhrase({ type, data }).text).not.toBe('');
    }
  });
});

describe('the log', () => {
  const flood = (events: number, session = 'run-7f3a') =>
    journalled(
      Array.from({ length: events }, (_, index) => ({ type: 'custom:event', data: { n: index } })),
      session,
    );

  test('says what it leaves out under overload, and keeps the newest', () => {
    const log = new LogBuffer();
    for (let part = 0; part < 10; part++) log.add(flood(1_000).slice(part * 100, part * 100 + 100));
    log.flush();
    const lines = log.lines(undefined, [], '');
    expect(lines).toHaveLength(logLimits.batchLines + 1);
    expect(lines[0]?.text).toBe(
      `${count(1_000 - logLimits.batchLines)} events not shown here (too many at once); the journal has them all`,
    );
    expect(lines.at(-1)?.seq).toBe(1_000);
  });

  test('shows the output of a program line by line', () => {
    const [output] = journalled([{ type: 'process:output', data: { stream: 'stderr', lines: ['one', '', '\x1b[31mtwo'] } }]);
    expect(output === undefined ? [] : logLines(output, 7).map(({ number, group, text }) => [number, group, text])).toEqual([
      [7, 'stderr', 'one'],
      [7.001, 'stderr', 'two'],
    ]);
  });

  test('is bounded', () => {
    const log = new LogBuffer();
    for (let batch = 0; batch < 100; batch++) {
      log.add(flood(200));
      log.flush();
    }
    expect(log.lines(undefined, [], '').length).toBeLessThanOrEqual(logLimits.lines * 1.25);
  });

  test.each(['shown', 'still waiting'])('takes what happened before in front of what came (%s), once', (came) => {
    const log = new LogBuffer();
    const events = flood(10);
    log.add(events.slice(6));
    if (came === 'shown') log.flush();
    log.setBefore(events);
    expect(log.lines('run-7f3a', [], '').map((line) => line.seq)).toEqual([1, 2, 3, 4, 5, 6, 7, 8, 9, 10]);
    const numbers = log.lines('run-7f3a', [], '').map((line) => line.number);
    expect(numbers).toEqual(numbers.toSorted((a, b) => a - b));
    expect(log.lines('other', [], '')).toEqual([]);
  });

  test('is filtered by globs and by what was typed', () => {
    const log = new LogBuffer();
    log.add(runJournal);
    log.flush();
    expect(new Set(log.lines('run-7f3a', ['skill:*'], '').map((line) => line.group))).toEqual(new Set(['skill']));
    expect(typedFilter('!lint')({ type: 'skill:failed', text: 'lint failed' })).toBe(false);
    expect(typedFilter('skill:*')({ type: 'skill:failed', text: '' })).toBe(true);
    expect(typedFilter('LINT')({ type: 'skill:failed', text: 'lint failed' })).toBe(true);
  });
});

describe('a selection', () => {
  const keys = ['a', 'b', 'c', 'd', 'e'];
  test('stays on its item and its row while the list changes around it', () => {
    const cursor = moved(keys, moved(keys, atTop, 3, 2), 3, 1);
    expect(cursor).toEqual({ key: 'd', row: 2 });
    expect(windowOf(keys, cursor, 3)).toEqual({ top: 1, selected: 3 });
    expect(windowOf(['x', 'y', ...keys], cursor, 3)).toEqual({ top: 3, selected: 5 });
  });

  test('falls to the first when its item goes, and stays within the list', () => {
    expect(windowOf(keys, { key: 'gone', row: 1 }, 3)).toEqual({ top: 0, selected: 0 });
    expect(moved(keys, atTop, 3, Infinity).key).toBe('e');
    expect(moved([], atTop, 3, 1)).toEqual(atTop);
  });
});

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

  test('calls once', () => {
    const written: string[] = [];
    const notifications = new DecisionNotifications((sequence) => written.push(sequence), true);
    const state = stateOf(runJournal);
    notifications.notify([state]);
    notifications.notify([state]);
    expect(written).toEqual(['\x1b]9;shannon-dash: decision pending in run-7f3a: Migrate the users table now? (and 1 more)\x1b\\\x07']);
  });
});

test('the selection of the overview tells when another session has come under it by itself', () => {
  const model = (...ids: string[]) =>
    modelOf({
      ui: { sessionId: undefined },
      sessions: ids.map((id) => ({ state: stateOf(journalled([{ type: 'execution:started', data: {} }], id)), eventsPerSecond: 0 })),
    });
  let { ui } = model('a');
  const selection = new OverviewSelection(() => ui);
  const see = (atMs: number, ...ids: string[]) => {
    const screen = screenOf(model(...ids));
    selection.see(screen, atMs);
    return selection.on(screen);
  };
  expect(see(0, 'a', 'b')).toBe('a');
  expect(selection.hasJustMoved(1_000)).toBe(false);
  expect(see(2_000, 'b', 'a')).toBe('b');
  expect([selection.hasJustMoved(2_399), selection.hasJustMoved(2_400)]).toEqual([true, false]);
  ui = { ...ui, cursors: { ...ui.cursors, overview: { key: 'a', row: 1 } } };
  expect(see(3_000, 'c', 'b', 'a')).toBe('a');
  expect(selection.hasJustMoved(3_001)).toBe(false);
});

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

test('checkpoints are found before and after a place', () => {
  const { checkpoints } = stateOf(runJournal);
  expect([
    checkpointFrom(checkpoints, 19, -1),
    checkpointFrom(checkpoints, 12, -1),
    checkpointFrom(checkpoints, 6, 1),
    checkpointFrom(checkpoints, 12, 1),
  ]).toEqual([12, 6, 12, undefined]);
});

test('what stays in the terminal is five lines', () => {
  const lines = sessionSummary(stateOf(runJournal), 'http://127.0.0.1:8000', nowMs);
  expect(lines).toHaveLength(5);
  expect(lines.join('\n')).toMatch(
    /run-7f3a {2}running.*\n.*skills 1\/6.*\n.*\n! 2 decisions pending: Migrate.*\n.*event 21 .*watch run-7f3a$/,
  );
});

test('the clipboard gets the text and no sequence of its own', () => {
  expect(clipboardSequence('a\x1b]0;x\x07')).toMatch(/^\x1b\]52;c;[A-Za-z0-9+/=]+\x1b\\$/);
});
