import { readFileSync } from 'node:fs';
import { expect, test } from 'vitest';
import { callProgram } from './called-program.ts';
import { newServerPlace } from './server-place.ts';
import { newPlace, runProgram, type Place } from './started-program.ts';

const commands = [
  'run',
  'watch',
  'send',
  'serve',
  'sessions',
  'commands',
  'stats',
  'ping',
  'emit',
  'gate',
  'decide',
  'checkpoint',
  'completion',
];

test.each(commands)('%s --help: examples first, the variables named, all on one screen', async (command) => {
  const { code, stdout, stderr } = await callProgram([command, '--help'], newPlace());
  expect({ code, stderr }).toEqual({ code: 0, stderr: '' });
  const lines = stdout.trimEnd().split('\n');
  expect(lines.length).toBeLessThanOrEqual(24);
  expect(Math.max(...lines.map((line) => line.length))).toBeLessThanOrEqual(80);
  expect(lines[0]).toMatch(/^ {2}shannon-dash /);
  expect(lines[1]).toMatch(/^ {2}shannon-dash /);
  expect(stdout).toContain('SHANNON_DASH_URL');
  expect(stdout).toContain(`Usage: shannon-dash ${command}`);
});

test('alone it shows the help, with every command', async () => {
  const alone = await runProgram([], newPlace());
  expect(alone).toMatchObject({ code: 0, stderr: '' });
  expect(alone.stdout).toBe((await callProgram(['--help'], newPlace())).stdout);
  for (const command of commands) expect(alone.stdout).toMatch(new RegExp(`^ {2}${command} `, 'm'));
});

test('--version is that of the package', async () => {
  const { version } = JSON.parse(readFileSync(new URL('../../package.json', import.meta.url), 'utf8')) as { version: string };
  expect(await runProgram(['--version'], newPlace())).toMatchObject({ code: 0, stdout: `${version}\n` });
});

/** Prints the modules that were loaded, as the process ends. */
const tracer = `
  import { registerHooks } from 'node:module';
  import { writeSync } from 'node:fs';
  const loaded = [];
  registerHooks({ load: (url, context, next) => { loaded.push(url); return next(url, context); } });
  process.on('exit', () => writeSync(2, '\\nLOADED ' + JSON.stringify(loaded)));
`;

/** The packages that were loaded: from their own folders, or as parts of the program's files, where a comment names each module. */
async function packagesLoaded(args: string[], place: Place): Promise<string[]> {
  const env = { ...place.env, NODE_OPTIONS: `--import=data:text/javascript,${encodeURIComponent(tracer)}` };
  const { stderr } = await runProgram(args, { ...place, env });
  const urls = JSON.parse(stderr.slice(stderr.indexOf('LOADED ') + 7)) as string[];
  const modules = urls.flatMap((url) =>
    url.includes('/dist/program/') ? (readFileSync(new URL(url), 'utf8').match(/^\/\/.*\bnode_modules\/.*$/gm) ?? []) : [url],
  );
  const names = modules.flatMap((module) => /\bnode_modules\/((?:@[^/]+\/)?[^/]+)\//.exec(module)?.[1] ?? []);
  // It may be installed among packages itself.
  return [...new Set(names)].filter((name) => name !== 'shannon-dash');
}

test('what a command does not need it does not load', async () => {
  const place = await newServerPlace();
  await place.publish('s', 'execution:started');
  const least = ['env-paths', 'commander'];
  expect(await packagesLoaded(['--help'], place)).toEqual(least);
  expect(await packagesLoaded(['--version'], place)).toEqual(least);
  for (const args of [
    ['send', 'HALT'],
    ['send', 'RESUME'],
    ['emit', 'a:b'],
    ['gate'],
    ['sessions'],
    ['stats'],
    ['commands'],
    ['checkpoint'],
  ]) {
    const loaded = await packagesLoaded(args, place);
    expect(loaded, args.join(' ')).toContain('commander');
    for (const heavy of ['fastify', 'socket.io', 'socket.io-client', 'ink', 'react', 'pino', 'chokidar', 'chalk', 'string-width']) {
      expect(loaded, args.join(' ')).not.toContain(heavy);
    }
  }
  const pinged = await packagesLoaded(['ping', '-c', '1'], place);
  for (const heavy of ['fastify', 'socket.io', 'ink', 'react']) expect(pinged).not.toContain(heavy);
});

test('colours only on a terminal that wants them', async () => {
  const place = await newServerPlace();
  await place.publish('s', 'execution:started');
  // oxlint-disable-next-line no-control-regex
  expect((await place.run('stats')).stdout).not.toMatch(/\x1b/);
});
