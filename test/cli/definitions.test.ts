import { globSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { expect, test } from 'vitest';
import { commands } from '../../src/cli/commands.ts';
import { commandOf } from '../../src/cli/commands/send/command-flags.ts';
import { commandTypes, type CommandType } from '../../src/core/protocol/known-words.ts';

const definitions = commands.map(({ definition }) => definition);
const folder = join(import.meta.dirname, '../../src/cli/commands');

test('every folder of commands/ holds a definition and a run, and the program has them all', () => {
  const folders = globSync('*/definition.ts', { cwd: folder }).map((file) => file.split(/[\\/]/)[0]);
  expect(definitions.map(({ name }) => name).toSorted((a, b) => a.localeCompare(b))).toEqual(
    folders.toSorted((a, b) => (a ?? '').localeCompare(b ?? '')),
  );
  expect(globSync('*/run.ts', { cwd: folder })).toHaveLength(folders.length);
});

test.each(definitions)('$name is data: the same when it was JSON', (definition) => {
  expect(JSON.parse(JSON.stringify(definition))).toEqual(definition);
});

test.each(definitions)('$name: every value has its kind, a flag has none, and there are two or three examples', ({ options, examples }) => {
  for (const { flags, kind, choices } of options) {
    expect([flags, kind !== undefined]).toEqual([flags, flags.includes('<')]);
    if (choices !== undefined) expect(kind).toBe('text');
  }
  expect(examples.length).toBeGreaterThanOrEqual(2);
  expect(examples.length).toBeLessThanOrEqual(3);
});

test('send: a flag that the program refuses for a command is marked with the commands that it goes with', () => {
  const send = definitions.find(({ name }) => name === 'send');
  const key = (flags: string) => /--([a-z-]+)/.exec(flags)?.[1]?.replaceAll(/-(.)/g, (_, letter: string) => letter.toUpperCase()) ?? '';
  const isRefused = (type: CommandType, flag: string, value: unknown) => {
    try {
      commandOf(type, { [flag]: value });
      return false;
    } catch (error) {
      return String(error).includes('does not go with');
    }
  };
  const marked = (send?.options ?? []).filter(({ onlyWith }) => onlyWith !== undefined);
  expect(marked.length).toBeGreaterThan(8);
  for (const type of commandTypes) {
    for (const { flags, isRepeatable, onlyWith } of send?.options ?? []) {
      if (isRefused(type, key(flags), isRepeatable === true ? ['a=1'] : 'x'))
        expect([type, flags, onlyWith]).toEqual([type, flags, expect.not.arrayContaining([type])]);
      else if (key(flags) !== 'yes') expect([type, flags, onlyWith?.includes(type) ?? true]).toEqual([type, flags, true]);
    }
  }
});

test.each(commands)('$definition.name: what it does is loaded when it is called', async ({ load }) => {
  expect(await load()).toBeTypeOf('function');
});

test('a definition imports types, and values of core and of the names of agents only', () => {
  for (const file of globSync('*/definition.ts', { cwd: folder })) {
    const values = readFileSync(join(folder, file), 'utf8').matchAll(/^import (?!type )[^']*'([^']*)'/gm);
    for (const [, from] of values) expect(from).toMatch(/\/core\/|\/adapters\/coding-agents\.ts$/);
  }
});
