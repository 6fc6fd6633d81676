import * as fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import { commandTypes, isFinal, parseCommand } from '../../src/core/protocol/command.ts';
import { ShannonDashError } from '../../src/core/protocol/errors.ts';
import { limits } from '../../src/core/protocol/limits.ts';

function messageOf(input: unknown): string {
  try {
    parseCommand(input);
  } catch (error) {
    expect(error).toBeInstanceOf(ShannonDashError);
    return (error as ShannonDashError).message;
  }
  return 'accepted';
}

describe('the texts of refusals', () => {
  test.each([
    [undefined, 'Command type is required'],
    [null, 'Command type is required'],
    ['HALT', 'Command type is required'],
    [{}, 'Command type is required'],
    [[], 'Command type is required'],
    [{ type: '' }, 'Command type is required'],
    [{ type: 5 }, 'Command type is required'],
    [{ type: ['HALT'] }, 'Command type is required'],
    [{ type: 'Dance' }, 'Unknown command type: Dance'],
    [{ type: ' HALT' }, 'Unknown command type:  HALT'],
    [{ type: 'constructor' }, 'Unknown command type: constructor'],
    [{ type: '__proto__' }, 'Unknown command type: __proto__'],
    [{ type: 'x'.repeat(500) }, `Unknown command type: ${'x'.repeat(100)}`],
    [{ type: 'REDIRECT' }, 'target_skill or target_path is required'],
    [{ type: 'REDIRECT', target_skill: '', target_path: null }, 'target_skill or target_path is required'],
    [{ type: 'DECISION' }, 'decision_id and choice are required'],
    [{ type: 'DECISION', decision_id: 'd' }, 'decision_id and choice are required'],
    [{ type: 'DECISION', choice: 'A' }, 'decision_id and choice are required'],
    [{ type: 'INJECT' }, 'skill_name is required'],
    [{ type: 'INJECT', skill_name: '' }, 'skill_name is required'],
  ])('%$: $1', (input, message) => expect(messageOf(input)).toBe(message));

  test('an unknown type is answered with those that exist', () => {
    expect(() => parseCommand({ type: 'x' })).toThrow(expect.objectContaining({ code: 'INVALID', details: { known: commandTypes } }));
  });
});

describe('fields that make no sense', () => {
  test.each([
    [{ type: 'ROLLBACK', steps: -5 }, 'steps: must be from 1 to 1000'],
    [{ type: 'ROLLBACK', steps: 0 }, 'steps: must be from 1 to 1000'],
    [{ type: 'ROLLBACK', steps: 1_001 }, 'steps: must be from 1 to 1000'],
    [{ type: 'ROLLBACK', steps: 1.5 }, 'steps: must be a whole number from 1 to 1000'],
    [{ type: 'ROLLBACK', steps: '3' }, 'steps: must be a whole number from 1 to 1000'],
    [{ type: 'ROLLBACK', steps: Number.NaN }, 'steps: must be a whole number from 1 to 1000'],
    [{ type: 'ROLLBACK', steps: 1, checkpoint_id: 'c' }, 'steps: give either steps or checkpoint_id'],
    [{ type: 'ROLLBACK', dry_run: 'yes' }, 'dry_run: must be true or false'],
    [{ type: 'INJECT', skill_name: 's', position: 'banana' }, 'position: must be next, end or an index from 0'],
    [{ type: 'INJECT', skill_name: 's', position: -1 }, 'position: must be next, end or an index from 0'],
    [{ type: 'INJECT', skill_name: 's', parameters: 'x' }, 'parameters: must be an object'],
    [{ type: 'DECISION', decision_id: 'd', choice: 5 }, 'choice: must be a text'],
    [{ type: 'HALT', reason: {} }, 'reason: must be a text'],
    [{ type: 'HALT', reason: 'x'.repeat(10_001) }, 'reason: must be at most 10,000 characters'],
    [{ type: 'HALT', timeout_ms: 0 }, 'timeout_ms: must be positive'],
    [{ type: 'HALT', timeout_ms: 1e9 }, 'timeout_ms: must be at most 600000'],
    [{ type: 'HALT', command_id: '' }, 'command_id: must not be empty'],
    [{ type: 'HALT', command_id: 'x'.repeat(129) }, 'command_id: must be at most 128 characters'],
  ])('%$: $1', (input, message) => expect(messageOf(input)).toBe(message));

  test.each(['../x', ['a'], {}, '**'])('session_id %j is refused by name', (session_id) => {
    expect(messageOf({ type: 'HALT', session_id })).toMatch(/^session_id: /);
  });
});

