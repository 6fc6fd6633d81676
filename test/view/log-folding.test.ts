import { describe, expect, test } from 'vitest';
import { LogBuffer } from '../../src/view/log/log-buffer.ts';
import { logLimits } from '../../src/view/log/log-lines.ts';
import { journalled, stateOf } from '../dashboard/screen-models.ts';

const session = 'run-7f3a';
type Told = [type: string, data: Record<string, unknown>];

/** Events one second apart. */
function told(...events: Told[]) {
  return journalled(
    events.map(([type, data], index) => ({ type, data, timestamp: new Date(Date.UTC(2026, 0, 2, 12, 0, index)).toISOString() })),
  );
}

const build = (progress: number): Told => ['skill:progress', { skill_name: 'build', progress }];
const test1 = (progress: number): Told => ['skill:progress', { skill_name: 'test', progress }];

function shownLines(log: LogBuffer): string[] {
  log.flush();
  return log.lines(session, [], '').map(({ text, goesOn }) => `${text} x${goesOn?.count ?? 1}`);
}

describe('folding', () => {
  test('keeps the last of each thing that goes on, in the order in which these came', () => {
    const log = new LogBuffer();
    log.add(told(build(1), test1(1), ['custom:x', {}], build(2), ['agent:progress', { agent_id: 'a', message: 'one' }], test1(2)));
    expect(shownLines(log)).toEqual(['custom:x x1', 'build 2% x2', 'a: one x1', 'test 2% x2']);
  });

  test('begins anew where the thing begins or ends, or the task is another', () => {
    const log = new LogBuffer();
    log.add(told(build(1), build(2), ['skill:failed', { skill_name: 'build' }], build(3), ['execution:progress', { task: 'a' }], build(4)));
    expect(shownLines(log)).toEqual(['build 2% x2', 'build failed x1', 'works on: a x1', 'build 4% x2']);
    log.add(told(['file:modified', { path: 'a' }], ['file:modified', { path: 'b' }], ['file:modified', { path: 'a' }]));
    expect(shownLines(log).slice(-2)).toEqual(['edited b x1', 'edited a x2']);
  });

  test('what was used is one line for each agent and model', () => {
    const log = new LogBuffer();
    const used = (agent_id: string, model: string): Told => ['usage:reported', { agent_id, model, input_tokens: 1, output_tokens: 0 }];
    log.add(told(used('a', 'big'), used('b', 'big'), used('a', 'small'), used('a', 'big')));
    expect(shownLines(log).map((line) => line.replace(/ used.* x/, ' x'))).toEqual(['b x1', 'a x1', 'a x2']);
  });

  test('goes on over flushes, over pages and over the border between the past and what came live, each event counted once', () => {
    const log = new LogBuffer();
    const events = told(...Array.from({ length: 1_400 }, (_, index) => build(index % 100)));
    log.add(events.slice(1_300, 1_350));
    log.flush();
    log.add(events.slice(1_350));
    expect(shownLines(log)).toEqual(['build 99% x100']);
    log.setPast(session, events.slice(800, 1_300), { from: 801, to: 1_300 });
    log.addPast(session, events.slice(300, 800), { older: 301 });
    expect(log.firstSeq(session)).toBe(301);
    expect(log.hole(session)).toBeUndefined();
    expect(shownLines(log)).toEqual(['build 99% x1100']);
  });

  test('leaves room for what is not progress, and counts nothing twice once the first lines had to go', () => {
    const log = new LogBuffer();
    const many = Array.from({ length: logLimits.lines + 1_000 }, (_, index): Told[] => [build(index % 100), ['custom:x', { index }]]);
    const events = told(build(0), ...many.flat());
    for (let at = 0; at < events.length; at += 200) {
      log.add(events.slice(at, at + 200));
      log.flush();
    }
    const lines = log.lines(session, [], '');
    expect(lines.filter(({ type }) => type === 'custom:x').length).toBeGreaterThan(logLimits.lines - 2);
    const first = log.firstSeq(session) ?? 0;
    expect(first).toBeGreaterThan(1);
    log.setPast(session, events.slice(first - 101, first - 1), { from: first - 100, to: first - 1 });
    const folded = log.lines(session, [], '').filter(({ type }) => type === 'skill:progress');
    // Both count the events before the border: they stay two lines.
    expect(folded.map(({ goesOn }) => goesOn?.count)).toEqual([50, logLimits.lines + 1_001]);
  });
});

describe('how long something took', () => {
  const lasted = told(
    ['execution:started', {}],
    ['skill:started', { skill_name: 'build' }],
    ['tool:started', { tool_id: 't', tool_name: 'Bash' }],
    ['tool:completed', { tool_id: 't' }],
    ['skill:completed', { skill_name: 'build' }],
    ['skill:started', { skill_name: 'build' }],
    ['decision:point', { decision_id: 'd', question: 'Go?', options: ['yes'] }],
    ['decision:made', { decision_id: 'd', choice: 'yes', made_by: 'ana' }],
    ['skill:failed', { skill_name: 'build', duration: 90 }],
    ['validation:started', { check_name: 'unit' }],
    ['validation:result', { check_name: 'unit', success: true }],
    ['execution:completed', {}],
  );

  test('is told where an event ends what another began, or says itself', () => {
    const log = new LogBuffer();
    log.setPast(session, lasted, { from: 1, to: lasted.length });
    const texts = shownLines(log);
    for (const text of [
      't done in 1.0s',
      'build done in 3.0s',
      'ana chose "yes" after 1.0s',
      'build failed in 1m30s',
      'unit passed in 1.0s',
    ])
      expect(texts).toContain(`${text} x1`);
    expect(texts.at(-1)).toBe('completed in 11s x1');
  });

  test('comes from the state where the beginning is not at hand', () => {
    const state = stateOf(lasted);
    const log = new LogBuffer(() => state);
    log.add(lasted.slice(-1));
    expect(shownLines(log)).toEqual(['completed in 11s x1']);
    // The skill has begun and ended again since: how long it took then is not known.
    log.setPast(session, lasted.slice(4, 5), { from: 5, to: 5 });
    expect(shownLines(log)[0]).toBe('build done x1');
  });
});
