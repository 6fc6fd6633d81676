import { existsSync, globSync, readFileSync } from 'node:fs';
import { dirname, join, normalize, relative } from 'node:path';
import { fileURLToPath } from 'node:url';
import { describe, expect, test } from 'vitest';

const root = fileURLToPath(new URL('..', import.meta.url));

/** design.md, "Who may import whom": by folder of src/, each may also import itself. */
const mayImport: Record<string, readonly string[]> = {
  core: [],
  executable: [],
  adapters: ['core'],
  mcp: ['core'],
  journal: ['core', 'executable'],
  git: ['core'],
  client: ['core'],
  view: ['core'],
  run: ['core', 'client', 'executable', 'git'],
  server: ['core', 'journal', 'executable', 'adapters', 'git', 'mcp', 'view'],
  feed: ['core', 'client', 'view'],
  dashboard: ['core', 'client', 'view', 'feed'],
  web: ['core', 'client', 'view', 'feed'],
  cli: ['core', 'adapters', 'mcp', 'executable', 'journal', 'client', 'run', 'server', 'view', 'feed', 'dashboard', 'git'],
  'index.ts': ['core', 'client'],
};

interface Import {
  /** A file below the root, or a package's name. */
  to: string;
  kind: 'static' | 'dynamic' | 'type';
}

/** The source without comments, and with the texts in it kept whole: what looks like a comment in a text is none. */
function withoutComments(source: string): string {
  return source.replace(
    /('(?:\\.|[^'\\\n])*'|"(?:\\.|[^"\\\n])*"|`(?:\\.|[^`\\])*`)|\/\*[\s\S]*?\*\/|(?<![\\/[])\/\/[^\n]*/g,
    (_, text?: string) => text ?? ' ',
  );
}

