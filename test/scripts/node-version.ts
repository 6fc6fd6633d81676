import { spawnSync } from 'node:child_process';
import { mkdtempSync, readdirSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { delimiter, dirname, join } from 'node:path';
import { fileURLToPath } from 'node:url';
import manifest from '../../package.json' with { type: 'json' };

/**
 * `npm run test:node -- VERSION [FILE...]`: packs the package, installs it with npm in an empty folder, on that version of Node, and
 * runs the tests of the command line against it. The tests themselves run on the Node of this checkout. `22` is the oldest that the
 * package allows; others are the newest of their line.
 */
const [wanted = '', ...files] = process.argv.slice(2);
const oldest = manifest.engines.node.replace('>=', '');
const version = oldest.startsWith(`${wanted}.`) ? `${oldest}.0` : wanted;
if (!/^\d+(?:\.\d+)*$/.test(version)) throw new Error('name a version of Node: npm run test:node -- 22');

/** Uses the SDK and the embedded server. */
const sdkProgram = `
import { connectOperator, connectOrchestrator } from 'shannon-dash';
import { createServer } from 'shannon-dash/server';
const server = await createServer();
const { url } = await server.listen({ port: 0 });
const run = await connectOrchestrator({ url, session: 's' });
run.onCommand('REDIRECT', ({ target_skill }) => target_skill);
const operator = await connectOperator({ url, session: 's' });
const { status } = await operator.send({ type: 'REDIRECT', target_skill: 'lint' });
await Promise.all([operator.close(), run.close()]);
await server.close();
console.log('the SDK on Node ' + process.versions.node + ': ' + status);
process.exitCode = status === 'applied' ? 0 : 1;
`;

const root = fileURLToPath(new URL('../..', import.meta.url));
const folder = mkdtempSync(join(tmpdir(), 'shannon-dash-node-'));
process.once('exit', () => rmSync(folder, { recursive: true, force: true }));

/** Runs a command to its end. @throws Error it failed */
function run(command: string, args: readonly string[], { cwd = folder, env = process.env } = {}): void {
  const { status, error } = spawnSync(command, args, { cwd, env, stdio: ['ignore', 'inherit', 'inherit'] });
  if (status !== 0) throw error ?? new Error(`${command} ${args.join(' ')} ended with ${status}`);
}

const quiet = ['--no-audit', '--no-fund', '--loglevel=error'];
writeFileSync(join(folder, 'package.json'), '{"private": true}');
// The package `node` takes its executable from one of these, by a script; they hold it as it is.
const system = `${process.platform === 'win32' ? 'win' : process.platform}-${process.arch}`;
run('npm', ['install', ...quiet, '--prefix', join(folder, 'runtime'), `node@npm:node-${system}@${version}`]);
const node = join(folder, 'runtime/node_modules/node/bin/node');
const env = { ...process.env, PATH: [dirname(node), process.env['PATH']].join(delimiter) };

run('npm', ['pack', '--silent', '--ignore-scripts', '--pack-destination', folder], { cwd: root });
const tarball = readdirSync(folder).find((name) => name.endsWith('.tgz')) ?? '';
run('npm', ['install', ...quiet, `./${tarball}`], { env });
run(join(folder, 'node_modules/.bin/shannon-dash'), ['run', '--no-files', '--', node, '--version'], { env });
writeFileSync(join(folder, 'sdk.mjs'), sdkProgram);
run(node, ['sdk.mjs'], { env });

const installed = join(folder, 'node_modules/shannon-dash/bin/shannon-dash.js');
// The one file has a Node of its own.
const tests = files.length === 0 ? ['test/cli/', '--exclude=**/one-file.test.ts'] : files;
const testing = { ...env, SHANNON_DASH_NODE: node, SHANNON_DASH_BIN: installed };
run(process.execPath, [join(root, 'node_modules/vitest/vitest.mjs'), 'run', ...tests], { cwd: root, env: testing });
