import { describe, expect, test } from 'vitest';
import { checkpointFrom } from '../../src/feed/scrubber.ts';
import { atTop, moved, windowOf } from '../../src/dashboard/rows/list-cursor.ts';
import { OverviewSelection } from '../../src/dashboard/keys/overview-selection.ts';
import { rowOfCells, wrapped } from '../../src/dashboard/rows/row.ts';
import { screenOf } from '../../src/dashboard/screen/screen.ts';
import { clip, textWidth } from '../../src/dashboard/rows/text-width.ts';
import { clipboardSequence } from '../../src/dashboard/terminal/clipboard.ts';
import { notificationSequence } from '../../src/dashboard/terminal/notifications.ts';
import { journalled, modelOf, runJournal, stateOf } from './screen-models.ts';

describe('a row of text', () => {
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

test('checkpoints are found before and after a place', () => {
  const { checkpoints } = stateOf(runJournal);
  expect([
    checkpointFrom(checkpoints, 19, -1),
    checkpointFrom(checkpoints, 12, -1),
    checkpointFrom(checkpoints, 6, 1),
    checkpointFrom(checkpoints, 12, 1),
  ]).toEqual([12, 6, 12, undefined]);
});

test('the clipboard gets the text and no sequence of its own', () => {
  expect(clipboardSequence('a\x1b]0;x\x07')).toMatch(/^\x1b\]52;c;[A-Za-z0-9+/=]+\x1b\\$/);
});

test.each([
  [{}, '\x1b]9;shannon-dash: build; asks: Migrate?\x1b\\'],
  [{ TERM: 'rxvt-unicode-256color' }, '\x1b]777;notify;shannon-dash: build, asks;Migrate?\x1b\\'],
  [{ KONSOLE_VERSION: '230804' }, '\x1b]777;notify;shannon-dash: build, asks;Migrate?\x1b\\'],
  [{ TMUX: '/tmp/tmux-0/default,1,0' }, '\x1bPtmux;\x1b\x1b]9;shannon-dash: build; asks: Migrate?\x1b\x1b\\\x1b\\'],
])('the terminal of %j is notified by its own sequence', (env, sequence) => {
  expect(notificationSequence({ title: 'build; asks', lines: ['Migrate?', '[yes] [no]'] }, env)).toBe(sequence);
});
