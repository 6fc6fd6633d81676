import { execFile } from 'node:child_process';
import { mkdir, mkdtemp, readFile, realpath, rm, symlink, writeFile } from 'node:fs/promises';
import { createServer as createHttpServer } from 'node:http';
import type { AddressInfo } from 'node:net';
import { tmpdir } from 'node:os';
import { join, relative } from 'node:path';
import { fileURLToPath } from 'node:url';
import { promisify } from 'node:util';
import { rolldown } from 'rolldown';
import { afterAll, beforeAll, describe, expect, onTestFinished, test } from 'vitest';
import { findChromium, openInChromium } from '../helpers/chromium.ts';
import { installPackage, type InstalledPackage } from '../helpers/installed-package.ts';
import { startServer } from '../helpers/start-server.ts';

const run = promisify(execFile);
const tsc = fileURLToPath(new URL('../../node_modules/typescript/bin/tsc', import.meta.url));

/** A program of somebody who has installed the package, with the mistakes that its types are to find. */
const typedProgram = `
import { connectOperator, connectOrchestrator, connectWatcher, ShannonDashError, type SessionEvent } from 'shannon-dash';
import { createServer, openJournalAt, type DashServer, type ServerOptions } from 'shannon-dash/server';

const options: ServerOptions = { journal: await openJournalAt('memory'), lostAfterMs: 60_000 };
const server: DashServer = await createServer(options);
const { url } = await server.listen({ port: 0 });

const run = await connectOrchestrator({ url, session: 'typed' });
await run.start({ task: 'compile', total_steps: 1 });
run.onCommand('REDIRECT', ({ target_skill }) => target_skill?.toUpperCase());
// @ts-expect-error there is no such command
run.onCommand('EXPLODE', () => undefined);

const operator = await connectOperator({ url, session: 'typed' });
const result = await operator.send({ type: 'REDIRECT', target_skill: 'lint' });
// @ts-expect-error a command has a type
await operator.send({ reason: 'none' }).catch((error: unknown) => error instanceof ShannonDashError && error.code);
if ('status' in result) console.log(result.command_type, result.status);

const watcher = await connectWatcher({ url, session: 'typed', after: 'start' });
for await (const event of watcher) {
  const { seq, type }: SessionEvent = event;
  console.log(seq, type, watcher.state?.status);
  if (type === 'command:applied') break;
}
await watcher.close();
await operator.close();
await run.close();
await server.close();
`;

/** The same in a browser, which reports what it has seen to the server that it came from. */
const pageProgram = `
import { connectOperator, connectOrchestrator, connectWatcher } from 'shannon-dash';

async function use(url) {
  const run = await connectOrchestrator({ url, session: 'page' });
  await run.start({ task: 'in a browser' });
  run.onCommand('REDIRECT', ({ target_skill }) => target_skill);
  const operator = await connectOperator({ url, session: 'page' });
  const { status } = await operator.send({ type: 'REDIRECT', target_skill: 'lint' });
  const types = [];
  const watcher = await connectWatcher({ url, session: 'page', after: 'start' });
  for await (const event of watcher) {
    types.push(event.type);
    if (event.type === 'command:applied') break;
  }
  await Promise.all([watcher.close(), operator.close(), run.close()]);
  return { status, types };
}

const report = await use(new URLSearchParams(location.search).get('url')).catch((error) => ({ error: String(error.stack) }));
await fetch('/report', { method: 'POST', body: JSON.stringify(report) });
`;

/** Before a program: tells at its end which files were loaded. */
const tellLoaded = `
import { registerHooks } from 'node:module';
const loaded = new Set();
registerHooks({ resolve(name, context, next) { const found = next(name, context); loaded.add(found.url); return found; } });
process.on('exit', () => console.log(JSON.stringify([...loaded])));
`;

let installed: InstalledPackage;
beforeAll(async () => {
  installed = await installPackage();
});
afterAll(() => installed.remove());

/** A project that has the package and nothing else. */
async function newProject(files: Record<string, string>): Promise<string> {
  const folder = await mkdtemp(join(tmpdir(), 'shannon-dash-user-'));
  onTestFinished(() => rm(folder, { recursive: true, force: true }));
  await mkdir(join(folder, 'node_modules'));
  await symlink(installed.folder, join(folder, 'node_modules/shannon-dash'));
  for (const [name, text] of Object.entries({ 'package.json': '{"type": "module"}', ...files })) await writeFile(join(folder, name), text);
  return folder;
}

