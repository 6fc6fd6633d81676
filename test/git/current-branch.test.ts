import { execFileSync } from 'node:child_process';
import { mkdirSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { expect, test } from 'vitest';
import { currentBranch } from '../../src/git/current-branch.ts';
import { temporaryFolder } from '../helpers/temporary-folder.ts';

function git(folder: string, ...args: string[]): void {
  execFileSync('git', ['-c', 'user.name=t', '-c', 'user.email=t@example.com', '-c', 'init.defaultBranch=main', ...args], { cwd: folder });
}

test('the branch of a repository, of a folder in it and of a further work tree; none where none is checked out', async () => {
  const folder = await temporaryFolder();
  expect(currentBranch(folder)).toBeUndefined();
  const work = join(folder, 'work');
  mkdirSync(join(work, 'below'), { recursive: true });
  git(work, 'init', '--quiet');
  expect(currentBranch(work)).toBe('main');
  writeFileSync(join(work, 'file'), 'x');
  git(work, 'add', '.');
  git(work, 'commit', '--quiet', '-m', 'first');
  git(work, 'checkout', '--quiet', '-b', 'feature/one');
  expect(currentBranch(join(work, 'below'))).toBe('feature/one');
  git(work, 'worktree', 'add', '--quiet', join(folder, 'other'), '-b', 'other');
  expect(currentBranch(join(folder, 'other'))).toBe('other');
  git(work, 'checkout', '--quiet', '--detach');
  expect(currentBranch(work)).toBeUndefined();
});
