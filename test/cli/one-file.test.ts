import { execFile } from 'node:child_process';
import {
  closeSync,
  copyFileSync,
  existsSync,
  mkdirSync,
  mkdtempSync,
  openSync,
  readdirSync,
  readFileSync,
  readSync,
  renameSync,
  rmSync,
  symlinkSync,
  writeFileSync,
} from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { promisify } from 'node:util';
import { afterAll, beforeAll, describe, expect, onTestFinished, test } from 'vitest';
import manifest from '../../package.json' with { type: 'json' };
import type { SessionEvent } from '../../src/core/protocol/event.ts';
import { WatchedProgram } from '../dashboard/watched-program.ts';
import { freePort } from '../helpers/free-port.ts';
import { http } from '../helpers/start-server.ts';
import { outputLines, stateOf, until } from './run-place.ts';
import { newPlace, runProgram, StartedProgram, type Place } from './started-program.ts';

const build = fileURLToPath(new URL('../scripts/binary/main.ts', import.meta.url));
const folder = mkdtempSync(join(tmpdir(), 'shannon-dash-one-file-'));
/** The executable, with nothing beside it. */
const oneFile = join(folder, 'alone', 'shannon-dash');
/** All programs of the system but Node and what comes with it. */
const programs = join(folder, 'programs');

/** A place without a Node, in which the one file is started. */
function newBarePlace(env: NodeJS.ProcessEnv = {}): Place & { work: string } {
  const place = newPlace({ ...env, PATH: programs });
  const work = join(place.folder, 'work');
  mkdirSync(work);
  return { ...place, work, oneFile };
}

/** `serve` in such a place, which its environment points to. */
async function serveBare(...args: string[]): Promise<ReturnType<typeof newBarePlace> & { server: StartedProgram; url: string }> {
  const place = newBarePlace();
  const server = new StartedProgram(['serve', '--port', '0', '--json', ...args], { ...place, folder: place.work });
  await server.until(({ stdout }) => stdout.includes('\n'));
  const { url } = JSON.parse(server.stdout) as { url: string };
  return { ...place, env: { ...place.env, SHANNON_DASH_URL: url }, server, url };
}

async function eventsOf(url: string, session: string): Promise<SessionEvent[]> {
  return (await http<{ events?: SessionEvent[] }>('GET', `${url}/api/sessions/${session}/events?limit=10000`)).body.events ?? [];
}

/** The program on a terminal; the file that Node would be in is the one file. */
function onTerminal(place: Place, ...args: string[]): WatchedProgram {
  const program = new WatchedProgram(args, { command: [oneFile], environment: place.env as Record<string, string> });
  onTestFinished(() => program.kill());
  return program;
}