/** Every import of a source, by the forms that TypeScript has for one. */
function importsOf(source: string): { specifier: string; kind: Import['kind'] }[] {
  const code = withoutComments(source);
  const found: { specifier: string; kind: Import['kind'] }[] = [];
  const forms: [RegExp, Import['kind'] | undefined][] = [
    [/(?:^|[;}\n])\s*(?:import|export)\s+(type\s+)?(?:[\w$*\s,]|\{[^{}'"]*\})*?\s*from\s*(['"])([^'"]+)\2/g, undefined],
    [/(?:^|[;}\n])\s*import\s*()(['"])([^'"]+)\2/g, 'static'],
    [/\bimport\s*\(\s*()(['"`])([^'"`]+)\2/g, 'dynamic'],
    [/\brequire\s*\(\s*()(['"`])([^'"`]+)\2/g, 'dynamic'],
  ];
  for (const [form, kind] of forms) {
    for (const [, type, , specifier = ''] of code.matchAll(form)) {
      found.push({ specifier, kind: kind ?? (type === undefined ? 'static' : 'type') });
    }
  }
  return found;
}

const files = globSync('src/**/*.{ts,tsx}', { cwd: root }).map((file) => file.replaceAll('\\', '/'));
const sources = new Map(files.map((file) => [file, readFileSync(join(root, file), 'utf8')]));
const graph = new Map(
  [...sources].map(([file, source]) => [
    file,
    importsOf(source).map(({ specifier, kind }): Import => ({ kind, to: specifier.startsWith('.') ? fileOf(file, specifier) : specifier })),
  ]),
);

function fileOf(from: string, specifier: string): string {
  return relative(root, normalize(join(root, dirname(from), specifier))).replaceAll('\\', '/');
}

/** The folder of src/ that a file is in, or its name at the top. */
const partOf = (file: string) => file.split('/')[1] ?? '';

/** What a file reaches by imports that are loaded at once, packages included. */
function reachedFrom(start: string): Set<string> {
  const reached = new Set<string>();
  const waiting = [start];
  for (let file = waiting.pop(); file !== undefined; file = waiting.pop()) {
    for (const { to, kind } of graph.get(file) ?? []) {
      if (kind !== 'static' || reached.has(to)) continue;
      reached.add(to);
      waiting.push(to);
    }
  }
  return reached;
}

/** The files of each circle, in its order. */
function circles(kinds: readonly Import['kind'][]): string[] {
  const found: string[] = [];
  const done = new Set<string>();
  const visit = (file: string, path: string[]): void => {
    const at = path.indexOf(file);
    if (at !== -1) found.push([...path.slice(at), file].join(' -> '));
    if (at !== -1 || done.has(file)) return;
    for (const { to, kind } of graph.get(file) ?? []) if (kinds.includes(kind)) visit(to, [...path, file]);
    done.add(file);
  };
  for (const file of files) visit(file, []);
  return found;
}

/** Breaches of the rules: every import by its file, unless it is allowed. */
function breaches(isAllowed: (file: string, to: string, kind: Import['kind']) => boolean): string[] {
  return [...graph].flatMap(([file, imports]) =>
    imports.filter(({ to, kind }) => !isAllowed(file, to, kind)).map(({ to }) => `${file} imports ${to}`),
  );
}

describe('the reader of imports', () => {
  test('sees every form of one, and no other', () => {
    const source = `
      import a, { b } from 'static-1'; import * as c from "static-2";
      import 'static-3';
      import {
        d, // from 'comment-1'
        type E,
      } from './static-4.ts';
      export { f } from 'static-5'; export * from 'static-6';
      export * as g from 'static-7';
      import type { H } from 'type-1';
      export type { I } from 'type-2';
      /* import j from 'comment-2'; */
      // import k from 'comment-3';
      const l = await import('dynamic-1'), m = import(
        "dynamic-2"), n = require('dynamic-3');
      const o = 'https://text'; const p = "import q from 'text-2'";
      const pattern = /[/]\\/\\//; import r from 'static-8';
    `;
    const found = importsOf(source).map(({ specifier, kind }) => `${kind} ${specifier.replace(/^\.\/|\.ts$/g, '')}`);
    const expected = ['static', 'dynamic', 'type'].flatMap((kind) =>
      Array.from({ length: { static: 8, dynamic: 3, type: 2 }[kind] ?? 0 }, (_, at) => `${kind} ${kind}-${at + 1}`),
    );
    expect(found.map((each) => each.replace('static static-4.ts', 'static static-4')).toSorted()).toEqual(expected.toSorted());
  });

  test('found the sources, and every file that they import', () => {
    for (const part of ['core', 'journal', 'server', 'client']) expect(files.some((file) => partOf(file) === part)).toBe(true);
    expect(graph.get('src/core/fold/fold-command.ts')).toContainEqual({ to: 'src/core/protocol/session-state.ts', kind: 'type' });
    expect(graph.get('src/journal/sqlite/sqlite-journal.ts')).toContainEqual({ to: 'node:sqlite', kind: 'dynamic' });
    expect(breaches((_, to) => !to.startsWith('src/') || sources.has(to) || existsSync(join(root, to)))).toEqual([]);
    expect(breaches((_, to) => !to.startsWith('..'))).toEqual([]);
  });
});

describe('who may import whom', () => {
  test('every folder of src/ has its rule', () => {
    expect([...new Set(files.map(partOf))].filter((part) => mayImport[part] === undefined)).toEqual([]);
  });

  test.each(Object.entries(mayImport))('%s imports of the house only: %j', (part, others) => {
    expect(
      breaches((file, to) => partOf(file) !== part || !to.startsWith('src/') || partOf(to) === part || others.includes(partOf(to))),
    ).toEqual([]);
  });

  test.each([
    ['core', ['zod']],
    ['view', []],
  ])('%s runs in browsers: it imports of packages only %j, neither node:* nor what only Node has', (part, packages) => {
    expect(breaches((file, to) => partOf(file) !== part || to.startsWith('src/') || packages.includes(to))).toEqual([]);
    const node = files.filter(
      (file) =>
        partOf(file) === part &&
        /\b(?:process|Buffer|require|__dirname|setImmediate)\b\s*[.([]/.test(withoutComments(sources.get(file) ?? '')),
    );
    expect(node).toEqual([]);
  });

  test('server and client never meet in one file but the commands of the cli', () => {
    const both = files.filter((file) => {
      const parts = (graph.get(file) ?? []).filter(({ to }) => to.startsWith('src/')).map(({ to }) => partOf(to));
      return parts.includes('server') && parts.includes('client') && partOf(file) !== 'cli';
    });
    expect(both).toEqual([]);
  });

  test('only sqlite/ of the journal knows SQLite, and it is loaded where a journal is opened or looked at', () => {
    expect(breaches((file, to) => to !== 'node:sqlite' || file.startsWith('src/journal/sqlite/'))).toEqual([]);
    const loading = files.filter((file) => (graph.get(file) ?? []).some(({ to, kind }) => to === 'node:sqlite' && kind !== 'type'));
    expect(loading.toSorted()).toEqual([
      'src/journal/sqlite/care/open-database.ts',
      'src/journal/sqlite/database/journal-at-rest.ts',
      'src/journal/sqlite/sqlite-journal.ts',
    ]);
  });

  test('only postgres/ of the journal knows PostgreSQL, and it is loaded where such a journal is opened', () => {
    expect(breaches((file, to) => to !== 'pg' || file.startsWith('src/journal/postgres/'))).toEqual([]);
    const isOpening = (file: string, kind: Import['kind']) =>
      /^src\/journal\/(?:open-journal|care-of-journal)\.ts$/.test(file) && kind === 'dynamic';
    const isInside = (file: string) => file.startsWith('src/journal/postgres/');
    expect(breaches((file, to, kind) => !to.startsWith('src/journal/postgres/') || isInside(file) || isOpening(file, kind))).toEqual([]);
  });

  test('the edges of the server reach a workspace only through what a principal may do in it', () => {
    const isEdge = (file: string) => /^src\/server\/(?:http|sockets|notifications)\//.test(file);
    expect(files.filter(isEdge).length).toBeGreaterThan(10);
    const behind =
      /^src\/(?:journal\/|server\/(?:commands\/|sessions\/(?:hub|session-store|event-intake|lost-sessions|live-sessions)\.ts|workspace(?:-parts)?\.ts))/;
    // Types of plain data may pass: an event as the journal holds it, what an orchestrator's link has to offer.
    const plain = new Set([
      'src/journal/journal.ts',
      'src/server/commands/attachment/orchestrators.ts',
      'src/server/commands/attachment/detachment.ts',
    ]);
    expect(breaches((file, to, kind) => !isEdge(file) || !behind.test(to) || (kind === 'type' && plain.has(to)))).toEqual([]);
    const plainTypes = /import type \{ ([^}]*) \} from '[^']*\/(?:journal\/journal|attachment\/orchestrators|attachment\/detachment)\.ts'/g;
    const named = files.filter(isEdge).flatMap((file) => [...(sources.get(file) ?? '').matchAll(plainTypes)].map(([, names]) => names));
    expect([...new Set(named.flatMap((names) => (names ?? '').split(', ')))].toSorted()).toEqual([
      'Detachment',
      'JournalEvent',
      'OrchestratorLink',
      'ReadRange',
    ]);
  });

  test('nobody imports in a circle, types included', () => {
    expect(circles(['static', 'dynamic'])).toEqual([]);
    expect(circles(['static', 'dynamic', 'type'])).toEqual([]);
  });
});

describe('rooms and files that can be read', () => {
  test('CONTRIBUTING.md names only files that exist', () => {
    const text = readFileSync(join(root, 'CONTRIBUTING.md'), 'utf8');
    const paths = [...text.matchAll(/`((?:src|test|docs)\/[^`<*]*)`/g)].map(([, path = '']) => path);
    expect(paths.length).toBeGreaterThan(10);
    expect(paths.filter((path) => !existsSync(join(root, path)))).toEqual([]);
  });

  test('no folder holds more than 15 files directly', () => {
    const counts = new Map<string, number>();
    for (const file of files) counts.set(dirname(file), (counts.get(dirname(file)) ?? 0) + 1);
    expect([...counts].filter(([, count]) => count > 15)).toEqual([]);
  });

  test('no file is longer than 300 lines', () => {
    const lines = [...sources].map(([file, source]) => [file, source.split('\n').length - 1] as const);
    expect(lines.filter(([, count]) => count > 300)).toEqual([]);
  });
});

describe('what is loaded', () => {
  test.runIf(sources.has('src/index.ts'))("with import 'shannon-dash' is neither Ink nor Fastify, nor the server", () => {
    const reached = [...reachedFrom('src/index.ts')];
    expect(reached).toContain('src/client/connection/connection.ts');
    expect(
      reached.filter((to) => /^(?:ink|react|fastify|@fastify\/.*|socket\.io|pino.*|node:sqlite|commander|chalk)(?:\/|$)/.test(to)),
    ).toEqual([]);
    expect(reached.filter((to) => /^src\/(?:server|view|dashboard|cli|journal|run)\//.test(to))).toEqual([]);
  });

  test('by the SDK is what is installed with it; what only the program and the server need is built into them', () => {
    const manifest = JSON.parse(readFileSync(join(root, 'package.json'), 'utf8')) as Record<string, Record<string, string> | undefined>;
    const { dependencies = {}, optionalDependencies, devDependencies } = manifest;
    const packageOf = (name: string) => name.split('/', name.startsWith('@') ? 2 : 1).join('/');
    const isPackage = (to: string) => !to.startsWith('src/') && !to.startsWith('node:');
    const bySdk = [...reachedFrom('src/index.ts')].filter(isPackage).map(packageOf);
    expect(Object.keys(dependencies).toSorted()).toEqual([...new Set(bySdk)].toSorted());
    const known = { ...dependencies, ...optionalDependencies, ...devDependencies };
    expect(breaches((_, to) => !isPackage(to) || packageOf(to) in known)).toEqual([]);
  });
});

test('only the cli ends the process and reads its arguments', () => {
  const others = files.filter((file) => partOf(file) !== 'cli');
  expect(others.length).toBeGreaterThan(20);
  const pattern =
    /\bprocess\s*(?:\?\.|\.)\s*(?:exit|argv|exitCode|reallyExit)\b|\bprocess\[\s*['"`](?:exit|argv)|\{[^}]*\b(?:exit|argv)\b[^}]*\}\s*(?:=\s*process\b|from\s*['"](?:node:)?process['"])/;
  expect(others.filter((file) => pattern.test(withoutComments(sources.get(file) ?? '')))).toEqual([]);
});

test('only executable/ knows what the program is started from: files beside a Node, or one file', () => {
  const knowing = files.filter((file) => /\bexecPath\b|\bargv\[1\]|\bprocess\.argv0\b/.test(withoutComments(sources.get(file) ?? '')));
  expect(knowing).toEqual(['src/executable/own-program.ts']);
});