describe('a command that makes sense', () => {
  test.each(commandTypes.flatMap((type) => [type, type.toLowerCase(), type[0] + type.slice(1).toLowerCase()]))('%s is known', (type) => {
    const input = { type, target_skill: 't', decision_id: 'd', choice: 'A', skill_name: 's' };
    expect(parseCommand(input).type).toBe(type.toUpperCase());
  });

  test('has its defaults and only its own fields', () => {
    expect(parseCommand({ type: 'rollback', other: 1 })).toEqual({
      type: 'ROLLBACK',
      session_id: undefined,
      command_id: undefined,
      timeout_ms: limits.commandTimeoutMs,
      fields: { steps: 1 },
    });
    expect(parseCommand({ type: 'ROLLBACK', checkpoint_id: 'c', dry_run: true }).fields).toEqual({ checkpoint_id: 'c', dry_run: true });
    expect(parseCommand({ type: 'INJECT', skill_name: 's' }).fields).toEqual({ skill_name: 's', position: 'next' });
    expect(parseCommand({ type: 'INJECT', skill_name: 's', position: 0 }).fields['position']).toBe(0);
    expect(parseCommand({ type: 'HALT', session_id: '*', command_id: 'k', timeout_ms: 9 })).toMatchObject({
      session_id: '*',
      command_id: 'k',
      timeout_ms: 9,
    });
  });
});

describe('hostile commands', () => {
  test.each([
    ['in letters of one byte', 'x'.repeat(limits.commandBytes)],
    ['in letters of three bytes', '€'.repeat(limits.commandBytes / 2)],
  ])('more than 64 KiB %s are too large', (_, filler) => {
    const input = { type: 'INJECT', skill_name: 's', parameters: { filler } };
    expect(() => parseCommand(input)).toThrow(expect.objectContaining({ code: 'TOO_LARGE' }));
  });

  test('parameters nested a hundred thousand deep are refused', () => {
    const input: unknown = JSON.parse(`{"type":"INJECT","skill_name":"s","parameters":{"a":${'['.repeat(1e5)}${']'.repeat(1e5)}}}`);
    expect(() => parseCommand(input)).toThrow(expect.objectContaining({ code: 'INVALID' }));
  });

  test('any JSON is either a command or refused with a code, never another error', () => {
    const fields = fc.dictionary(
      fc.constantFrom(
        'session_id',
        'command_id',
        'timeout_ms',
        'steps',
        'checkpoint_id',
        'target_skill',
        'target_path',
        'decision_id',
        'choice',
        'skill_name',
        'parameters',
        'position',
        'reason',
        '__proto__',
        'toString',
        'constructor',
      ),
      fc.jsonValue({ maxDepth: 3 }),
    );
    const input = fc.oneof(
      fc.jsonValue(),
      fc.tuple(fields, fc.constantFrom(...commandTypes)).map(([rest, type]) => ({ ...rest, type })),
    );
    fc.assert(
      fc.property(input, (given) => {
        try {
          expect(commandTypes).toContain(parseCommand(given).type);
        } catch (error) {
          expect(error).toBeInstanceOf(ShannonDashError);
        }
      }),
      { numRuns: 500 },
    );
  });
});

test('applied, failed, rejected and expired are final', () => {
  const all = ['queued', 'delivered', 'applied', 'failed', 'rejected', 'expired'] as const;
  expect(all.filter(isFinal)).toEqual(['applied', 'failed', 'rejected', 'expired']);
});
