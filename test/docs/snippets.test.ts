import { execFile } from 'node:child_process';
import { mkdtemp, mkdir, rm, symlink, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { promisify } from 'node:util';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { installDebianPackages } from '../helpers/debian-packages.ts';
import { indentedBlocks, pages, root, scenesOf } from './fenced-blocks.ts';
import { installPackage, type InstalledPackage } from '../helpers/installed-package.ts';
import { runScene } from './scene.ts';

const run = promisify(execFile);
const scenes = pages.flatMap(scenesOf);
const blocks = scenes.flatMap((scene) => scene.blocks);
const isRun = ({ language, mark }: { language: string; mark: string }) => language !== 'text' && mark !== 'setup';
const needsPython = ({ blocks }: { blocks: { language: string }[] }) => blocks.some(({ language }) => language === 'python');

let installed: InstalledPackage;
/** Why there is no Socket.IO client for Python. */
let noPython: string | undefined;
beforeAll(async () => {
  installed = await installPackage();
  const isThere = await run('/usr/bin/python3', ['-c', 'import socketio, requests']).then(
    () => true,
    () => false,
  );
  if (!isThere) noPython = await installDebianPackages('python3-socketio', 'python3-requests');
}, 310_000);
afterAll(() => installed.remove());

/** An address of this machine that no other test uses: its port 8000 is free. */
const addressOf = (scene: number) => `127.${1 + (process.pid % 250)}.${1 + ((process.pid >> 8) % 250)}.${scene + 1}`;

describe.concurrent('the blocks of a page do what the page says', () => {
  const running = scenes.map((scene, at) => ({ ...scene, address: addressOf(at) })).filter((scene) => scene.blocks.some(isRun));

  test.for(running)('$name', async ({ address, ...scene }, context) => {
    if (process.platform !== 'linux') return context.skip('only Linux has so many addresses of its own');
    if (noPython !== undefined && needsPython(scene)) return context.skip(noPython);
    await runScene(scene, { address, installed });
  });

  test('every block of TypeScript compiles, with the types that the package has', async ({ onTestFinished }) => {
    const folder = await mkdtemp(join(tmpdir(), 'shannon-dash-types-'));
    onTestFinished(() => rm(folder, { recursive: true, force: true }));
    await mkdir(join(folder, 'node_modules'));
    await symlink(installed.folder, join(folder, 'node_modules/shannon-dash'));
    await symlink(join(root, 'node_modules/@types'), join(folder, 'node_modules/@types'));
    await writeFile(join(folder, 'package.json'), '{"type": "module"}');
    const sources = blocks.filter(({ language }) => language === 'ts');
    for (const [at, { text }] of sources.entries()) await writeFile(join(folder, `${at}.ts`), text);
    const options = ['--noEmit', '--strict', '--target', 'es2024', '--module', 'nodenext', '--types', 'node'];
    const files = sources.map((_, at) => `${at}.ts`);
    const compiler = [join(root, 'node_modules/typescript/bin/tsc'), ...options, ...files];
    const { stdout } = await run(process.execPath, compiler, { cwd: folder }).catch((error: unknown) => error as { stdout: string });
    expect(stdout).toBe('');
  });

  test('the command of the README for newcomers runs in a clone', async ({ onTestFinished }) => {
    const [line = ''] = blocks.find(({ mark }) => mark === 'setup')?.text.split('\n') ?? [];
    const command = /^npm ci && (npx shannon-dash run -- npm ls)/.exec(line)?.[1] ?? '';
    const home = await mkdtemp(join(tmpdir(), 'shannon-dash-home-'));
    // The server that run has started still writes there for a moment.
    onTestFinished(() => rm(home, { recursive: true, force: true, maxRetries: 5 }));
    // npx would build the clone once more, under the other tests.
    const env = {
      PATH: process.env['PATH'],
      HOME: home,
      SHANNON_DASH_URL: `http://${addressOf(200)}:8000`,
      npm_config_ignore_scripts: 'true',
    };
    const { stdout } = await run('sh', ['-c', command], { cwd: root, env });
    expect(stdout).toContain('shannon-dash@');
  });
});

test('few blocks are not run: pictures and figures, the set-up of a machine, a tunnel between two, files and programs of agents, a database', () => {
  const left = blocks.filter((block) => !isRun(block) && block.mark !== 'output');
  expect(left.map(({ place, text }) => `${place.split(':')[0]} ${text.trim().split(/\s/)[0]}`)).toEqual([
    'README.md run-7f3a',
    'README.md npm',
    'README.md shannon-dash',
    'README.md ssh',
    'docs/agents.md claude',
    'docs/benchmarks.md npm',
    'docs/benchmarks.md AMD',
    'docs/faults.md npm',
    'docs/faults.md AMD',
    'docs/mcp.md claude',
    'docs/mcp.md {"mcpServers":',
    'docs/mcp.md [mcp_servers.shannon-dash]',
    'docs/mcp.md {"mcp":',
    'docs/mcp.md claude',
    'docs/notifications.md {',
    'docs/scale.md shannon-dash',
    'docs/sdk.md npm',
    'docs/server.md dash.example',
  ]);
});

test.each(pages)('%s has fences around its blocks', (page) => {
  expect(indentedBlocks(page)).toEqual([]);
});
