import { describe, expect, test } from 'vitest';
import type { SessionEvent } from '../../src/core/protocol/event.ts';
import { count } from '../../src/view/text/numbers.ts';
import { LogBuffer, typedFilter } from '../../src/view/log/log-buffer.ts';
import { logLimits, logLines } from '../../src/view/log/log-lines.ts';
import { journalled, runJournal } from '../dashboard/screen-models.ts';

/** Events 1, 2, 3 ... of a session. */
function flood(events: number, session = 'run-7f3a'): SessionEvent[] {
  return journalled(
    Array.from({ length: events }, (_, index) => ({ type: 'custom:event', data: { n: index } })),
    session,
  );
}

describe('the log', () => {
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
    log.setPast('run-7f3a', events, { from: 1, to: events.length });
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

describe('the past of the log', () => {
  const session = 'run-7f3a';
  const events = (from: number, to: number) => flood(to).slice(from - 1);
  const seqs = (log: LogBuffer) => log.lines(session, [], '').map((line) => line.seq);

  test('is a window that moves, and the hole between it and what came live is said', () => {
    const log = new LogBuffer();
    log.add(flood(9_010).slice(9_000));
    log.setPast(session, events(8_001, 9_000), { from: 8_001, to: 9_000 });
    expect(log.hole(session)).toBeUndefined();
    log.addPast(session, events(7_001, 8_000), { older: 7_001 });
    expect(log.hole(session)).toBeUndefined();
    log.addPast(session, events(6_501, 7_000), { older: 6_501 });
    expect(log.firstSeq(session)).toBe(6_501);
    expect(log.hole(session)).toEqual({ from: 8_501, to: 9_000 });
    expect(log.lines(session, [], '').find((line) => line.type === 'dashboard:hole')?.text).toContain('500 events between');
    log.addPast(session, events(8_501, 9_000), { newer: 9_000 });
    expect(log.hole(session)).toBeUndefined();
    expect(log.firstSeq(session)).toBe(7_001);
    expect(seqs(log)).toEqual(Array.from({ length: 2_010 }, (_, index) => 7_001 + index));
  });

  test('has the newest again after its beginning was shown', () => {
    const log = new LogBuffer();
    log.setPast(session, events(901, 1_000), { from: 901, to: 1_000 });
    log.setPast(session, events(1, 100), { from: 1, to: 100 });
    expect(log.hole(session)).toEqual({ from: 101, to: 1_000 });
    log.setPast(session, events(501, 1_000), { from: 501, to: 1_000 });
    expect(log.hole(session)).toBeUndefined();
    expect(seqs(log).at(-1)).toBe(1_000);
  });
});
