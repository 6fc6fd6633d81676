import { execFile, spawn } from 'node:child_process';
import { copyFileSync, cpSync, existsSync, lstatSync, mkdirSync, readdirSync, readFileSync, symlinkSync, writeFileSync } from 'node:fs';
import { basename, dirname, join } from 'node:path';
import { promisify } from 'node:util';
import { beforeAll, describe, expect, onTestFinished, test } from 'vitest';
import { launchd } from '../../src/cli/commands/service/launchd.ts';
import { readProcTable } from '../../src/run/tree/process-table.ts';
import { installDebianPackages } from '../helpers/debian-packages.ts';
import { freePort } from '../helpers/free-port.ts';
import { http } from '../helpers/start-server.ts';
import { until } from './run-place.ts';
import { callProgram } from './called-program.ts';
import { bin, newPlace, nodePath, runProgram, type End, type Place } from './started-program.ts';

const run = promisify(execFile);
const isLinux = process.platform === 'linux';
/** The service manager of a user, which nothing here tells of a service but the tests. */
const systemdPath = '/usr/lib/systemd/systemd';

const unitOf = ({ env }: Place) => join(String(env['XDG_CONFIG_HOME']), 'systemd/user/shannon-dash.service');

describe.runIf(isLinux)('where no service manager can be reached', () => {
  test('install writes the unit, and says what came of the start and what to type', async () => {
    const place = newPlace();
    const { code, stdout, stderr } = await callProgram(['service', 'install', '--', '--port', '9000', '--journal=events.db'], place);
    expect({ code, stderr }).toEqual({ code: 0, stderr: '' });
    const lines = stdout.split('\n');
    expect(lines[0]).toBe(`written to ${unitOf(place)}`);
    expect(lines[1]).toMatch(/^ {2}it starts: \/.*\/node \/.*\/bin\/shannon-dash\.js serve --port 9000 --journal=\/.*\/events\.db$/);
    expect(stdout).toMatch(
      /^not started: .+\n {2}start it: systemctl --user daemon-reload && systemctl --user enable --now shannon-dash$/m,
    );
    expect(stdout).toContain('loginctl enable-linger');
    const unit = readFileSync(unitOf(place), 'utf8');
    expect(unit).toContain(`"serve" "--port" "9000" "--journal=${place.folder}/events.db"\n`);

    const again = await callProgram(['service', 'install', '--json'], place);
    expect(JSON.parse(again.stdout)).toMatchObject({
      v: 1,
      ok: true,
      manager: 'systemd',
      started: false,
      refusal: expect.any(String) as string,
    });
    expect(readFileSync(unitOf(place), 'utf8')).not.toContain('9000');
    const status = await callProgram(['service', 'status', '--json'], place);
    expect(JSON.parse(status.stdout)).toMatchObject({
      installed: true,
      path: unitOf(place),
      command: [expect.any(String), expect.any(String), 'serve'],
    });
    expect((await callProgram(['service', 'status'], place)).stdout).toMatch(/^installed: .*\n {2}it starts: .*\nsystemd: \S/);

    const removed = await callProgram(['service', 'uninstall'], place);
    expect(removed.stdout).toMatch(/^removed: .*\n {2}systemd was not told to stop it: ./);
    // The folders that were made for it have gone with it.
    expect(readdirSync(place.folder)).not.toContain('config');
    expect((await callProgram(['service', 'uninstall'], place)).stdout).toMatch(/^was not there: /);
    expect((await callProgram(['service', 'status'], place)).stdout).toMatch(/^not installed: /);
  });

  test('flags that serve refuses install nothing; what the service would not have is said', async () => {
    const place = newPlace();
    const refused: [string[], RegExp][] = [
      [['install', '--', '--prot', '9000'], /unknown option "--prot". Did you mean --port\?/],
      [['install', '--', '--port', 'many'], /port/],
      [['install', '--', 'extra'], /too many arguments/],
      [['install', '--', '--journal', 'a\nb'], /control character/],
      [['install', '--port', '9000'], /unknown option "--port"/],
      [['status', '--', '--port', '9000'], /status takes no flags of serve/],
      [['start'], /one of: install, status, uninstall/],
    ];
    for (const [words, sentence] of refused) {
      expect(await callProgram(['service', ...words], place)).toMatchObject({
        code: 2,
        stdout: '',
        stderr: expect.stringMatching(sentence) as string,
      });
    }
    expect((await callProgram(['service', 'install', '--', '--help'], place)).stdout).toContain('shannon-dash serve');
    expect(existsSync(unitOf(place))).toBe(false);
    const env = { ...place.env, SHANNON_DASH_PORT: '9000' };
    expect((await callProgram(['service', 'install'], { ...place, env })).stderr).toContain('does not see SHANNON_DASH_PORT');
  });

  test('a file that it has not written, or that was changed since, is left as it is', async () => {
    const place = newPlace();
    const path = unitOf(place);
    mkdirSync(dirname(path), { recursive: true });
    const isLeft = async (): Promise<void> => {
      const before = [lstatSync(path).isSymbolicLink(), readFileSync(path, 'utf8')];
      for (const action of ['install', 'uninstall']) {
        const { code, stderr } = await callProgram(['service', action], place);
        expect([code, stderr]).toEqual([7, expect.stringContaining('it is left as it is')]);
      }
      expect([lstatSync(path).isSymbolicLink(), readFileSync(path, 'utf8')]).toEqual(before);
      expect((await callProgram(['service', 'status'], place)).stdout).toMatch(/^not as install has written it: /);
    };
    writeFileSync(path, '[Service]\nExecStart=/bin/true\n');
    await isLeft();
    await run('rm', [path]);
    await callProgram(['service', 'install'], place);
    writeFileSync(path, readFileSync(path, 'utf8').replace('RestartSec=2', 'RestartSec=9'));
    await isLeft();
    await run('rm', [path]);
    const elsewhere = join(place.folder, 'elsewhere.service');
    writeFileSync(elsewhere, '');
    symlinkSync(elsewhere, path);
    await isLeft();
  });

  test('a Node whose path systemd takes for no program is refused', async () => {
    const place = newPlace();
    const node = join(place.folder, `node's`);
    copyFileSync(nodePath, node);
    const { stderr } = await run(node, [bin, 'service', 'install'], { env: place.env, cwd: place.folder }).catch(
      (error: unknown) => error as End,
    );
    expect(stderr).toContain('a service cannot start a program whose path has a quote or a backslash');
    expect(existsSync(unitOf(place))).toBe(false);
  });

  test('status tells that what it starts is gone', async () => {
    const place = newPlace();
    const node = join(place.folder, 'node');
    copyFileSync(nodePath, node);
    await run(node, [bin, 'service', 'install'], { env: place.env, cwd: place.folder });
    expect((await runProgram(['service', 'status'], place)).stderr).toBe('');
    await run('rm', [node]);
    expect((await runProgram(['service', 'status'], place)).stderr).toContain(`${node} is gone: install the service again`);
  });
});

