import { execFileSync, spawn } from 'node:child_process';
import { createHash } from 'node:crypto';
import { once } from 'node:events';
import {
  chmodSync,
  existsSync,
  lstatSync,
  mkdirSync,
  mkdtempSync,
  readFileSync,
  readdirSync,
  readlinkSync,
  realpathSync,
  renameSync,
  rmSync,
  statSync,
  symlinkSync,
  unlinkSync,
  writeFileSync,
} from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';

import { afterEach, beforeEach, describe, expect, test, vi } from 'vitest';

import { storedSessions } from '../../src/run/checkpoints/checkpoint-store.ts';
import { openGitCheckpoints } from '../../src/run/checkpoints/git-checkpoints.ts';
import { ChangedSinceStopError } from '../../src/run/checkpoints/rollback-report.ts';

let root: string;
let stateFolder: string;

const env = {
  ...Object.fromEntries(Object.entries(process.env).filter(([name]) => !name.startsWith('GIT_'))),
  GIT_OPTIONAL_LOCKS: '0',
  GIT_CONFIG_GLOBAL: '/dev/null',
  GIT_CONFIG_NOSYSTEM: '1',
};

function git(...args: string[]): string {
  return execFileSync('git', ['-c', 'user.name=ana', '-c', 'user.email=ana@localhost', ...args], {
    cwd: root,
    env,
    encoding: 'latin1',
    stdio: ['ignore', 'pipe', 'pipe'],
  });
}

function put(path: string, content: string | Buffer, mode?: number): void {
  mkdirSync(join(root, path, '..'), { recursive: true });
  writeFileSync(join(root, path), content);
  if (mode !== undefined) chmodSync(join(root, path), mode);
}

/** Every path of the work tree with its type, mode and contents, ignored files too. */
function everything(folder: Buffer = Buffer.from(root), prefix = ''): Map<string, string> {
  const seen = new Map<string, string>();
  for (const name of readdirSync(folder, { encoding: 'buffer' })) {
    if (prefix === '' && name.toString() === '.git') continue;
    const full = Buffer.concat([folder, Buffer.from('/'), name]);
    const path = prefix + name.toString('latin1');
    const stats = lstatSync(full);
    if (stats.isDirectory()) for (const [below, content] of everything(full, `${path}/`)) seen.set(below, content);
    else if (stats.isSymbolicLink()) seen.set(path, `link ${readlinkSync(full)}`);
    else seen.set(path, `${(stats.mode & 0o777).toString(8)} ${readFileSync(full).toString('base64')}`);
  }
  return new Map([...seen].sort(([a], [b]) => (a < b ? -1 : 1)));
}

/** All of the user's own in the repository: index bytes, HEAD, branches, tags, stashes. */
function usersGit(): string[] {
  const index = join(git('rev-parse', '--absolute-git-dir').trim(), 'index');
  const refs = git('for-each-ref').split('\n');
  return [
    existsSync(index) ? createHash('sha256').update(readFileSync(index)).digest('hex') : 'none',
    readFileSync(join(git('rev-parse', '--absolute-git-dir').trim(), 'HEAD'), 'utf8'),
    git('stash', 'list'),
    ...refs,
  ];
}

const open = (cwd = root, sessionId = 'run-7f3a') => openGitCheckpoints({ cwd, sessionId, stateFolder, url: 'http://127.0.0.1:1' });

/** Runs git on the repository that holds a session's checkpoints. */
async function gitOfStore(sessionId: string, ...args: string[]): Promise<string> {
  const { folder } = (await storedSessions(stateFolder)).find(({ session }) => session === sessionId) ?? { folder: '' };
  return execFileSync('git', args, { cwd: root, encoding: 'latin1', env: { ...env, GIT_DIR: folder }, stdio: ['ignore', 'pipe', 'pipe'] });
}

