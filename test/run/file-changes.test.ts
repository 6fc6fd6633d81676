import { execFileSync, spawnSync } from 'node:child_process';
import {
  appendFileSync,
  chmodSync,
  mkdirSync,
  mkdtempSync,
  realpathSync,
  renameSync,
  rmSync,
  symlinkSync,
  unlinkSync,
  writeFileSync,
} from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';

import { afterEach, beforeEach, describe, expect, test, vi } from 'vitest';

import { type FileChangeBatch, createChangeBatch } from '../../src/run/files/change-batch.ts';
import { type FileChangesWatch, watchFileChanges } from '../../src/run/files/file-changes.ts';
import { openGitIgnore } from '../../src/run/git/git-ignore.ts';

let root: string;
let batches: FileChangeBatch[];
let problems: string[];
let running: FileChangesWatch | undefined;

beforeEach(() => {
  root = realpathSync(mkdtempSync(join(tmpdir(), 'file-changes-')));
  batches = [];
  problems = [];
});

afterEach(async () => {
  vi.useRealTimers();
  await running?.close();
  running = undefined;
  rmSync(root, { recursive: true, force: true });
});

function put(path: string, content = ''): void {
  mkdirSync(join(root, path, '..'), { recursive: true });
  writeFileSync(join(root, path), content);
}

async function start(options: { cwd?: string; maxPaths?: number; debounceMs?: number } = {}): Promise<void> {
  running = await watchFileChanges({
    cwd: root,
    debounceMs: 50,
    onChanges: (batch) => batches.push(batch),
    onProblem: (sentence) => problems.push(sentence),
    ...options,
  });
}

const seen = (): string[] => batches.flatMap(({ changes }) => changes.map(({ type, path }) => `${type.slice(5)} ${path}`));

/** Waits until a change is told. Changes come in the order in which they happened, so what should be left out would be there by then. */
async function told(...lines: string[]): Promise<void> {
  await vi.waitFor(() => expect(seen()).toEqual(expect.arrayContaining(lines)), { timeout: 10_000, interval: 10 });
}

