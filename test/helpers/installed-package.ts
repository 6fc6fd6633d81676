import { execFile } from 'node:child_process';
import { mkdir, mkdtemp, readFile, rm, symlink } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { dirname, join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { promisify } from 'node:util';

const root = fileURLToPath(new URL('../..', import.meta.url));
const run = promisify(execFile);

/** The package as its users have it: packed, and unpacked elsewhere. */
export interface InstalledPackage {
  folder: string;
  /** A folder for PATH. */
  bin: string;
  remove(): Promise<void>;
}

/** Packs the package as it is built, and unpacks it beside links to what it depends on. Nothing is fetched. */
export async function installPackage(): Promise<InstalledPackage> {
  const place = await mkdtemp(join(tmpdir(), 'shannon-dash-package-'));
  await run('npm', ['pack', '--silent', '--ignore-scripts', '--pack-destination', place], { cwd: root });
  const manifest = JSON.parse(await readFile(join(root, 'package.json'), 'utf8')) as {
    version: string;
    dependencies: object;
    optionalDependencies: object;
  };
  await run('tar', ['-xzf', join(place, `shannon-dash-${manifest.version}.tgz`), '-C', place]);
  const folder = join(place, 'package');
  for (const name of Object.keys({ ...manifest.dependencies, ...manifest.optionalDependencies })) {
    const link = join(folder, 'node_modules', name);
    await mkdir(dirname(link), { recursive: true });
    await symlink(join(root, 'node_modules', name), link);
  }
  const bin = join(place, 'bin');
  await mkdir(bin);
  await symlink(join(folder, 'bin/shannon-dash.js'), join(bin, 'shannon-dash'));
  return { folder, bin, remove: () => rm(place, { recursive: true, force: true }) };
}