beforeEach(() => {
  root = realpathSync(mkdtempSync(join(tmpdir(), 'git-checkpoints-')));
  stateFolder = mkdtempSync(join(tmpdir(), 'git-checkpoints-state-'));
  git('init', '-q', '-b', 'main');
});

afterEach(() => {
  vi.unstubAllEnvs();
  rmSync(root, { recursive: true, force: true });
  rmSync(stateFolder, { recursive: true, force: true });
});

const HOSTILE = [
  'a b.txt',
  '-rf',
  'new\nline',
  '"quoted"',
  'ends in cr\r',
  'tab\there',
  'back\\slash',
  'ünï/日本.txt',
  ':(glob)*',
  '100644 x 0\ty',
  '*',
  'git~2',
];

/** A repository with something of every kind in every state. */
function fillRepository(): void {
  put('.gitattributes', '* text=auto\n*.bin filter=upper\n');
  git('config', 'filter.upper.clean', 'tr a-z A-Z');
  git('config', 'filter.upper.smudge', 'tr A-Z a-z');
  git('config', 'core.autocrlf', 'input');
  put('.gitignore', 'ignored/\n*.log\n');
  put('committed.txt', 'one\n');
  put('crlf.txt', 'one\r\ntwo\r\n');
  put('filtered.bin', 'lower case');
  put('tool.sh', '#!/bin/sh\n', 0o755);
  put('private.txt', 'secret', 0o600);
  put('gone.txt', 'will be deleted in the work tree\n');
  put('staged-gone.txt', 'will be deleted in the index\n');
  put('src/deep/file.ts', 'export {};\n');
  symlinkSync('committed.txt', join(root, 'link'));
  symlinkSync('/nowhere/at all', join(root, 'broken link'));
  git('add', '-A');
  git('commit', '-q', '-m', 'first');
  put('stashed.txt', 'x');
  git('stash', 'push', '-q', '-u');
  git('branch', 'other');
  put('committed.txt', 'two\n');
  git('add', 'committed.txt');
  put('committed.txt', 'three\n');
  put('src/deep/file.ts', 'export const changed = 1;\n');
  unlinkSync(join(root, 'gone.txt'));
  git('rm', '-q', 'staged-gone.txt');
  put('staged-new.txt', 'new and staged\n');
  git('add', 'staged-new.txt');
  put('untracked/file.txt', 'untracked\n');
  put('untracked/run', 'untracked\n', 0o755);
  put('empty', '');
  put('binary.dat', Buffer.from(Array.from({ length: 70_000 }, (_, at) => at % 251)));
  for (const name of HOSTILE) put(name, `content of ${name}`);
  writeFileSync(Buffer.concat([Buffer.from(`${root}/`), Buffer.from([0x6e, 0xff, 0xfe])]), 'a name that is not UTF-8');
  put('ignored/cache.txt', 'ignored\n');
  put('trace.log', 'ignored too\n');
}

/** What a program may do to it. Ignored files included. */
function wreak(): void {
  put('committed.txt', 'overwritten\n');
  put('crlf.txt', 'one\ntwo\n');
  put('filtered.bin', 'LOWER CASE');
  chmodSync(join(root, 'tool.sh'), 0o644);
  put('private.txt', 'leaked');
  chmodSync(join(root, 'untracked/file.txt'), 0o755);
  unlinkSync(join(root, 'link'));
  put('link', 'a file now');
  unlinkSync(join(root, 'broken link'));
  symlinkSync('elsewhere', join(root, 'broken link'));
  put('gone.txt', 'back again');
  rmSync(join(root, 'src'), { recursive: true });
  put('src', 'a file where a folder was');
  unlinkSync(join(root, 'empty'));
  put('empty/now/a/folder.txt', 'x');
  put('brand/new/file.txt', 'x');
  put('mixed/file.txt', 'x');
  put('mixed/kept.log', 'ignored beside a new file');
  for (const name of HOSTILE.slice(0, 6)) unlinkSync(join(root, name));
  for (const name of HOSTILE.slice(6)) put(name, 'changed');
  put('new\nhostile\n', 'x');
  put('ignored/cache.txt', 'written by the program\n');
  put('trace.log', 'written by the program\n');
}

