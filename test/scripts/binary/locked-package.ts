import { execFile } from 'node:child_process';
import { createHash } from 'node:crypto';
import { existsSync } from 'node:fs';
import { mkdir, mkdtemp, readFile, rename, rm } from 'node:fs/promises';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { promisify } from 'node:util';

const run = promisify(execFile);
const root = fileURLToPath(new URL('../../..', import.meta.url));
const cache = join(root, 'node_modules/.cache/shannon-dash');

interface Lock {
  packages: Record<string, { version: string; integrity: string } | undefined>;
}

/** A package that package-lock.json names. */
export interface LockedPackage {
  folder: string;
  version: string;
}

/**
 * A package of package-lock.json: the installed one; or, where npm has left it out because it is for another system, the one that npm
 * fetches now.
 * @throws the lock file does not name it, or what npm fetches has another checksum than the lock file's
 */
export async function lockedPackage(name: string): Promise<LockedPackage> {
  const lock = JSON.parse(await readFile(join(root, 'package-lock.json'), 'utf8')) as Lock;
  const locked = lock.packages[`node_modules/${name}`];
  if (locked === undefined) throw new Error(`package-lock.json does not name ${name}`);
  const { version, integrity } = locked;
  const installed = join(root, 'node_modules', name);
  if (existsSync(installed)) return { folder: installed, version };
  const folder = join(cache, `${name.replace('/', '+')}@${version}`);
  if (!existsSync(folder)) await fetchPackage(`${name}@${version}`, integrity, folder);
  return { folder, version };
}

async function fetchPackage(wanted: string, integrity: string, folder: string): Promise<void> {
  await mkdir(cache, { recursive: true });
  const work = await mkdtemp(join(cache, 'fetching-'));
  try {
    console.log(`fetching ${wanted} from the npm registry`);
    const npm = process.env['npm_execpath'];
    if (npm === undefined) throw new Error('npm is needed to fetch it: run this with npm run package:binary');
    const { stdout } = await run(process.execPath, [npm, 'pack', wanted, '--ignore-scripts', '--json', '--pack-destination', work], {
      cwd: root,
    });
    const [{ filename }] = JSON.parse(stdout) as [{ filename: string }];
    const archive = join(work, filename);
    const checksum = `sha512-${createHash('sha512')
      .update(await readFile(archive))
      .digest('base64')}`;
    if (checksum !== integrity)
      throw new Error(`${wanted} from the registry has the checksum ${checksum}; package-lock.json says ${integrity}`);
    await run('tar', ['-xzf', archive, '-C', work]);
    await rename(join(work, 'package'), folder);
  } finally {
    await rm(work, { recursive: true, force: true });
  }
}