/** The packages, and the files of this one, that a program loads. */
async function loadedBy(program: string): Promise<{ packages: string[]; files: string[] }> {
  const folder = await newProject({ 'program.js': program, 'tell-loaded.js': tellLoaded });
  const { stdout } = await run(process.execPath, ['--import', './tell-loaded.js', 'program.js'], { cwd: folder });
  const urls = (JSON.parse(stdout) as string[]).filter((url) => url.startsWith('file:') && !url.endsWith('/program.js'));
  const paths = urls.map((url) => fileURLToPath(url));
  const own = await realpath(installed.folder);
  const packages = paths.flatMap((path) => /.*\/node_modules\/((?:@[^/]+\/)?[^/]+)\//.exec(path)?.[1] ?? []);
  const files = paths.filter((path) => path.startsWith(`${own}/`)).map((path) => relative(own, path));
  return { packages: [...new Set(packages)].toSorted(), files };
}

describe('what is loaded', () => {
  test('with the SDK is its one file, and what Socket.IO and zod need', async () => {
    const { packages, files } = await loadedBy("await import('shannon-dash');");
    expect(files).toEqual(['dist/index.js']);
    expect(packages).toEqual(expect.arrayContaining(['socket.io-client', 'zod']) as string[]);
    const { devDependencies } = JSON.parse(await readFile(join(installed.folder, 'package.json'), 'utf8')) as { devDependencies: object };
    expect(packages.filter((name) => name in devDependencies)).toEqual([]);
  });

  test('with the server are no packages but those in its own files, and none of a terminal', async () => {
    const { packages, files } = await loadedBy(
      "import { createServer } from 'shannon-dash/server'; const server = await createServer(); await server.listen({ port: 0 }); await server.close();",
    );
    expect(packages).toEqual([]);
    expect(files).toContain('dist/program/server.js');
    const texts = await Promise.all(files.map((file) => readFile(join(installed.folder, file), 'utf8')));
    const [fastify, ink] = ['FST_ERR_', 'useStdin'].map((mark) => texts.filter((text) => text.includes(mark)).length);
    expect(fastify).toBeGreaterThan(0);
    expect(ink).toBe(0);
  });
});

describe('a program in TypeScript', () => {
  test.each([
    ['nodenext', 'nodenext'],
    ['esnext', 'bundler'],
  ])('compiles as module %s, resolved as %s, with no types of Node', async (module, resolution) => {
    const folder = await newProject({ 'program.ts': typedProgram });
    const target = ['--target', 'es2024', '--lib', 'es2024,dom', '--module', module, '--moduleResolution', resolution];
    const options = ['--noEmit', '--strict', '--skipLibCheck', 'false', '--types', '', ...target];
    const { stdout } = await run(process.execPath, [tsc, ...options, 'program.ts'], { cwd: folder }).catch(
      (error: unknown) => error as { stdout: string },
    );
    expect(stdout).toBe('');
  });

  test('does what it says', async () => {
    const folder = await newProject({ 'program.ts': typedProgram });
    const { stdout } = await run(process.execPath, ['program.ts'], { cwd: folder });
    expect(stdout).toMatch(
      /^REDIRECT applied\n1 orchestrator:attached running\n2 execution:started running\n[^]*command:applied running\n$/,
    );
  });
});

describe('a page', () => {
  let chromium: Awaited<ReturnType<typeof findChromium>>;
  beforeAll(async () => {
    chromium = await findChromium();
  }, 310_000);

  test('with the SDK in its bundle publishes, steers and watches', async (context) => {
    const folder = await newProject({ 'page.js': pageProgram });
    const warnings: string[] = [];
    const bundle = await rolldown({
      cwd: folder,
      input: 'page.js',
      platform: 'browser',
      onLog: (_, { message }) => void warnings.push(message),
    });
    const { output } = await bundle.generate({ format: 'esm', codeSplitting: false });
    await bundle.close();
    expect(warnings).toEqual([]);
    expect(output[0].imports).toEqual([]);

    if ('missing' in chromium) return context.skip(chromium.missing);
    const reported = Promise.withResolvers<unknown>();
    const site = createHttpServer((request, response) => {
      if (request.method !== 'POST') {
        const [type, text] =
          request.url === '/page.js'
            ? ['text/javascript', output[0].code]
            : ['text/html', '<script type="module" src="/page.js"></script>'];
        response.setHeader('content-type', type).end(text);
        return;
      }
      let text = '';
      request.on('data', (chunk: Buffer) => (text += chunk.toString()));
      request.on('end', () => reported.resolve(JSON.parse(text)));
      response.end();
    });
    await new Promise<void>((resolve) => site.listen(0, '127.0.0.1', resolve));
    onTestFinished(() => {
      site.closeAllConnections();
      site.close();
    });
    const { port } = site.address() as AddressInfo;
    const origin = `http://page.example:${port}`;
    const server = await startServer({ corsOrigins: [origin] });
    openInChromium(chromium.path, `${origin}/?url=${encodeURIComponent(server.url)}`, ['page.example']);
    expect(await reported.promise).toEqual({
      status: 'applied',
      types: expect.arrayContaining(['orchestrator:attached', 'execution:started', 'command:delivered', 'command:applied']) as string[],
    });
  });
});