describe('a rollback', () => {
  test('brings back every file, and touches nothing of the user in git', async () => {
    fillRepository();
    const checkpoints = await open();
    const users = usersGit();
    const before = everything();
    const status = git('status', '--porcelain', '-z');
    const saved = await checkpoints.save('c1', { label: 'before the work' });
    expect(saved.files).toBe([...before.keys()].filter((path) => !path.startsWith('ignored/') && !path.endsWith('.log')).length);
    expect(usersGit()).toEqual(users);
    expect(everything()).toEqual(before);
    expect(readdirSync(join(root, '.git')).filter((name) => name.startsWith('shannon-dash'))).toEqual([]);

    wreak();
    const wrecked = everything();
    const preview = await checkpoints.preview('c1');
    expect(everything()).toEqual(wrecked);
    const changeOf = (path: string) => preview.restore.find((entry) => entry.path === path)?.change;
    expect(
      ['committed.txt', 'crlf.txt', 'tool.sh', 'new\nline', 'src/deep/file.ts', 'gone.txt', 'brand/new/file.txt'].map(changeOf),
    ).toEqual(['restored', 'restored', 'restored', 'recreated', 'recreated', 'removed', 'removed']);
    expect(preview.cannot_undo).toEqual([]);

    const result = await checkpoints.restore('c1');
    expect(result.restore).toEqual(preview.restore);
    expect(result.unchanged_count).toBe(preview.unchanged_count);
    expect(result.restored + result.removed).toBe(preview.restore.length);
    expect(result.cannot_undo).toEqual([]);
    const after = everything();
    for (const path of ['ignored/cache.txt', 'trace.log', 'mixed/kept.log']) {
      expect(after.get(path)).toBe(wrecked.get(path));
      before.delete(path);
      after.delete(path);
    }
    expect(after).toEqual(before);
    expect(existsSync(join(root, 'brand'))).toBe(false);
    expect(git('status', '--porcelain', '-z')).toBe(status);
    expect(usersGit()).toEqual(users);
    expect((await checkpoints.preview('c1')).restore).toEqual([]);
  });

  test('can be rolled back itself', async () => {
    fillRepository();
    const checkpoints = await open();
    await checkpoints.save('c1');
    wreak();
    const wrecked = everything();
    const { saved_as } = await checkpoints.restore('c1');
    expect(saved_as).toBe('before-rollback-1');
    expect((await checkpoints.resolve({ steps: 1 })).checkpoint_id).toBe('c1');
    const second = await checkpoints.restore(saved_as);
    expect(second.saved_as).toBe('before-rollback-2');
    expect(everything()).toEqual(wrecked);
  });

  test('is refused when somebody changed files since the program was stopped, unless forced', async () => {
    put('a.txt', '1');
    put('b.txt', '1');
    const checkpoints = await open();
    await checkpoints.save('c1');
    put('a.txt', 'by the program');
    const atStop = await checkpoints.markStopped();
    expect((await checkpoints.preview('c1', { atStop })).changed_since_stop).toEqual([]);
    put('b.txt', 'by a person');
    put('new.txt', 'by a person');
    expect((await checkpoints.preview('c1', { atStop })).changed_since_stop).toEqual(['b.txt', 'new.txt']);
    const before = everything();
    const refusal = await checkpoints.restore('c1', { atStop }).catch((error: unknown) => error);
    expect(refusal).toBeInstanceOf(ChangedSinceStopError);
    expect((refusal as ChangedSinceStopError).paths).toEqual(['b.txt', 'new.txt']);
    expect((refusal as Error).message).toMatch(/^2 files changed since the program was stopped: b\.txt, new\.txt;/);
    expect(everything()).toEqual(before);
    expect(await checkpoints.list()).toHaveLength(1);
    const result = await checkpoints.restore('c1', { atStop, force: true });
    expect(result.changed_since_stop).toEqual(['b.txt', 'new.txt']);
    expect(readFileSync(join(root, 'b.txt'), 'utf8')).toBe('1');
    expect(existsSync(join(root, 'new.txt'))).toBe(false);
  });

  test('leaves an ignored file alone that stands in the way, and says so', async () => {
    put('out', 'a file');
    put('notes', 'mine');
    put('same', 'same');
    put('deep/file', 'x');
    const checkpoints = await open();
    await checkpoints.save('c1');
    rmSync(join(root, 'out'));
    rmSync(join(root, 'deep'), { recursive: true });
    put('out/cache.o', 'precious');
    put('notes', 'precious');
    put('deep', 'precious');
    put('.gitignore', '*.o\nnotes\nsame\ndeep\n');
    const result = await checkpoints.restore('c1');
    expect(new Set(result.cannot_undo)).toEqual(
      new Set([
        'out cannot come back: out/cache.o is in its place, which no checkpoint holds',
        'deep/file cannot come back: deep is in its place, which no checkpoint holds',
        'notes is ignored by git by now; it is left as it is',
      ]),
    );
    expect(['out/cache.o', 'notes', 'deep'].map((path) => readFileSync(join(root, path), 'utf8'))).toEqual([
      'precious',
      'precious',
      'precious',
    ]);
  });

  test('does not remove what the checkpoint ignored when the program deleted a .gitignore', async () => {
    put('.gitignore', 'node_modules/\n');
    put('pkg/.gitignore', '/build\n');
    put('node_modules/a/index.js', 'x');
    put('pkg/build/out.js', 'x');
    const checkpoints = await open();
    await checkpoints.save('c1');
    unlinkSync(join(root, '.gitignore'));
    unlinkSync(join(root, 'pkg/.gitignore'));
    put('new.js', 'x');
    const result = await checkpoints.restore('c1');
    expect([...everything().keys()]).toEqual(['.gitignore', 'node_modules/a/index.js', 'pkg/.gitignore', 'pkg/build/out.js']);
    expect(result.cannot_undo).toContain('node_modules/a/index.js was ignored by git at the checkpoint; it is left as it is');
    expect(result).toMatchObject({ restored: 2, removed: 1 });
  });

  test('does not remove what was ignored by rules that stand in no checkpoint', async () => {
    const rules = join(stateFolder, 'rules');
    writeFileSync(rules, '*.secret\n');
    git('config', 'core.excludesFile', rules);
    put('.git/info/exclude', 'data/\n');
    put('.venv/.gitignore', '*\n');
    for (const path of ['.venv/lib/py', 'data/db', 'x.secret', 'a']) put(path, 'precious');
    const checkpoints = await open();
    expect((await checkpoints.save('c1')).files).toBe(1);
    unlinkSync(join(root, '.venv/.gitignore'));
    put('.git/info/exclude', '');
    writeFileSync(rules, '');
    for (const path of ['data/later', 'later.secret', 'new']) put(path, 'x');
    const { removed } = await checkpoints.restore('c1');
    expect(removed).toBe(1);
    expect([...everything().keys()]).toEqual(['.venv/lib/py', 'a', 'data/db', 'data/later', 'later.secret', 'x.secret']);
  });

  test('keeps folders that were there and those in which a process works, and brings back permissions and no wider ones', async () => {
    put('.ssh/id_key', 'key', 0o400);
    chmodSync(join(root, '.ssh'), 0o700);
    put('key', 'key', 0o600);
    put('opened', 'x', 0o600);
    put('shared', 'x', 0o664);
    for (const folder of ['logs', 'empty/deep', 'private']) mkdirSync(join(root, folder), { recursive: true });
    chmodSync(join(root, 'private'), 0o700);
    const checkpoints = await open();
    await checkpoints.save('c1');
    rmSync(join(root, '.ssh'), { recursive: true });
    rmSync(join(root, 'empty'), { recursive: true });
    unlinkSync(join(root, 'key'));
    chmodSync(join(root, 'opened'), 0o644);
    put('shared', 'y', 0o600);
    chmodSync(join(root, 'private'), 0o755);
    for (const path of ['logs/l', 'brand/new', 'work/here']) put(path, 'x');
    const worker = spawn('sleep', ['60'], { cwd: join(root, 'work') });
    try {
      await once(worker, 'spawn');
      const { cannot_undo, restore } = await checkpoints.restore('c1');
      expect(cannot_undo).toEqual([]);
      expect(restore.map(({ path, change }) => `${path} ${change}`)).toEqual([
        '.ssh/id_key recreated',
        'brand/new removed',
        'empty/ recreated',
        'empty/deep/ recreated',
        'key recreated',
        'logs/l removed',
        'opened restored',
        'private/ restored',
        'shared restored',
        'work/here removed',
      ]);
    } finally {
      worker.kill();
    }
    const modeOf = (path: string) => (statSync(join(root, path)).mode & 0o777).toString(8);
    const paths = ['.ssh', '.ssh/id_key', 'key', 'opened', 'shared', 'private', 'logs', 'empty/deep'];
    expect(Object.fromEntries(paths.map((path) => [path, modeOf(path)]))).toEqual({
      '.ssh': '700',
      '.ssh/id_key': '400',
      key: '600',
      opened: '600',
      shared: '664',
      private: '700',
      logs: '755',
      'empty/deep': '755',
    });
    expect(['brand', 'work', 'empty/deep', 'logs'].map((path) => existsSync(join(root, path)))).toEqual([false, true, true, true]);
  });

  test('neither keeps nor touches large files that no commit holds, and says so', async () => {
    const large = Buffer.alloc(51 * 1024 * 1024);
    put('committed.bin', large);
    git('add', '-A');
    git('commit', '-q', '-m', 'first');
    put('untracked.bin', large);
    put('small', 'x');
    const checkpoints = await open();
    const { files, notKept } = await checkpoints.save('c1');
    expect([files, notKept]).toEqual([2, ['untracked.bin is not kept: 51 MB are more than the 50 MB of a file in checkpoints']]);
    put('untracked.bin', 'grown small');
    put('small', large);
    put('committed.bin', 'changed');
    const result = await checkpoints.restore('c1');
    expect(result.restore).toEqual([{ path: 'committed.bin', change: 'restored' }]);
    expect(result.cannot_undo).toEqual(
      expect.arrayContaining([
        expect.stringMatching(/^small is not kept/),
        expect.stringMatching(/^untracked\.bin is not in the checkpoint/),
      ]),
    );
    expect(statSync(join(root, 'small')).size).toBe(large.length);
    expect(readFileSync(join(root, 'untracked.bin'), 'utf8')).toBe('grown small');
    expect(statSync(join(root, 'committed.bin')).size).toBe(large.length);
  });

  test('never writes through a link that took a folder’s place', async () => {
    const outside = mkdtempSync(join(tmpdir(), 'outside-'));
    try {
      writeFileSync(join(outside, 'file.txt'), 'outside');
      put('folder/file.txt', 'inside');
      git('add', '-A');
      const checkpoints = await open();
      await checkpoints.save('c1');
      rmSync(join(root, 'folder'), { recursive: true });
      symlinkSync(outside, join(root, 'folder'));
      await checkpoints.save('c2');
      await checkpoints.restore('c1');
      expect(readFileSync(join(outside, 'file.txt'), 'utf8')).toBe('outside');
      expect(lstatSync(join(root, 'folder')).isDirectory()).toBe(true);
      await checkpoints.restore('c2');
      expect(readlinkSync(join(root, 'folder'))).toBe(outside);
      expect(readFileSync(join(outside, 'file.txt'), 'utf8')).toBe('outside');
    } finally {
      rmSync(outside, { recursive: true });
    }
  });

  test('says what it cannot undo: commits, staging, submodules, repositories inside', async () => {
    put('a.txt', '1');
    git('add', '-A');
    git('commit', '-q', '-m', 'first');
    execFileSync('git', ['init', '-q', join(root, 'inner')], { env });
    put('inner/file', 'x');
    git('update-index', '--add', '--cacheinfo', `160000,${git('rev-parse', 'HEAD').trim()},module`);
    const checkpoints = await open();
    await checkpoints.save('c1');
    put('a.txt', '2');
    git('add', 'a.txt');
    git('commit', '-q', '-m', 'second');
    const head = git('rev-parse', 'HEAD');
    const { cannot_undo } = await checkpoints.restore('c1');
    expect(cannot_undo).toEqual([
      'module is a submodule; its files are not part of checkpoints',
      'inner/ is a repository of its own; its files are not part of checkpoints',
      expect.stringMatching(/^HEAD moved from [0-9a-f]{10} to [0-9a-f]{10} since the checkpoint; commits are kept$/),
      'the index changed since the checkpoint; it is left as it is',
    ]);
    expect(readFileSync(join(root, 'a.txt'), 'utf8')).toBe('1');
    expect(readFileSync(join(root, 'inner/file'), 'utf8')).toBe('x');
    expect(git('rev-parse', 'HEAD')).toBe(head);
  });
});

