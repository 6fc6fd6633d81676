import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { expect, test } from 'vitest';
import { z } from 'zod';
import { adapters } from '../../src/adapters/adapters.ts';
import { commands } from '../../src/cli/commands.ts';
import { newPlace, runProgram } from '../cli/started-program.ts';

const root = join(import.meta.dirname, '../..');
const read = (path: string): unknown => JSON.parse(readFileSync(join(root, 'dist/claude-plugin', path), 'utf8'));

/** As Claude Code reads them; `claude plugin validate` says the same. */
const seconds = z.number().positive();
const handler = z.discriminatedUnion('type', [
  z.strictObject({ type: z.literal('command'), command: z.string(), args: z.array(z.string()), timeout: seconds }),
  z.strictObject({
    type: z.literal('http'),
    url: z.url(),
    timeout: seconds,
    headers: z.record(z.string(), z.string()),
    allowedEnvVars: z.array(z.string()),
  }),
]);
const hooksFile = z.strictObject({
  description: z.string(),
  hooks: z.record(z.string(), z.array(z.strictObject({ hooks: z.array(handler).min(1) })).min(1)),
});
const named = { name: z.string().regex(/^[a-z-]+$/), description: z.string() };
const person = z.strictObject({ name: z.string() });
const pluginFile = z.strictObject({ ...named, version: z.string(), author: person, license: z.string() });
const marketplaceFile = z.strictObject({
  ...named,
  owner: person,
  plugins: z.array(z.strictObject({ ...named, source: z.string().startsWith('./') })),
});
const mcpFile = z.strictObject({ mcpServers: z.record(z.string(), z.strictObject({ command: z.string(), args: z.array(z.string()) })) });

test('has the shape of a plugin, and of a marketplace with it', () => {
  const { version } = JSON.parse(readFileSync(join(root, 'package.json'), 'utf8')) as { version: string };
  expect(pluginFile.parse(read('.claude-plugin/plugin.json'))).toMatchObject({ name: 'shannon-dash', version });
  expect(marketplaceFile.parse(read('.claude-plugin/marketplace.json')).plugins.map(({ name }) => name)).toEqual(['shannon-dash']);
  expect(Object.keys(hooksFile.parse(read('hooks/hooks.json')).hooks)).toEqual(Object.keys(adapters['claude-code'].events));
});

test('starts the program by its name, with commands that there are', () => {
  const { mcpServers } = mcpFile.parse(read('.mcp.json'));
  const handlers = Object.values(hooksFile.parse(read('hooks/hooks.json')).hooks).flatMap((entries) =>
    entries.flatMap(({ hooks }) => hooks),
  );
  const started = [...Object.values(mcpServers), ...handlers.flatMap((each) => (each.type === 'command' ? [each] : []))];
  expect(started.length).toBeGreaterThanOrEqual(2);
  for (const { command, args } of started) {
    expect(command).toBe('shannon-dash');
    expect(commands.map(({ definition }) => definition.name)).toContain(args[0]);
  }
});

test('has the hooks that hook install writes, but for how the program is started', async () => {
  const place = newPlace();
  await runProgram(['hook', 'install', 'claude-code'], place);
  const installed = JSON.parse(readFileSync(join(place.folder, '.claude/settings.json'), 'utf8')) as { hooks: object };
  const byName = (text: string) =>
    text.replace(/"command":"[^"]*","args":\[(?:"[^"]*shannon-dash\.js",)?/g, '"command":"shannon-dash","args":[');
  expect(byName(JSON.stringify(hooksFile.parse(read('hooks/hooks.json')).hooks))).toBe(byName(JSON.stringify(installed.hooks)));
});