describe.runIf(isLinux)('with a systemd of its own', () => {
  /** Why there is none. */
  let missing: string | undefined;
  beforeAll(async () => {
    if (process.getuid?.() !== 0) missing = 'only root can start a systemd that sees itself alone';
    else if (!existsSync(systemdPath)) missing = await installDebianPackages('systemd');
    if (missing !== undefined) return;
    await run('unshare', ['--mount', '--pid', '--fork', '--mount-proc', 'true']).catch(
      (error: unknown) => (missing = `no namespaces: ${String(error)}`),
    );
  }, 310_000);

  test('it starts, is started again when it is killed, takes new flags, and goes; paths may hold anything', async (context) => {
    if (missing !== undefined) return context.skip(missing);
    const place = newPlace();
    const systemd = await startSystemd(place);
    // The program and its Node where systemd's own signs stand in the way.
    const odd = join(place.folder, `a $HOME \${b} 100%h "c" 'd' e;--`);
    mkdirSync(odd);
    const root = dirname(dirname(bin));
    for (const part of ['bin', 'dist/program', 'package.json']) cpSync(join(root, part), join(odd, part), { recursive: true });
    const node = join(place.folder, 'no de$$ %n ${b}; $c');
    copyFileSync(nodePath, node);
    const service = (...words: string[]) => systemd.run(node, join(odd, 'bin/shannon-dash.js'), 'service', ...words);
    const [first, second] = [await freePort(), await freePort()];
    const journal = join(odd, 'jour\\nal $$ %% ${HOME}.db');

    const installed = await service('install', '--', '--port', String(first), '--journal', journal);
    expect(installed).toMatchObject({
      code: 0,
      stderr: '',
      stdout: expect.stringContaining('\nsystemd has started it: active\n') as string,
    });
    expect(await systemd.run('systemd-analyze', '--user', 'verify', unitOf(place))).toMatchObject({ code: 0, stderr: '' });
    const pidAt = async (port: number): Promise<unknown> =>
      (await http('GET', `http://127.0.0.1:${port}/health`).catch(() => undefined))?.status === 200
        ? (await systemd.run('systemctl', '--user', 'show', '-P', 'MainPID', 'shannon-dash')).stdout.trim()
        : undefined;
    await until('it serves', async () => (await pidAt(first)) !== undefined);
    expect(existsSync(journal)).toBe(true);
    const pid = await pidAt(first);
    await systemd.run('kill', '-9', String(pid));
    await until('it serves again', async () => ![undefined, pid, '0'].includes(await pidAt(first)));

    expect((await service('install', '--', '--port', String(second), '--journal', 'memory')).stdout).toMatch(
      /^written anew to .*\n.*\nsystemd has started it: active\n/,
    );
    await until('it serves at its new port', async () => (await pidAt(second)) !== undefined);
    expect(await pidAt(first)).toBeUndefined();
    expect((await service('status')).stdout).toMatch(/^installed: [^]*\nsystemd: active\n$/);

    expect((await service('uninstall')).stdout).toMatch(/^stopped and removed: /);
    expect(await pidAt(second)).toBeUndefined();
    expect((await service('status')).stdout).toMatch(/^not installed: .*\nsystemd: knows of no such service\n$/);
    expect(readdirSync(place.folder)).not.toContain('config');
  });

  test('a server that cannot serve is told of', async (context) => {
    if (missing !== undefined) return context.skip(missing);
    const place = newPlace();
    const systemd = await startSystemd(place);
    const journal = join(place.folder, 'journal.db');
    mkdirSync(journal);
    const { stdout } = await systemd.run(nodePath, bin, 'service', 'install', '--', '--port', '0', '--journal', journal);
    expect(stdout).toMatch(/^systemd has started it, and it is not up: (?:activating|failed)$/m);
  });

  /** A systemd of a user, in namespaces of its own, that ends with the test. */
  async function startSystemd({ folder, env }: Place): Promise<{ run: (...command: string[]) => Promise<End> }> {
    // As the first process systemd would be the system's.
    const script = `mount -t tmpfs tmpfs /run && mkdir -p /run/systemd/system /run/user && chmod 700 /run/user && (${systemdPath} --user; true)`;
    const inside = { ...env, XDG_RUNTIME_DIR: '/run/user' };
    const child = spawn('unshare', ['--mount', '--pid', '--fork', '--kill-child', '--mount-proc', 'sh', '-c', script], {
      cwd: folder,
      env: inside,
      stdio: 'ignore',
    });
    const ended = new Promise((resolve) => child.once('exit', resolve));
    onTestFinished(async () => {
      child.kill('SIGKILL');
      await ended;
    });
    // The one that unshare has forked.
    const init = () => String(readProcTable().find(({ ppid }) => ppid === child.pid)?.pid);
    const inThere = (...command: string[]): Promise<End> =>
      run('nsenter', ['--mount', '--pid', '--target', init(), `--wd=${folder}`, ...command], { env: inside }).then(
        ({ stdout, stderr }) => ({ code: 0, signal: null, stdout, stderr }),
        (error: unknown) => error as End,
      );
    await until('systemd is up', async () =>
      /^(?:running|degraded)\n$/.test((await inThere('systemctl', '--user', 'is-system-running')).stdout),
    );
    return { run: inThere };
  }
});

