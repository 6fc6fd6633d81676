import { execFileSync } from 'node:child_process';
import { existsSync, mkdirSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { describe, expect, test } from 'vitest';
import { openGitCheckpoints } from '../../src/run/checkpoints/git-checkpoints.ts';
import { temporaryFolder } from '../helpers/temporary-folder.ts';

/** Makes a git folder whose configuration says how to fetch what is missing, and whose HEAD is missing. */
function makeHostile(gitDir: string, marker: string): void {
  const missing = '1'.repeat(40);
  const set = (name: string, value: string) => execFileSync('git', ['config', '-f', join(gitDir, 'config'), name, value]);
  set('core.repositoryFormatVersion', '1');
  set('extensions.partialClone', 'origin');
  set('remote.origin.url', gitDir);
  set('remote.origin.promisor', 'true');
  set('remote.origin.uploadpack', `touch ${marker}; git-upload-pack`);
  set('core.fsmonitor', `touch ${marker}`);
  mkdirSync(join(gitDir, 'refs', 'heads'), { recursive: true });
  writeFileSync(join(gitDir, 'refs', 'heads', 'main'), `${missing}\n`);
  writeFileSync(join(gitDir, 'HEAD'), 'ref: refs/heads/main\n');
}

describe('row 3: nothing that a repository configures is run', () => {
  test('neither to fetch what is missing, nor by a bare repository inside a plain clone', async () => {
    const folder = await temporaryFolder();
    const marker = join(folder, 'ran');
    const root = join(folder, 'clone');
    execFileSync('git', ['init', '-q', root]);
    writeFileSync(join(root, 'a'), '1');
    makeHostile(join(root, '.git'), marker);
    const open = (cwd: string) =>
      openGitCheckpoints({ cwd, sessionId: 's', stateFolder: join(folder, 'state'), url: 'http://127.0.0.1:1' });
    const checkpoints = await open(root);
    expect(await checkpoints.save('c1')).toMatchObject({ files: 1 });
    writeFileSync(join(root, 'a'), '2');
    expect(await checkpoints.restore('c1')).toMatchObject({ restored: 1 });
    expect(existsSync(marker)).toBe(false);

    const bare = join(root, 'docs');
    execFileSync('git', ['init', '-q', '--bare', bare]);
    makeHostile(bare, marker);
    await expect(open(bare)).rejects.toThrow(`${bare} is not inside a git work tree`);
    await (await open(root)).save('c2');
    expect(existsSync(marker)).toBe(false);
  });
});
