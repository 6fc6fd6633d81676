import * as fc from 'fast-check';
import { parse } from 'jsonc-parser';
import { describe, expect, test } from 'vitest';
import { recordOf, undone } from '../../../src/cli/commands/hook/settings-file/install-record.ts';
import { ownHooks, withoutOwnHooks } from '../../../src/cli/commands/hook/settings-file/own-hooks.ts';
import { checkSettings, withHooks } from '../../../src/cli/commands/hook/settings-file/with-hooks.ts';

const handler = { type: 'http', url: 'http://127.0.0.1:8000/api/hooks/claude-code', timeout: 30 };
const wanted = { agent: 'claude-code', entries: { PreToolUse: { hooks: [handler] }, Stop: { hooks: [handler] } }, needs: {} } as const;

/** JSON as different people and programs write it. */
const layouts: readonly ((value: unknown) => string)[] = [
  (value) => JSON.stringify(value),
  (value) => `${JSON.stringify(value, null, 2)}\n`,
  (value) => JSON.stringify(value, null, '\t'),
  (value) => `${JSON.stringify(value, null, 4).replaceAll('\n', '\r\n')}\r\n`,
  (value) => ` ${JSON.stringify(value, null, 3)}\n\n`,
  (value) => JSON.stringify(value, null, 1).replaceAll(/([{[,])\n/g, '$1 // why\n'),
  (value) =>
    JSON.stringify(value, null, 2)
      .replaceAll(/\n( *)([}\]])/g, ' /* last */,\n$1$2')
      .replaceAll(/([{[]) \/\* last \*\/,/g, '$1'),
];

/** As the parser gives it, which loses a field named `__proto__`. */
const asParsed = (value: unknown): unknown => parse(JSON.stringify(value));

const settings = fc.record(
  {
    model: fc.string(),
    permissions: fc.json().map((text) => JSON.parse(text) as unknown),
    hooks: fc.dictionary(
      fc.constantFrom('PreToolUse', 'Stop', 'Notification', 'a "b" \\'),
      fc.array(fc.record({ matcher: fc.string(), hooks: fc.array(fc.record({ type: fc.constant('command'), command: fc.string() })) })),
      { noNullPrototype: true },
    ),
  },
  { requiredKeys: [], noNullPrototype: true },
);

describe('hooks in a text of settings', () => {
  test('whatever stands there stays as it is, and all is as it was when they go', () => {
    fc.assert(
      fc.property(settings, fc.constantFrom(...layouts), (value, layout) => {
        const before = layout(value);
        checkSettings(before, true);
        const after = withHooks(before, wanted);
        checkSettings(after, true);
        expect(
          ownHooks(after, 'claude-code')
            .map(({ event }) => event)
            .toSorted(),
        ).toEqual(['PreToolUse', 'Stop']);
        // Nothing was taken out: what was added stands between what was there.
        expect(isSubsequence(before, after)).toBe(true);
        const { hooks = {}, ...others } = value;
        const expected = { ...others, hooks: { ...hooks } } as { hooks: Record<string, unknown[]> };
        for (const [event, entry] of Object.entries(wanted.entries)) expected.hooks[event] = [...(expected.hooks[event] ?? []), entry];
        expect(parse(after)).toEqual(asParsed(expected));
        expect(undone(after, recordOf({ path: '', isNew: false, folders: [] }, before, after))).toBe(before);
      }),
    );
  });

  test('where somebody has changed the text since, only they go', () => {
    fc.assert(
      fc.property(settings, fc.constantFrom(...layouts), (value, layout) => {
        // Without empty lists, which nobody misses.
        const full = Object.entries(value.hooks ?? {}).filter(
          ([, groups]) => groups.length > 0 && groups.every(({ hooks }) => hooks.length > 0),
        );
        const { hooks: _hooks, ...others } = value;
        const kept = full.length === 0 ? others : { ...others, hooks: Object.fromEntries(full) };
        const changed = withHooks(layout(kept), wanted).replace('"timeout": 30', '"timeout": 31');
        const rest = withoutOwnHooks(changed, 'claude-code');
        checkSettings(rest, true);
        expect(parse(rest)).toEqual(asParsed(kept));
      }),
    );
  });

  test.each([
    ['a handler of ours in a group of theirs', { matcher: 'Bash', hooks: [{ type: 'command', command: 'mine' }, handler] }, 1],
    [
      'a command of ours by a shell',
      { hooks: [{ type: 'command', command: `'/a b/node' '/x/bin/shannon-dash.js' hook claude-code --start` }] },
      0,
    ],
    ['a command of ours without one', { hooks: [{ type: 'command', command: '/opt/shannon-dash', args: ['hook', 'claude-code'] }] }, 0],
    ['an entry of ours that is the command itself', { command: 'shannon-dash hook claude-code' }, 0],
    ['hooks of another agent', { hooks: [{ type: 'command', command: 'shannon-dash hook codex' }] }, 1],
    ['hooks of others to another server', { hooks: [{ type: 'http', url: 'http://127.0.0.1:8000/api/hooks/claude-code-too' }] }, 1],
  ])('%s', (_, entry, left) => {
    const rest = parse(withoutOwnHooks(JSON.stringify({ hooks: { Stop: [entry] } }, null, 2), 'claude-code')) as {
      hooks?: { Stop: { hooks: unknown[] }[] };
    };
    expect(rest.hooks?.Stop[0]?.hooks.length ?? 0).toBe(left);
  });

  test.each([
    ['{"hooks": []}', '"hooks" must be an object'],
    ['{"hooks": {"Stop": {}}}', '"hooks.Stop" must be a list'],
    ['[]', 'it must be an object'],
  ])('%s is refused', (text, sentence) => {
    expect(() => withHooks(text, wanted)).toThrow(sentence);
  });

  test.each([
    ['{"a": 1 // why\n}', false, 'line 1: a comment, which this agent does not read'],
    ['{"a": 1,}', false, 'line 1: '],
    ['{\n"a": 1\n"b": 2}', true, 'line 3: comma expected'],
    ['{"a": 1', true, 'line 1: close brace expected'],
    ['"text"', true, 'it must hold an object'],
  ])('%j, with comments read: %s, cannot be read: %s', (text, readsComments, sentence) => {
    expect(() => checkSettings(text, readsComments)).toThrow(sentence);
  });

  test('of two fields of one name the one counts that a parser takes', () => {
    const after = withHooks('{"hooks": {"Stop": [1]}, "hooks": {"Stop": [2]}}', wanted);
    expect((JSON.parse(after) as { hooks: { Stop: unknown[] } }).hooks.Stop).toEqual([2, wanted.entries.Stop]);
  });
});

function isSubsequence(part: string, whole: string): boolean {
  let at = 0;
  for (let place = 0; place < whole.length; place++) if (whole[place] === part[at]) at++;
  return at === part.length;
}
