import { execFile } from 'node:child_process';
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

test('the package is smaller than 1.2 MB', () => {
  expect(packed.size).toBeLessThan(1_200_000);
});

test('it holds the program, the SDK, the types that the two name, and what a system wants beside them', async () => {
  const paths = packed.files.map(({ path }) => path);
  const kinds = paths.map((path) => path.replace(/^(dist\/(?:program|types)|completions|docs\/man)\/.*?(\.d\.ts|\.[^.]+)$/, '$1/*$2'));
  expect([...new Set(kinds)].toSorted()).toEqual([
    'CHANGELOG.md',
    'LICENSE',
    'README.md',
    'bin/shannon-dash.js',
    'completions/*.bash',
    'completions/*.fish',
    'completions/*.ps1',
    'completions/_shannon-dash',
    'dist/index.js',
    'dist/program/*.js',
    'dist/program/*.txt',
    'dist/types/*.d.ts',
    'docs/man/*.1',
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

test('nothing of it runs when it is installed', async () => {
  const manifestOf = async (path: string) =>
    JSON.parse(await readFile(join(root, path, 'package.json'), 'utf8')) as { scripts?: object; dependencies: object };
  const { dependencies } = await manifestOf('.');
  for (const path of ['.', ...Object.keys(dependencies).map((name) => `node_modules/${name}`)]) {
    const { scripts = {} } = await manifestOf(path);
    expect(Object.keys(scripts).filter((name) => /^(?:pre|post)?install$/.test(name))).toEqual([]);
  }
});
