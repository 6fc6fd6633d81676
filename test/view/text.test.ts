import { describe, expect, test } from 'vitest';
import { matchesGlob } from '../../src/core/event-filter.ts';
import { knownEventTypes } from '../../src/core/protocol/known-words.ts';
import { eventPhrase, failureTypes, isFailure } from '../../src/view/text/event-phrase.ts';
import { count, duration, rate, timeLeft } from '../../src/view/text/numbers.ts';
import { RateMeter } from '../../src/view/rate-meter.ts';
import { shown } from '../../src/view/text/shown-text.ts';
import { hostileTexts, unsafe } from '../dashboard/hostile.ts';
import { runJournal } from '../dashboard/screen-models.ts';

describe('text from outside', () => {
  test.each(hostileTexts)('%j loses what acts, and keeps its width in every terminal', (text) => {
    expect(shown(text)).not.toMatch(unsafe);
    expect(shown(text)).not.toMatch(/\ufe0f|\u200d|\u20e3/u);
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
    const day = 86_400_000;
    expect([timeLeft(365 * day - 1), timeLeft(30 * day - 1), timeLeft(day - 1), timeLeft(59_400)]).toEqual([
      '365d',
      '30d00h',
      '1d00h',
      '59s',
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
    expect(words('orchestrator:detached', { instance_id: 'o', code: 'left', reason: 'it left' })).toBe('the program has left (o)');
    expect(words('orchestrator:detached', { instance_id: 'o', reason: 'ping timeout' })).toBe(
      'the program (o) is gone without a word: ping timeout',
    );
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

test('whatever is a failure is of one of the types by which failures are looked for', () => {
  const data = { success: false, error: 'x' };
  const failures = [...knownEventTypes, 'validation:completed', 'custom:failed'].filter((type) => isFailure({ type, data }));
  expect(failures.length).toBeGreaterThan(8);
  expect(failures.filter((type) => !failureTypes.some((glob) => matchesGlob(glob, type)))).toEqual([]);
});