describe('watching a folder', () => {
  test('tells of files created, modified and deleted, also in new folders and by renaming', async () => {
    put('a.txt', '1');
    put('gone.txt');
    put('old/name.txt');
    symlinkSync('a.txt', join(root, 'link'));
    await start();
    appendFileSync(join(root, 'a.txt'), '2');
    unlinkSync(join(root, 'gone.txt'));
    put('new/deep/er/file.txt', 'x');
    put('notes~', 'x');
    renameSync(join(root, 'old'), join(root, 'renamed'));
    await told(
      'modified a.txt',
      'deleted gone.txt',
      'created new/deep/er/file.txt',
      'created notes~',
      'deleted old/name.txt',
      'created renamed/name.txt',
    );
    expect(seen()).toHaveLength(6);
    expect(problems).toEqual([]);
  });

  test('makes one change of several to a file', async () => {
    for (const name of ['replaced', 'anew', 'changed-gone', 'twice']) put(name, '1');
    await start({ debounceMs: 300 });
    put('replaced.tmp', '2');
    renameSync(join(root, 'replaced.tmp'), join(root, 'replaced'));
    put('new', '1');
    put('new', '2');
    put('came-and-went', '1');
    unlinkSync(join(root, 'came-and-went'));
    put('changed-gone', '2');
    unlinkSync(join(root, 'changed-gone'));
    unlinkSync(join(root, 'anew'));
    put('anew', '2');
    put('twice', '2');
    put('twice', '3');
    await told('modified replaced', 'created new', 'deleted changed-gone', 'modified anew', 'modified twice');
    expect(seen()).toHaveLength(5);
    expect(batches).toHaveLength(1);
  });

  test('leaves out what git ignores, .git and node_modules, and does not go into them', async () => {
    mkdirSync(join(root, '.git/info'), { recursive: true });
    put('.git/info/exclude', 'excluded.txt\n');
    put('.gitignore', 'build/\n*.log\n!keep.log\n');
    put('pkg/.gitignore', '/local\n!special.log\n');
    put('build/out.js');
    put('node_modules/a/index.js');
    put('pkg/local/file');
    // With every ignored path counted the bound would be passed at once.
    for (let at = 0; at < 50; at++) put(`build/many/${at}.js`);
    await start({ maxPaths: 20 });
    for (const path of [
      'build/out.js',
      'build/many/1.js',
      'node_modules/a/index.js',
      'pkg/local/file',
      'excluded.txt',
      'trace.log',
      '.git/HEAD',
      'pkg/node_modules/x.js',
    ]) {
      put(path, 'changed');
    }
    put('keep.log', 'x');
    put('pkg/special.log', 'x');
    put('local', 'x');
    put('last.txt', 'x');
    await told('created keep.log', 'created pkg/special.log', 'created local', 'created last.txt');
    expect(seen()).toHaveLength(4);
    expect(problems).toEqual([]);
  });

  test('obeys a .gitignore from the moment it changes', async () => {
    await start();
    put('.gitignore', '*.tmp\n');
    await told('created .gitignore');
    put('a.tmp', 'x');
    put('a.txt', 'x');
    await told('created a.txt');
    expect(seen()).not.toContain('created a.tmp');
  });

  test('obeys the rules above a subfolder, but watches one that is itself ignored', async () => {
    mkdirSync(join(root, '.git'));
    put('.gitignore', 'out/\n*.log\n');
    mkdirSync(join(root, 'out'));
    await start({ cwd: join(root, 'out') });
    put('out/a.log', 'x');
    put('out/a.txt', 'x');
    await told('created a.txt');
    expect(seen()).toEqual(['created a.txt']);
  });

  test('stops adding at the bound, says so once, and goes on telling of the rest', async () => {
    put('a.txt');
    await start({ maxPaths: 10 });
    for (let at = 0; at < 30; at++) put(`more/${at}.txt`, 'x');
    await vi.waitFor(() => expect(problems).toHaveLength(1), { timeout: 10_000, interval: 10 });
    expect(problems[0]).toBe(`${root} has more than 10 files and folders to watch; changes in the others are not told`);
    put('a.txt', 'changed');
    await told('modified a.txt');
    expect(problems).toHaveLength(1);
  });

  test('outlives files and folders that come and go, and the folder itself going', async () => {
    put('sub/a.txt');
    await start();
    for (let round = 0; round < 30; round++) {
      for (let at = 0; at < 10; at++) put(`burst/${at}/file.txt`, 'x');
      rmSync(join(root, 'burst'), { recursive: true });
    }
    put('b.txt', 'x');
    await told('created b.txt');
    // Of the files that came and went none is said to be there still.
    const last = new Map(batches.flatMap(({ changes }) => changes.map(({ type, path }) => [path, type])));
    expect([...last].filter(([path, type]) => path.startsWith('burst/') && type !== 'file:deleted')).toEqual([]);
    rmSync(root, { recursive: true });
    await told('deleted sub/a.txt', 'deleted b.txt');
    expect(problems).toEqual([]);
  });

  test('tells what is pending when it is closed', async () => {
    await start();
    await running?.close();
    put('old.txt', 'x');
    put('gone.txt', 'x');
    const late: FileChangeBatch[] = [];
    const patient = await watchFileChanges({ cwd: root, debounceMs: 60_000, onChanges: (batch) => late.push(batch) });
    put('a.txt', 'x');
    put('old.txt', 'y');
    unlinkSync(join(root, 'gone.txt'));
    const other = await watchFileChanges({ cwd: root, debounceMs: 0, onChanges: (batch) => batches.push(batch) });
    put('c.txt', 'x');
    await told('created c.txt');
    await other.close();
    await patient.close();
    expect(late.flatMap(({ changes }) => changes)).toEqual(
      expect.arrayContaining([
        { type: 'file:created', path: 'a.txt' },
        { type: 'file:modified', path: 'old.txt' },
        { type: 'file:deleted', path: 'gone.txt' },
      ]),
    );
  });
});

describe('what cannot be watched', () => {
  /** Watches in a process of its own, writes `open/new`, and gives what was told. */
  const watchElsewhere = (prefix: string[], prologue = ''): string[] => {
    const script = `${prologue}
      const { watchFileChanges } = await import(${JSON.stringify(new URL('../../src/run/files/file-changes.ts', import.meta.url).href)});
      const { writeFileSync } = await import('node:fs');
      const done = Promise.withResolvers();
      const watch = await watchFileChanges({ cwd: ${JSON.stringify(root)}, debounceMs: 50, onProblem: (sentence) => console.log(sentence), onChanges: ({ changes }) => {
        for (const { type, path } of changes) console.log(type, path);
        done.resolve();
      } });
      writeFileSync(${JSON.stringify(join(root, 'open/new'))}, 'x');
      await done.promise;
      await watch.close();`;
    const [command, ...args] = [...prefix, process.execPath, '--input-type=module', '-e', script];
    return execFileSync(command, args, { encoding: 'utf8', stdio: ['ignore', 'pipe', 'ignore'] })
      .trim()
      .split('\n');
  };

  test('is said, where it may not be read', () => {
    put('locked/file');
    put('open/unreadable');
    for (const path of ['locked', 'open/unreadable']) chmodSync(join(root, path), 0o000);
    for (const path of ['', 'open']) chmodSync(join(root, path), 0o777);
    // Nothing is unreadable to root.
    const lines = watchElsewhere([], process.getuid?.() === 0 ? 'process.setuid(65534);' : '');
    chmodSync(join(root, 'locked'), 0o700);
    expect(lines).toEqual([expect.stringContaining(`some files or folders in ${root} may not be read`), 'file:created open/new']);
  });

  const limited = ['unshare', '-Ur', 'sh', '-c', 'echo 60 > /proc/sys/user/max_inotify_watches && exec "$@"', 'sh'];
  const [command = '', ...limitedArgs] = limited;
  test.runIf(spawnSync(command, [...limitedArgs, 'true']).status === 0)('is said, where the system has no watches left', () => {
    for (let at = 0; at < 100; at++) put(`open/${at}/file.txt`);
    const lines = watchElsewhere(limited);
    expect(lines.filter((line) => line.startsWith("the system's limit of watched files is reached"))).toHaveLength(1);
    expect(lines).toHaveLength(2);
  });
});

