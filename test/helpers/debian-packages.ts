import { execFile } from 'node:child_process';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { promisify } from 'node:util';

const run = promisify(execFile);

/** Installs packages of the system, where that can be done; else says why not. */
export async function installDebianPackages(...names: string[]): Promise<string | undefined> {
  if (process.platform !== 'linux' || process.getuid?.() !== 0) return 'only root on Linux can install packages';
  const script = 'apt-get update && apt-get install -y --no-install-recommends "$@"';
  try {
    // Another test may install at the same time, and apt-get waits for nobody.
    await run('flock', [join(tmpdir(), 'shannon-dash-apt.lock'), 'sh', '-c', script, 'sh', ...names], {
      env: { ...process.env, DEBIAN_FRONTEND: 'noninteractive' },
      timeout: 300_000,
    });
    return undefined;
  } catch (error) {
    return `apt-get cannot install ${names.join(' ')}: ${String(error).slice(0, 300)}`;
  }
}
