import { describe, expect, test } from 'vitest';
import { count } from '../../src/view/text/numbers.ts';
import { LogBuffer, logLimits, logLines, typedFilter } from '../../src/view/log-buffer.ts';
import { journalled, runJournal } from '../dashboard/screen-models.ts';

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