describe('checkpoints', () => {
  test('survive a new process, in order, apart for each session, whatever its id', async () => {
    const ids = ['run-1', 'a..b', 'a:b', 'x.lock', '.', '-', 'a.b', `long.${'x.'.repeat(200)}`];
    for (const [at, id] of ids.entries()) {
      put('a.txt', `${at}`);
      const checkpoints = await open(root, id);
      await checkpoints.save(`first of ${id}`);
      await checkpoints.save('second', { label: 'with a\nlabel \0 "odd"' });
    }
    for (const id of ids) {
      const list = await (await open(root, id)).list();
      expect(list.map(({ checkpoint_id, number, label }) => [checkpoint_id, number, label])).toEqual([
        [`first of ${id}`, 1, undefined],
        ['second', 2, 'with a\nlabel \0 "odd"'],
      ]);
    }
    git('gc', '-q', '--prune=now');
    put('a.txt', 'changed');
    await (await open(root, 'run-1')).restore('second');
    expect(readFileSync(join(root, 'a.txt'), 'utf8')).toBe('0');
    expect(git('fsck', '--strict')).toBe('');
    expect(await gitOfStore('run-1', 'fsck', '--strict')).toBe('');
    expect((await gitOfStore('run-1', 'log', '-1', '--format=%an <%ae>', 'refs/checkpoints/1')).trim()).toBe(
      'shannon-dash <shannon-dash@localhost>',
    );
  });

  test('are found by id or by steps, and an unknown one is refused with what exists', async () => {
    const checkpoints = await open();
    await expect(checkpoints.resolve({ steps: 1 })).rejects.toThrow('Cannot go back 1 step (there are no checkpoints yet)');
    for (const id of ['c1', 'c2', 'c3']) await checkpoints.save(id);
    expect((await checkpoints.resolve({ steps: 1 })).checkpoint_id).toBe('c3');
    expect((await checkpoints.resolve({ steps: 3 })).checkpoint_id).toBe('c1');
    expect((await checkpoints.resolve({ checkpointId: 'c2' })).number).toBe(2);
    await expect(checkpoints.resolve({ steps: 4 })).rejects.toThrow(
      'Cannot go back 4 steps (there are 3 checkpoints, newest first: c3, c2, c1)',
    );
    for (const steps of [0, -1, 1.5, Number.NaN]) await expect(checkpoints.resolve({ steps })).rejects.toThrow('Cannot go back');
    await expect(checkpoints.restore('c9')).rejects.toThrow('Checkpoint not found: c9 (there are 3 checkpoints, newest first: c3, c2, c1)');
  });

  test('are bounded: the newest 200 of a session stay', async () => {
    const checkpoints = await open();
    await checkpoints.save('start', { kind: 'start' });
    await checkpoints.save('c1');
    const commit = (await checkpoints.list()).at(-1)?.commit;
    const more = Array.from({ length: 204 }, (_, at) => `create refs/checkpoints/${at + 3} ${commit}\n`).join('');
    const { folder } = (await storedSessions(stateFolder))[0] ?? { folder: '' };
    execFileSync('git', ['update-ref', '--stdin'], { cwd: root, env: { ...env, GIT_DIR: folder }, input: more });
    await checkpoints.save('newest');
    const list = await checkpoints.list();
    expect([list.length, list[0]?.number, list[1]?.number, list.at(-1)?.number]).toEqual([200, 1, 9, 207]);
  });

  test('of two processes at once both are kept', async () => {
    put('a.txt', 'x');
    const [one, two] = await Promise.all([open(), open()]);
    await Promise.all([one.save('a1'), two.save('b1'), one.save('a2'), two.save('b2')]);
    expect((await one.list()).map(({ checkpoint_id }) => checkpoint_id).sort((a, b) => a.localeCompare(b))).toEqual([
      'a1',
      'a2',
      'b1',
      'b2',
    ]);
  });

  test('leave nothing of what they hold in the repository, and go with their session', async () => {
    put('.env.local', 'TOKEN=abc');
    const checkpoints = await open();
    await checkpoints.save('c1');
    expect(git('for-each-ref')).toBe('');
    expect(git('count-objects').trim()).toBe('0 objects, 0 kilobytes');
    expect(await storedSessions(stateFolder)).toMatchObject([{ session: 'run-7f3a', root }]);
    await checkpoints.remove();
    expect(await storedSessions(stateFolder)).toEqual([]);
    await expect(checkpoints.save('c2')).rejects.toThrow('the run has ended');
  });

  test('hold nothing that was changed after the program went on, and say so', async () => {
    put('before', '1');
    put('after', '1');
    const checkpoints = await open();
    await new Promise((resolve) => setTimeout(resolve, 20));
    const goesOn = { passed: await checkpoints.now() };
    put('after', '2');
    put('came', 'x');
    const { files, notKept } = await checkpoints.save('start', { kind: 'start', goesOn });
    expect([files, notKept]).toEqual([
      1,
      ['after', 'came'].map((path) => `${path} was changed before it was read; it is not part of this checkpoint`),
    ]);
    put('before', '2');
    await checkpoints.restore('start');
    expect(['before', 'after', 'came'].map((path) => readFileSync(join(root, path), 'utf8'))).toEqual(['1', '2', 'x']);
  });

  test('cover the whole work tree from a subfolder, before the first commit, and in a linked work tree', async () => {
    put('top.txt', '1');
    put('sub/file.txt', '1');
    const fromSub = await open(join(root, 'sub'));
    expect(fromSub.root).toBe(root);
    expect((await fromSub.save('c1')).files).toBe(2);
    put('top.txt', '2');
    await fromSub.restore('c1');
    expect(readFileSync(join(root, 'top.txt'), 'utf8')).toBe('1');

    git('add', '-A');
    git('commit', '-q', '-m', 'first');
    const linked = join(root, '..', `${root.split('/').at(-1)}-linked`);
    git('worktree', 'add', '-q', linked);
    try {
      const there = await open(linked);
      expect(await there.list()).toEqual([]);
      await there.save('there');
      writeFileSync(join(linked, 'top.txt'), 'changed');
      await there.restore('there');
      expect(readFileSync(join(linked, 'top.txt'), 'utf8')).toBe('1');
      expect((await fromSub.list()).map(({ checkpoint_id }) => checkpoint_id)).toEqual(['c1', 'before-rollback-1']);
    } finally {
      rmSync(linked, { recursive: true });
    }
  });

  test('take no notice of the user’s GIT_* variables, hooks and signing', async () => {
    put('a.txt', 'x');
    mkdirSync(join(root, '.git/hooks'), { recursive: true });
    for (const hook of ['reference-transaction', 'post-index-change', 'pre-commit']) {
      put(`.git/hooks/${hook}`, `#!/bin/sh\necho ran >> "${root}/.git/hook-ran"\nexit 1\n`, 0o755);
    }
    git('config', 'commit.gpgSign', 'true');
    git('config', 'core.fsmonitor', join(root, '.git/hooks/pre-commit'));
    vi.stubEnv('GIT_DIR', '/nowhere');
    vi.stubEnv('GIT_WORK_TREE', '/nowhere');
    vi.stubEnv('GIT_INDEX_FILE', join(root, 'stray-index'));
    vi.stubEnv('GIT_AUTHOR_NAME', 'somebody');
    const checkpoints = await open();
    expect((await checkpoints.save('c1')).files).toBe(1);
    await checkpoints.restore('c1');
    expect([existsSync(join(root, '.git/hook-ran')), existsSync(join(root, 'stray-index'))]).toEqual([false, false]);
  });

  test('see a change of the same length within the same tick of the clock', async () => {
    const checkpoints = await open();
    const trees = new Set<string>();
    for (let round = 0; round < 20; round++) {
      put('a.txt', `${round % 10}${round}`.slice(0, 1) + String.fromCharCode(97 + round));
      trees.add((await checkpoints.save(`c${round}`)).tree);
    }
    expect(trees.size).toBe(20);
  });

  test('are still made when a remembered object was pruned', async () => {
    put('a.txt', 'seen at the stop but in no checkpoint');
    const checkpoints = await open();
    // Twice, since a file that was just written is not remembered the first time.
    await checkpoints.markStopped();
    await checkpoints.markStopped();
    git('prune', '--expire=now');
    put('b.txt', 'new');
    await checkpoints.save('c1');
    expect(git('fsck', '--strict')).toBe('');
  });

  test('cannot be kept outside of a git work tree, or without git', async () => {
    const folder = mkdtempSync(join(tmpdir(), 'no-repository-'));
    try {
      await expect(open(folder)).rejects.toThrow(`cannot keep checkpoints: ${folder} is not inside a git work tree`);
      await expect(open(join(root, '.git'))).rejects.toThrow('is not inside a git work tree');
      vi.stubEnv('PATH', folder);
      await expect(open()).rejects.toThrow('git was not found on the PATH');
    } finally {
      rmSync(folder, { recursive: true });
    }
  });

  test('of 5,000 files are kept and restored whole', async () => {
    const content = (at: number) => `content ${at}\n`.repeat(40);
    for (let at = 0; at < 5_000; at++) put(`src/folder-${at % 100}/file-${at}.txt`, content(at));
    const checkpoints = await open();
    const { files, tree } = await checkpoints.save('c1');
    expect((await checkpoints.save('c1-again')).tree).toBe(tree);
    for (let at = 0; at < 10; at++) put(`src/folder-${at}/file-${at}.txt`, 'changed');
    await checkpoints.save('c2');
    renameSync(join(root, 'src'), join(root, 'moved'));
    const { restored, removed } = await checkpoints.restore('c1');
    expect([files, restored, removed]).toEqual([5_000, 5_000, 5_000]);
    expect(readFileSync(join(root, 'src/folder-7/file-7.txt'), 'utf8')).toBe(content(7));
  }, 120_000);
});