describe('the agent for launchd', () => {
  test('is a property list that says what it was told, whatever the paths hold', async (context) => {
    const { folder, env } = newPlace();
    const words: [string, ...string[]] = [join(folder, 'a & b <c> "d" \'e\' --> ü'), 'serve', '--journal', ']]>&amp;'];
    const home = join(folder, 'home & <home>');
    const agent = launchd(home, 501);
    expect(agent.path).toBe(join(home, 'Library/LaunchAgents/shannon-dash.plist'));
    const file = join(folder, basename(agent.path));
    writeFileSync(file, `${agent.text({ command: words, environment: { XDG_STATE_HOME: '/a&b' }, home })}<!-- x -->\n`);
    const script = 'import json, plistlib, sys; print(json.dumps(plistlib.load(open(sys.argv[1], "rb"))))';
    const read = await run('python3', ['-c', script, file], { env }).catch(() => undefined);
    if (read === undefined) return context.skip('no Python');
    expect(JSON.parse(read.stdout)).toEqual({
      Label: 'shannon-dash',
      ProgramArguments: words,
      EnvironmentVariables: { XDG_STATE_HOME: '/a&b' },
      WorkingDirectory: home,
      RunAtLoad: true,
      KeepAlive: true,
      ThrottleInterval: 5,
      ExitTimeOut: 10,
      Umask: 0o77,
      StandardOutPath: join(home, 'Library/Logs/shannon-dash.log'),
      StandardErrorPath: join(home, 'Library/Logs/shannon-dash.log'),
    });
  });
});
