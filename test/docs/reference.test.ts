import { existsSync, globSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { expect, test } from 'vitest';
import manifest from '../../package.json' with { type: 'json' };
import { generatedPages } from '../scripts/docs/pages.ts';
import { commands } from '../../src/cli/commands.ts';
import { globalDefinitions } from '../../src/cli/global-options.ts';

const root = join(import.meta.dirname, '../..');
const pages = generatedPages();

test.each([...pages])('%s is what npm run docs writes', (path, text) => {
  expect(readFileSync(join(root, path), 'utf8')).toBe(text);
});

test('nothing else stands among the generated pages', () => {
  const there = globSync(['docs/reference/*', 'docs/man/*'], { cwd: root });
  expect(there.toSorted()).toEqual([...pages.keys()].toSorted());
});

test('the manual page is installed with the package', () => {
  // npm links a list only where it installs a tarball.
  expect(manifest.man).toEqual(['./docs/man/shannon-dash.1']);
  expect(manifest.files).toContain('docs');
});

const definitions = new Map(commands.map(({ definition }) => [definition.name, definition]));
const examples = commands.flatMap(({ definition }) => definition.examples);

test.each(examples)('shannon-dash %s: the options are there', (example) => {
  const [own = ''] = example.split(/ -- | \| | < /);
  const options = definitions.get(own.split(' ')[0] ?? '')?.options ?? [];
  const known = [...options, ...globalDefinitions].flatMap(({ flags }) => flags.match(/(?<=^|[ ,])--?[\w-]+/g) ?? []);
  const used = own.replaceAll(/"[^"]*"|'[^']*'/g, '').match(/(?<= )--?[a-z][\w-]*/g) ?? [];
  expect(used.filter((flag) => !known.includes(flag))).toEqual([]);
});

test('links of pages lead to files and headings that are there', () => {
  const anchor = (heading: string) =>
    heading
      .toLowerCase()
      .replaceAll(/[^\p{L}\p{N} _-]/gu, '')
      .replaceAll(' ', '-');
  const files = ['README.md', 'CONTRIBUTING.md', ...globSync('docs/**/*.md', { cwd: root })];
  const textOf = (file: string) => readFileSync(join(root, file), 'utf8');
  const anchors = new Map(
    files.map((file) => [file, [...textOf(file).matchAll(/^#+ (.*)$/gm)].map(([, heading = '']) => anchor(heading))]),
  );
  let links = 0;
  for (const file of files) {
    for (const [, target = ''] of textOf(file).matchAll(/\]\(([^)]+)\)/g)) {
      if (/^https?:/.test(target)) continue;
      links++;
      const [path = '', heading] = target.split('#');
      const to = path === '' ? file : join(file, '..', path);
      expect([file, target, existsSync(join(root, to))]).toEqual([file, target, true]);
      if (heading !== undefined) expect([file, target, anchors.get(to)]).toEqual([file, target, expect.arrayContaining([heading])]);
    }
  }
  expect(links).toBeGreaterThan(20);
});