describe.runIf(process.platform === 'linux' && ['x64', 'arm64'].includes(process.arch))('the program as one executable file', () => {
  beforeAll(async () => {
    await promisify(execFile)(process.execPath, [build, '--out', folder]);
    mkdirSync(join(folder, 'alone'));
    renameSync(join(folder, `shannon-dash-linux-${process.arch}`), oneFile);
    mkdirSync(programs);
    for (const from of ['/usr/bin', '/bin']) {
      for (const name of readdirSync(from).filter((each) => !/^(?:node|npm|npx|corepack|shannon-dash)/.test(each))) {
        if (!existsSync(join(programs, name))) symlinkSync(join(from, name), join(programs, name));
      }
    }
  }, 300_000);

  afterAll(() => rmSync(folder, { recursive: true, force: true }));

  test('is an executable of the system, and says what the package says', async () => {
    const start = Buffer.alloc(4);
    const file = openSync(oneFile, 'r');
    readSync(file, start);
    closeSync(file);
    expect(start.toString('latin1')).toBe('\x7fELF');
    const place = newBarePlace();
    expect(await runProgram(['--version'], place)).toMatchObject({ code: 0, stdout: `${manifest.version}\n`, stderr: '' });
    const [bare, packed] = await Promise.all([runProgram(['run', '--help'], place), runProgram(['run', '--help'], newPlace())]);
    expect(bare).toEqual(packed);
  });

  test('runs code that was compiled when it was made', async () => {
    const { stderr } = await runProgram(['stats'], newBarePlace({ NODE_DEBUG: 'shannon-dash' }));
    expect(stderr).toMatch(/ start\.js: its compiled code is taken\n/);
    expect(stderr).not.toContain('is refused');
  });

  test('comes with the licences of all that is in it', () => {
    const text = readFileSync(join(folder, 'LICENSES.txt'), 'utf8');
    for (const name of ['ink', 'fastify', 'zod', 'Node.js', 'node-pty', 'react-dom'])
      expect(text).toMatch(new RegExp(`^${name}(?: \\d.*)?$`, 'm'));
  });

  test('serves: events, skills, commands, a journal that the next server has; and keeps no compiled code', async () => {
    const place = newBarePlace();
    mkdirSync(join(place.work, '.shannon/skills'), { recursive: true });
    writeFileSync(join(place.work, '.shannon/skills/one.yaml'), 'name: one\n');
    const start = async () => {
      const server = new StartedProgram(['serve', '--port', '0', '--json'], { ...place, folder: place.work });
      await server.until(({ stdout }) => stdout.includes('\n'));
      const { url } = JSON.parse(server.stdout) as { url: string };
      return { server, url, run: (...args: string[]) => runProgram([...args, '--url', url], place) };
    };
    const first = await start();
    await until('the skill is read', async () => {
      const { skills } = (await http<{ skills: { name: string }[] }>('GET', `${first.url}/api/skills`)).body;
      return skills.some(({ name }) => name === 'one');
    });
    const [script = ''] = /\/web\/page-[^"]+\.js/.exec(await (await fetch(`${first.url}/s/s`)).text()) ?? [];
    expect((await fetch(first.url + script)).headers.get('content-type')).toBe('text/javascript; charset=utf-8');
    const watcher = new StartedProgram(['watch', 's', '--wait', '--json', '--since', '0', '--url', first.url], place);
    expect(await first.run('emit', 'skill:started', '-s', 's', '--data', '{"skill_name": "one"}')).toMatchObject({ code: 0, stderr: '' });
    await watcher.until(({ stdout }) => stdout.includes('skill:started'));
    expect(await first.run('send', 'HALT', '-s', 's', '--json')).toMatchObject({
      stderr: '',
      stdout: expect.stringContaining('HALT') as string,
    });
    first.server.child.kill('SIGTERM');
    expect(await first.server.ended).toMatchObject({ code: 0 });
    const second = await start();
    expect(JSON.parse((await second.run('sessions', '--json')).stdout)).toMatchObject({ sessions: [{ session_id: 's' }] });
    expect(existsSync(join(place.folder, '.cache'))).toBe(false);
  });

  test('run starts a server of itself; the program finds shannon-dash, is halted and rolled back, and what it left behind is passed on', async () => {
    const url = `http://127.0.0.1:${await freePort()}`;
    const place = newBarePlace({ SHANNON_DASH_URL: url });
    const inWork = { ...place, folder: place.work };
    const git = promisify(execFile)('git', ['init', '-q', '.'], { cwd: place.work, env: place.env });
    writeFileSync(
      join(place.work, 'script.sh'),
      `command -v node
      echo before > tracked
      shannon-dash checkpoint --id before
      echo after > tracked
      echo $$ > pid
      shannon-dash emit demo:ready
      until [ -e go ]; do sleep 0.05; done
      (until [ -e late ] || ! [ -e script.sh ]; do sleep 0.05; done; echo late) &
      echo over; exit 3`,
    );
    await git;
    const program = new StartedProgram(['run', '-s', 's', '--checkpoints', 'git', '--', 'sh', 'script.sh'], inWork);
    const send = async (...args: string[]) => {
      const { code, stdout, stderr } = await runProgram(['send', ...args, '-s', 's', '--json'], inWork);
      expect({ code, stderr }).toEqual({ code: 0, stderr: '' });
      return JSON.parse(stdout) as unknown;
    };
    await until('the program speaks', async () => (await eventsOf(url, 's').catch(() => [])).some(({ type }) => type === 'demo:ready'));
    const pid = Number(readFileSync(join(place.work, 'pid'), 'utf8'));
    await send('HALT');
    expect(stateOf(pid)).toBe('T');
    await send('ROLLBACK', '--checkpoint', 'before', '--yes');
    expect(readFileSync(join(place.work, 'tracked'), 'utf8')).toBe('before\n');
    writeFileSync(join(place.work, 'go'), '');
    await send('RESUME');
    // A pipe that what was left behind holds is open to its end; the program has ended.
    expect(await new Promise((resolve) => program.child.once('exit', resolve))).toBe(3);
    expect(program.stdout).toBe('before\nover\n');
    writeFileSync(join(place.work, 'late'), '');
    expect(await program.ended).toMatchObject({ code: 3, stdout: 'before\nover\nlate\n', stderr: '' });
    await until('what came late is told', async () => outputLines(await eventsOf(url, 's')).includes('late'));
    expect(outputLines(await eventsOf(url, 's'))).toEqual(['before', 'over', 'late']);
  });

  test.each([
    ['the folder for temporary files', {}],
    ['the home, where there is none for temporary files,', { TMPDIR: '/nowhere' }],
  ])('a program on a terminal has one: the native addon goes through %s, and leaves nothing there', async (_, env) => {
    const { server: _server, ...place } = await serveBare('--journal', 'memory');
    const temporary = join(place.folder, 'tmp');
    mkdirSync(temporary);
    const script = 'test -t 0 && test -t 1 && test -t 2 && echo terminal; read word; echo got $word; exit 5';
    const inPlace = { ...place, env: { ...place.env, TMPDIR: temporary, ...env } };
    const terminal = onTerminal(inPlace, 'run', '-s', 's', '--', 'sh', '-c', script);
    // Without the addon its output would go through a pipe.
    await terminal.shows(/^terminal$/m);
    terminal.type('word\r');
    await terminal.shows('got word');
    expect(await terminal.ended()).toBe(5);
    expect(outputLines(await eventsOf(place.url, 's'))).toContain('got word');
    expect(readdirSync(temporary)).toEqual([]);
    expect(readdirSync(place.folder).filter((name) => name.startsWith('.shannon-dash-'))).toEqual([]);
  });

  test('watch shows the dashboard', async () => {
    const place = await serveBare('--journal', 'memory');
    await runProgram(['emit', 'skill:started', '-s', 's', '--data', '{"skill_name": "wave-orchestration"}'], place);
    const dashboard = onTerminal(place, 'watch', 's');
    await dashboard.shows(/▶ wave-orchestration/);
    dashboard.type('q');
    expect(await dashboard.ended()).toBe(0);
  });

  test('service has the system start the one file', async () => {
    const place = newBarePlace();
    expect(await runProgram(['service', 'install', '--', '--port', '9000'], place)).toMatchObject({ code: 0, stderr: '' });
    const unit = readFileSync(join(String(place.env['XDG_CONFIG_HOME']), 'systemd/user/shannon-dash.service'), 'utf8');
    expect(unit).toContain(`\nExecStart="${oneFile}" "serve" "--port" "9000"\n`);
  });

  test('serve --reload starts again when its file is replaced', async () => {
    const place = newBarePlace();
    const own = join(place.folder, 'shannon-dash');
    copyFileSync(oneFile, own);
    const server = new StartedProgram(['serve', '--port', '0', '--json', '--reload', '--journal', 'memory'], {
      ...place,
      folder: place.work,
      oneFile: own,
    });
    const ready = () => server.stdout.match(/"pid":\d+/g) ?? [];
    await server.until(() => ready().length === 1);
    copyFileSync(oneFile, `${own}.new`);
    renameSync(`${own}.new`, own);
    await server.until(() => ready().length === 2);
    expect(server.stderr).toContain('restarting: shannon-dash changed');
    expect(new Set(ready()).size).toBe(2);
    server.child.kill('SIGTERM');
    expect((await server.ended).code).toBe(0);
  });
});

test('for a system that is not known no executable is made', async () => {
  await expect(promisify(execFile)(process.execPath, [build, 'plan9-x64', '--out', folder])).rejects.toMatchObject({
    stderr: expect.stringContaining('no executable can be made for plan9-x64, only for linux-x64, linux-arm64, win-x64') as string,
  });
});
