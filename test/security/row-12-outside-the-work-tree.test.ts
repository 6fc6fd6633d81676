import { execFileSync } from 'node:child_process';
import { existsSync, mkdirSync, readdirSync, renameSync, symlinkSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { describe, expect, test } from 'vitest';
import { storedSessions } from '../../src/run/checkpoints/checkpoint-store.ts';
import { openGitCheckpoints } from '../../src/run/checkpoints/git-checkpoints.ts';
import { WorkTreeFolders } from '../../src/run/checkpoints/work-tree-folders.ts';
import { isWritablePath } from '../../src/run/files/writable-path.ts';
import { temporaryFolder } from '../helpers/temporary-folder.ts';

describe('row 12: a rollback writes nothing outside of the work tree', () => {
  test('refuses the paths that git would not write, in each spelling', () => {
    const bad = [
      '',
      '/a',
      'a//b',
      'a/',
      './a',
      '../a',
      'a/../../b',
      '.git/config',
      'a/.git/hooks/x',
      '.GIT/x',
      '.git./x',
      '.git /x',
      'git~1/x',
      'GIT~1',
    ];
    const odd = ['.git::$INDEX_ALLOCATION/x', 'a\\.git\\x', '..\\x', '.g\xe2\x80\x8cit/x', '\xef\xbb\xbf.git/x'];
    expect([...bad, ...odd].filter(isWritablePath)).toEqual([]);
    const good = ['a', 'a/b', '.gitignore', '.github/x', 'a..b', '...', 'back\\slash', 'git', 'x.git', 'a:b', '\xff'];
    expect(good.filter((path) => !isWritablePath(path))).toEqual([]);
  });

  test('neither by a tree that somebody made', async () => {
    const folder = await temporaryFolder();
    const root = join(folder, 'work');
    execFileSync('git', ['init', '-q', root]);
    writeFileSync(join(root, 'a'), '1');
    const stateFolder = join(folder, 'state');
    const checkpoints = await openGitCheckpoints({ cwd: root, sessionId: 's', stateFolder, url: 'http://127.0.0.1:1' });
    await checkpoints.save('c1');
    const made = (await checkpoints.list())[0];
    const store = (await storedSessions(stateFolder))[0]?.folder ?? '';
    const git = (args: string[], input: string | Buffer) =>
      execFileSync('git', args, { cwd: folder, env: { ...process.env, GIT_DIR: store }, input, encoding: 'utf8' }).trim();
    const blob = git(['hash-object', '-w', '--stdin'], 'evil');
    const raw = (name: string, mode: string, oid: string) => Buffer.concat([Buffer.from(`${mode} ${name}\0`), Buffer.from(oid, 'hex')]);
    const treeOf = (...entries: Buffer[]) => git(['hash-object', '-t', 'tree', '-w', '--stdin', '--literally'], Buffer.concat(entries));
    const hooks = treeOf(raw('pre-commit', '100755', blob));
    const tree = treeOf(
      raw('.git', '40000', treeOf(raw('hooks', '40000', hooks))),
      raw('../evil', '100644', blob),
      raw('a', '100644', blob),
    );
    const body = git(['cat-file', 'commit', made?.commit ?? ''], '')
      .replace(made?.tree ?? '', tree)
      .replace('"c1"', '"evil"');
    const commit = git(['hash-object', '-t', 'commit', '-w', '--stdin'], `${body}\n`);
    git(['update-ref', 'refs/checkpoints/2', commit], '');

    const result = await checkpoints.restore('evil');
    expect(result.restore).toEqual([{ path: 'a', change: 'restored' }]);
    expect(result.cannot_undo.filter((each) => each.includes('git would not write such a name'))).toHaveLength(2);
    expect(existsSync(join(folder, 'evil'))).toBe(false);
    expect(readdirSync(join(root, '.git', 'hooks'))).not.toContain('pre-commit');
  });

  test('nor through a folder that is swapped for a link, or moved away, meanwhile', async () => {
    const folder = await temporaryFolder();
    const root = join(folder, 'work');
    mkdirSync(join(root, 'a/b'), { recursive: true });
    mkdirSync(join(folder, 'outside/b'), { recursive: true });
    const folders = new WorkTreeFolders(root);
    const write = (path: string) => writeFileSync(folders.placeOf(path), 'x');
    write('a/b/1');
    renameSync(join(root, 'a'), join(root, 'was'));
    symlinkSync(join(folder, 'outside'), join(root, 'a'));
    expect(() => write('a/b/2')).toThrow('a is not a folder');
    expect(() => folders.make('a/c')).toThrow('a is not a folder');
    write('was/b/3');
    renameSync(join(root, 'was/b'), join(folder, 'outside/moved'));
    expect(() => write('was/b/4')).toThrow('was/b is gone');
    folders.close();
    expect([readdirSync(join(folder, 'outside/b')), readdirSync(join(folder, 'outside/moved'))]).toEqual([[], ['1', '3']]);
  });
});
