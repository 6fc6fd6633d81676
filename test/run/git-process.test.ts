import { execFileSync } from 'node:child_process';
import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { setTimeout as wait } from 'node:timers/promises';
import { expect, onTestFinished, test } from 'vitest';
import { openBlobReader } from '../../src/run/git/git-blobs.ts';
import { GitError, runGit, spawnGit } from '../../src/run/git/git-process.ts';

const silenceMs = 1_500;

function newRepository(): string {
  const folder = mkdtempSync(join(tmpdir(), 'shannon-dash-git-'));
  onTestFinished(() => rmSync(folder, { recursive: true, force: true }));
  execFileSync('git', ['init', '-q', folder]);
  return folder;
}

test('git may work for longer than its limit of silence, as long as it says something', async () => {
  const cwd = newRepository();
  const oid = execFileSync('git', ['hash-object', '-w', '--stdin'], { cwd, input: 'content', encoding: 'utf8' }).trim();
  const blobs = openBlobReader({ start: (args, options) => spawnGit(args, { cwd, env: process.env, ...options }) }, silenceMs);
  onTestFinished(() => blobs.close());
  const startedMs = performance.now();
  for (let reads = 0; performance.now() - startedMs < 2 * silenceMs; reads++) {
    const chunks: Buffer[] = [];
    await blobs.read(oid, (chunk) => void chunks.push(chunk));
    expect([reads, Buffer.concat(chunks).toString()]).toEqual([reads, 'content']);
    await wait(silenceMs / 10);
  }
});

test('git that says nothing is ended after the limit', async () => {
  const cwd = newRepository();
  // It reads a pipe that nobody writes to.
  execFileSync('mkfifo', [join(cwd, 'pipe')]);
  const stuck = runGit(['hash-object', 'pipe'], cwd, process.env, { silenceMs: 200 });
  await expect(stuck).rejects.toThrow(new GitError('git hash-object failed: no answer in 0.2 s', null, Buffer.alloc(0)));
});
