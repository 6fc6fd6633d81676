import { execFile } from 'node:child_process';
import { globSync } from 'node:fs';
import { readFile } from 'node:fs/promises';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { promisify } from 'node:util';
import { beforeAll, expect, test } from 'vitest';

const root = fileURLToPath(new URL('../..', import.meta.url));

let packed: { size: number; files: { path: string }[] };
beforeAll(async () => {
  const { stdout } = await promisify(execFile)('npm', ['pack', '--dry-run', '--json', '--ignore-scripts'], { cwd: root });
  [packed] = JSON.parse(stdout) as [typeof packed];
});

test('the package is smaller than 1.6 MB', () => {
  expect(packed.size).toBeLessThan(1_600_000);
});

test('it holds the program, the SDK, the types that the two name, and what a system wants beside them', async () => {
  const paths = packed.files.map(({ path }) => path);
  const kinds = paths.map((path) =>
    path.replace(/^(dist\/(?:program|types|web)|completions|docs(?:\/\w+)?)\/.*?(\.d\.ts|\.[^.]+)$/, '$1/*$2'),
  );
  expect([...new Set(kinds)].toSorted()).toEqual([
    'CHANGELOG.md',
    'CONTRIBUTING.md',
    'LICENSE',
    'README.md',
    'bin/shannon-dash.js',
    'completions/*.bash',
    'completions/*.fish',
    'completions/*.ps1',
    'completions/_shannon-dash',
    'dist/claude-plugin/.claude-plugin/marketplace.json',
    'dist/claude-plugin/.claude-plugin/plugin.json',
    'dist/claude-plugin/.mcp.json',
    'dist/claude-plugin/hooks/hooks.json',
    'dist/index.js',
    'dist/program/*.js',
    'dist/program/*.txt',
    'dist/types/*.d.ts',
    'dist/web/*.br',
    'docs/*.json',
    'docs/*.md',
    'docs/man/*.1',
    'docs/proxy/*.conf',
    'docs/proxy/Caddyfile',
    'docs/reference/*.md',
    'package.json',
  ]);
  const declared = paths.filter((path) => path.endsWith('.d.ts'));
  const named = await Promise.all(
    declared.map(async (path) => {
      const text = await readFile(join(root, path), 'utf8');
      return [...text.matchAll(/from '(\.[^']+)\.[jt]s'/g)].map(([, to]) => join(path, '..', `${to}.d.ts`));
    }),
  );
  const entries = ['dist/types/index.d.ts', 'dist/types/server/create-server.d.ts'];
  expect(declared.toSorted()).toEqual([...new Set([...entries, ...named.flat()])].toSorted());
});

test('its pages link to nothing that it leaves out', async () => {
  const paths = packed.files.map(({ path }) => path);
  const pages = paths.filter((path) => path.endsWith('.md'));
  const links = await Promise.all(
    pages.map(async (page) => {
      const text = await readFile(join(root, page), 'utf8');
      return [...text.matchAll(/\]\((?![a-z]+:|#)([^)#]+)/g)].map(([, to = '']) => ({ page, to: join(page, '..', to) }));
    }),
  );
  expect(links.flat().length).toBeGreaterThan(20);
  expect(
    links.flat().filter(({ to }) => !paths.includes(to) && !paths.some((path) => path.startsWith(`${to.replace(/\/$/, '')}/`))),
  ).toEqual([]);
});

test('nothing of it runs when it is installed', async () => {
  const manifestOf = async (path: string) =>
    JSON.parse(await readFile(join(root, path, 'package.json'), 'utf8')) as { scripts?: object; dependencies: object };
  const { dependencies } = await manifestOf('.');
  for (const path of ['.', ...Object.keys(dependencies).map((name) => `node_modules/${name}`)]) {
    const { scripts = {} } = await manifestOf(path);
    expect(Object.keys(scripts).filter((name) => /^(?:pre|post)?install$/.test(name))).toEqual([]);
  }
});

test('it has the copyright and the terms of every package that is built in, though the same terms only once', async () => {
  const asWords = (text: string) => text.replaceAll(/\s+/g, ' ');
  const text = await readFile(join(root, 'dist/program/LICENSES.txt'), 'utf8');
  const names = [...text.matchAll(/^(@?[\w./-]+) \d\S* \(.*\)$/gm)].map(([, name = '']) => name);
  expect(names).toEqual(expect.arrayContaining(['fastify', 'ink', 'jsonc-parser', 'zod']));
  let compared = 0;
  for (const name of new Set(names)) {
    const [file] = globSync('{LICENSE,LICENCE,License,license}*', { cwd: join(root, 'node_modules', name) });
    if (file === undefined) continue;
    const own = await readFile(join(root, 'node_modules', name, file), 'utf8');
    const lines = own.split(/\r?\n/).filter((line) => /\bcopyright (?:\(c\)|\d{4})/i.test(line));
    for (const line of lines) expect([name, text.includes(line.trim())]).toEqual([name, true]);
    const [, grant = ''] = /(Permission (?:is hereby granted|to use)[^]*)$/.exec(own) ?? [];
    if (grant !== '' && lines.every((line) => !grant.includes(line)))
      expect([name, asWords(text).includes(asWords(grant).trim())]).toEqual([name, true]);
    compared++;
  }
  expect(compared).toBeGreaterThan(100);
});