describe('a batch', () => {
  const batchOf = (before: boolean, after: boolean, windowMs = 50) =>
    createChangeBatch({ windowMs, wasFile: () => before, isFile: () => after, handOver: (handed) => batches.push(handed) });

  test.each([
    ['created', false, true],
    ['modified', true, true],
    ['deleted', true, false],
    [undefined, false, false],
  ] as const)('says %s by what was there before and after', (type, before, after) => {
    const batch = batchOf(before, after);
    batch.touch('a');
    batch.touch('a');
    batch.flush();
    expect(batches).toEqual(type ? [{ changes: [{ type: `file:${type}`, path: 'a' }], let_go: 0 }] : []);
  });

  test('names 20,000 paths at most and counts the others', () => {
    const batch = batchOf(false, true);
    for (let at = 0; at < 21_000; at++) batch.touch(`${at}`);
    batch.flush();
    expect([batches[0]?.changes.length, batches[0]?.let_go]).toEqual([20_000, 1_000]);
  });

  test('is handed over one window after its first change, however often more come', () => {
    vi.useFakeTimers();
    const batch = batchOf(true, true, 100);
    for (let at = 0; at < 10; at++) {
      batch.touch('a');
      vi.advanceTimersByTime(30);
    }
    expect(batches).toHaveLength(2);
  });
});

test('the rules ignore what git itself ignores', () => {
  execFileSync('git', ['init', '-q', root]);
  put('.gitignore', '*.o\n/only-top\nfolder/\n!kept/\ndocs/*\n!docs/keep\n**/gen/*.ts\nsub/x/\n*.d\n\\#hash\nspace\\ \n[ab].txt\n');
  put('sub/.gitignore', '!*.o\nlocal\n!re.d\n/gen\n');
  put('.git/info/exclude', 'secret\n!special.o\n');
  const paths = [
    'a.o',
    'sub/a.o',
    'only-top',
    'sub/only-top',
    'folder/x',
    'sub/folder/y',
    'folder',
    'docs/a',
    'docs/keep',
    'docs/sub/a',
    'a/gen/b.ts',
    'a/gen/b.js',
    'sub/x/y',
    'sub/local',
    'local',
    'sub/re.d/file',
    'sub/no.d/file',
    'sub/re.d/in.d',
    '#hash',
    'space ',
    'space',
    'a.txt',
    'c.txt',
    'secret',
    'sub/secret',
    'special.o',
    'sub/gen/a.ts',
    'A.O',
    'sub/deep/a.o',
    'ünï.o',
  ];
  const users = join(root, '.git', 'users-own');
  writeFileSync(users, '*.swp\n!secret\n/only-top\n');
  const args = ['-c', `core.excludesFile=${users}`, 'check-ignore', '-z', '--no-index', '--stdin'];
  paths.push('.a.swp', 'sub/.b.swp');
  const output = execFileSync('git', args, { cwd: root, encoding: 'utf8', input: paths.map((path) => `${path}\0`).join('') });
  const ignored = new Set(output.split('\0'));
  const rules = openGitIgnore(root, users);
  expect(paths.filter((path) => rules.ignores(path, false))).toEqual(paths.filter((path) => ignored.has(path)));
  // A pipe in the place of a file of rules has none, and holds nobody.
  rmSync(users);
  execFileSync('mkfifo', [users]);
  rules.reload();
  expect(rules.ignores('.a.swp', false)).toBe(false);
});

test('what the user ignores in all repositories is not told', async () => {
  const own = realpathSync(mkdtempSync(join(tmpdir(), 'file-changes-user-')));
  try {
    writeFileSync(join(own, 'config'), `[core]\n\texcludesFile = ${join(own, 'rules')}\n`);
    writeFileSync(join(own, 'rules'), '*.swp\n');
    vi.stubEnv('GIT_CONFIG_GLOBAL', join(own, 'config'));
    await start();
    put('.a.swp', 'x');
    put('a', 'x');
    await told('created a');
    expect(seen().filter((line) => line.includes('swp'))).toEqual([]);
  } finally {
    vi.unstubAllEnvs();
    rmSync(own, { recursive: true });
  }
});
