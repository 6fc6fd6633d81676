import { mkdirSync, readdirSync, readFileSync, readlinkSync, writeFileSync } from 'node:fs';
import { createServer } from 'node:http';
import type { AddressInfo } from 'node:net';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { describe, expect, onTestFinished, test } from 'vitest';
import { readProcTable } from '../../src/run/tree/process-table.ts';
import { freePort } from '../helpers/free-port.ts';
import { http } from '../helpers/start-server.ts';
import { serverProcess } from './run-server.ts';
import { newRunPlace, newWork, outputLines, shell, stateOf, until } from './run-place.ts';
import { bin, nodePath, StartedProgram } from './started-program.ts';

const run = `"${nodePath}" "${bin}" run`;

describe('a program as a session', () => {
  test('its start, its output and its end are events', async () => {
    const place = await newRunPlace();
    const script = 'echo one; echo two >&2; printf "10%%\\r50%%\\r100%%\\nno end"; exit 3';
    await place.start('s', '--', 'sh', '-c', script).ended;
    const events = await place.events('s');
    expect(events.filter(({ type }) => type !== 'process:output').map(({ type }) => type)).toEqual([
      'orchestrator:attached',
      'execution:started',
      'execution:failed',
      'orchestrator:detached',
    ]);
    expect(events.find(({ type }) => type === 'execution:started')?.data).toMatchObject({
      task: `sh -c ${script}`,
      command: 'sh',
      args: ['-c', script],
      pid: expect.any(Number) as number,
    });
    expect(outputLines(events, 'stdout')).toEqual(['one', '100%', 'no end']);
    expect(outputLines(events, 'stderr')).toEqual(['two']);
    expect(events.find(({ type }) => type === 'execution:failed')?.data).toMatchObject({
      error: 'exit code 3',
      exit_code: 3,
      signal: null,
      duration_ms: expect.any(Number) as number,
    });
  });

  test('its files are events, except for those that git ignores', async () => {
    const place = await newRunPlace();
    writeFileSync(join(place.work, '.gitignore'), '*.log\nout/\n');
    writeFileSync(join(place.work, 'old'), '1\n');
    writeFileSync(join(place.work, 'gone'), '1\n');
    writeFileSync(join(place.work, '.env'), 'KEY=1\n');
    await shell('git init -q . && git add . && git -c user.name=a -c user.email=a commit -qm a && mkdir out', place);
    const script =
      'echo a > new; echo b >> old; rm gone; echo c > a.log; echo d > out/e; echo KEY=2 > .env; mkdir -p deep/er; echo f > deep/er/f; read end';
    const program = place.start('s', '--', 'sh', '-c', script);
    await place.untilEvent('s', 'file:created', ({ path }) => path === 'deep/er/f');
    program.child.stdin?.end('\n');
    await program.ended;
    const files = (await place.events('s')).filter(({ type }) => type.startsWith('file:'));
    expect(files.map(({ type, data }) => `${type} ${String(data['path'])}`).toSorted()).toEqual([
      'file:created deep/er/f',
      'file:created new',
      'file:deleted gone',
      'file:modified .env',
      'file:modified old',
    ]);
    expect(new Map(files.map(({ data: { path, ...told } }) => [path, told]))).toEqual(
      new Map<string, object>([
        ['old', { diff: '--- a/old\tlast commit\n+++ b/old\n@@ -1,1 +1,2 @@\n 1\n+b', lines_added: 1, lines_removed: 0 }],
        ['new', { diff: '--- /dev/null\n+++ b/new\n@@ -0,0 +1,1 @@\n+a', lines_added: 1, lines_removed: 0 }],
        ['deep/er/f', { diff: '--- /dev/null\n+++ b/deep/er/f\n@@ -0,0 +1,1 @@\n+f', lines_added: 1, lines_removed: 0 }],
        ['gone', { diff: '--- a/gone\tlast commit\n+++ /dev/null\n@@ -1,1 +0,0 @@\n-1', lines_added: 0, lines_removed: 1 }],
        ['.env', {}],
      ]),
    );
  });

  test('thousands of its files made, changed and deleted at once are told in few events, the last state of each', async () => {
    const place = await newRunPlace();
    mkdirSync(join(place.work, 'burst'));
    const count = 3_000;
    const script = `const fs = require('fs');
      for (let at = 0; at < ${count}; at++) fs.writeFileSync('burst/' + at, '');
      for (let at = 0; at < ${count}; at++) fs.appendFileSync('burst/' + at, 'x');
      for (let at = 0; at < ${count}; at += 2) fs.rmSync('burst/' + at);`;
    const { code } = await place.start('s', '--', nodePath, '-e', script).ended;
    expect(code).toBe(0);
    const events = (await place.events('s')).filter(({ type }) => type.startsWith('file:'));
    const states = new Map<string, string>();
    for (const { type, data } of events) {
      if (type === 'file:changed')
        for (const [change, paths] of Object.entries(data)) for (const path of paths as string[]) states.set(path, change);
      else states.set(String(data['path']), type.slice('file:'.length));
    }
    const there = [...states].filter(([, change]) => change !== 'deleted').map(([path]) => path);
    expect(there.toSorted()).toEqual(Array.from({ length: count / 2 }, (_, at) => `burst/${2 * at + 1}`).toSorted());
    expect(events.length).toBeLessThan(count / 10);
  });

  test('finds its session in its environment, and what it emits lands there', async () => {
    const place = await newRunPlace();
    const script = `echo "$SHANNON_DASH_URL $SHANNON_DASH_SESSION \${SHANNON_DASH_CHECKPOINTS-unset}"; shannon-dash emit skill:started --data '{"skill_name":"lint"}'`;
    const { code, stdout } = await place.start('s', '--', 'sh', '-c', script).ended;
    expect(code).toBe(0);
    expect(stdout.split('\n')[0]).toBe(`${place.server.url} s unset`);
    const types = (await place.events('s')).map(({ type }) => type);
    expect(types.indexOf('skill:started')).toBeGreaterThan(types.indexOf('execution:started'));
    expect(types.indexOf('skill:started')).toBeLessThan(types.indexOf('execution:completed'));
  });

  test('a run in a run is a session of its own', async () => {
    const place = await newRunPlace();
    const { stdout } = await place.start('outer', '--', 'shannon-dash', 'run', '--', 'sh', '-c', 'echo $SHANNON_DASH_SESSION').ended;
    const inner = stdout.trim();
    expect(inner).toMatch(/^run-[0-9a-f]{4}$/);
    expect(outputLines(await place.events(inner))).toEqual([inner]);
    expect(outputLines(await place.events('outer'))).toEqual([inner]);
    const types = (await place.events('outer')).map(({ type }) => type);
    expect(types.filter((type) => type === 'execution:started')).toHaveLength(1);
  });

  test('the journal of the server is none of its files: not watched, and not rolled back', async () => {
    const { work, env } = newWork();
    const server = await serverProcess({ folder: work, env }, ['--journal', 'journal.db']);
    await shell('git init -q .', { work, env });
    const script = 'echo up; echo 1 > one; read next; echo 2 > two; read end';
    const args = ['run', '-s', 's', '--checkpoints', 'git', '--', 'sh', '-c', script];
    const program = new StartedProgram(args, { folder: work, env: server.env });
    const changes = async () => (await server.events('s')).filter(({ type }) => type.startsWith('file:')).map(({ data }) => data['path']);
    await program.until(({ stdout }) => stdout === 'up\n');
    for (const path of ['one', 'two']) {
      await until(`${path} is told`, async () => (await changes()).includes(path));
      program.child.stdin?.write('\n');
    }
    expect(await changes()).toEqual(['one', 'two']);
    await program.ended;
    const start = (await server.events('s')).find(({ type }) => type === 'checkpoint:created');
    expect(start?.data).toMatchObject({ checkpoint_id: 'start', files: 0 });
  });

  test('a watch into the watched folder does not feed on itself', async () => {
    const place = await newRunPlace();
    const script = 'shannon-dash watch loop --plain --since 0 > watched.txt & echo $! > watch-pid; read stop < stop; kill $!; wait';
    await shell('mkfifo stop', place);
    const program = place.start('loop', '--', 'sh', '-c', script);
    const loops = async () => (await place.events('loop')).filter(({ data }) => data['path'] === 'watched.txt');
    await until('the loop runs', async () => (await loops()).length >= 12);
    writeFileSync(join(place.work, 'stop'), '\n');
    await program.ended;
    const times = (await loops()).map(({ timestamp }) => Date.parse(timestamp));
    const seconds = ((times.at(-1) ?? 0) - (times[0] ?? 0)) / 1_000;
    expect((times.length - 1) / seconds).toBeLessThan(8);
  });
});

describe('HALT and RESUME', () => {
  const counting = (name: string) => `while :; do printf . >> ${name}; sleep 0.02; done`;

  test('stops all of it, also what moved to a session of its own, and says so only then', async () => {
    const place = await newRunPlace();
    const script = `echo $$ > a.pid; (echo $BASHPID > b.pid; ${counting('b')}) & setsid bash -c 'echo $$ > c.pid; ${counting('c')}' & wait`;
    const program = place.start('s', '--no-files', '--', 'bash', '-c', script);
    await until('all count', () => (place.read('b')?.length ?? 0) > 2 && (place.read('c')?.length ?? 0) > 2);
    // The program counts before the server has been told that it began.
    await until('it is told', async () => (await place.events('s')).some(({ type }) => type === 'execution:started'));
    const pids = ['a.pid', 'b.pid', 'c.pid'].map((name) => Number(place.read(name)));

    const result = await place.command('s', 'HALT', { reason: 'look' });
    expect(result).toMatchObject({ success: true, status: 'applied', acknowledged_by: expect.stringMatching(/^run-\d+@/) as string });
    expect(pids.map((pid) => stateOf(pid))).toEqual(['T', 'T', 'T']);
    const running = readProcTable().filter(({ sid, state }) => pids.includes(sid) && state !== 'T' && state !== 'Z');
    expect(running).toEqual([]);
    const counts = [place.read('b')?.length, place.read('c')?.length];
    expect(await place.command('s', 'HALT')).toMatchObject({ success: true, status: 'applied' });
    expect([place.read('b')?.length, place.read('c')?.length]).toEqual(counts);

    expect(await place.command('s', 'RESUME')).toMatchObject({ success: true, status: 'applied' });
    await until(
      'all count again',
      () => (place.read('b')?.length ?? 0) > (counts[0] ?? 0) && (place.read('c')?.length ?? 0) > (counts[1] ?? 0),
    );
    await place.command('s', 'HALT');
    for (const pid of pids.toReversed()) process.kill(pid, 'SIGKILL');
    expect(await program.ended).toMatchObject({ signal: 'SIGKILL' });
    // What each of them was waiting for when it was killed.
    await until('nothing of it stands still', () => readProcTable().every(({ sid, state }) => !pids.includes(sid) || state !== 'T'));
    expect((await place.events('s')).map(({ type }) => type).filter((type) => type.startsWith('execution:'))).toEqual([
      'execution:started',
      'execution:halting',
      'execution:halted',
      'execution:resumed',
      'execution:halting',
      'execution:halted',
      'execution:failed',
    ]);
  });

  test('stops npm test with all that it started', async () => {
    const place = await newRunPlace();
    const test = `node -e 'require("node:child_process").spawn("sh", ["-c", "${counting('n').replaceAll('"', '')}"], { stdio: "inherit" })'`;
    writeFileSync(join(place.work, 'package.json'), JSON.stringify({ name: 'some-project', version: '1.0.0', scripts: { test } }));
    place.start('s', '--no-files', '--', 'npm', 'test');
    await until('it counts', () => (place.read('n')?.length ?? 0) > 2);
    const root = Number((await place.untilEvent('s', 'execution:started')).data['pid']);
    const { result } = await place.command('s', 'HALT');
    // What has ended and is not reaped, because its parent stands still, needs no stop.
    const tree = readProcTable().filter(({ sid, state }) => sid === root && state !== 'Z');
    expect(tree.length).toBeGreaterThanOrEqual(3);
    expect(tree.filter(({ state }) => state !== 'T')).toEqual([]);
    expect(result).toEqual({ processes: tree.length });
    process.kill(-root, 'SIGKILL');
  });

  test.each(['SIGINT', 'SIGTERM'] as const)('%s reaches a halted program, which goes on to act on it', async (signal) => {
    const place = await newRunPlace();
    const program = place.start(
      's',
      '--no-files',
      '--',
      'bash',
      '-c',
      `trap 'echo caught; exit 9' ${signal.slice(3)}; echo ready; ${counting('n')}`,
    );
    await program.until(({ stdout }) => stdout.includes('ready'));
    await place.untilEvent('s', 'execution:started');
    await place.command('s', 'HALT');
    program.child.kill(signal);
    expect(await program.ended).toMatchObject({ code: 9, stdout: 'ready\ncaught\n' });
    const resumed = (await place.events('s')).find(({ type }) => type === 'execution:resumed');
    expect(resumed?.data).toMatchObject({ reason: `${signal} to the halted program`, initiated_by: 'signal' });
  });

  test('a signal that means no end waits for RESUME', async () => {
    const place = await newRunPlace();
    const program = place.start(
      's',
      '--no-files',
      '--',
      'bash',
      '-c',
      `echo $$ > pid; trap 'echo caught; exit 9' USR1; echo ready; ${counting('n')}`,
    );
    await program.until(({ stdout }) => stdout.includes('ready'));
    await place.untilEvent('s', 'execution:started');
    await place.command('s', 'HALT');
    program.child.kill('SIGUSR1');
    // Signals are handed on in order: when the halt of a halted one is answered, this one has been.
    await place.command('s', 'HALT');
    expect(stateOf(Number(place.read('pid')))).toBe('T');
    await place.command('s', 'RESUME');
    expect(await program.ended).toMatchObject({ code: 9, stdout: 'ready\ncaught\n' });
  });

  test('a program that is halted goes on when its session is deleted', async () => {
    const place = await newRunPlace();
    const program = place.start('s', '--no-files', '--', 'sh', '-c', 'echo $$ > pid; read end; echo over');
    await until('it runs', () => (place.read('pid') ?? '').endsWith('\n'));
    await place.untilEvent('s', 'execution:started');
    await place.command('s', 'HALT');
    expect(stateOf(Number(place.read('pid')))).toBe('T');
    await http('DELETE', `${place.server.url}/api/sessions/s`);
    program.child.stdin?.write('\n');
    expect(await program.ended).toMatchObject({ code: 0, stdout: 'over\n' });
    expect(outputLines(await place.events('s'))).toEqual(['over']);
  });

  test.each(['SIGTERM', 'SIGINT', 'SIGHUP'] as const)('%s ends what the program started, and not only the program', async (signal) => {
    const place = await newRunPlace();
    const program = place.start('s', '--no-files', '--', 'sh', '-c', "sh -c 'echo $$ > child.pid; exec sleep 60'; true");
    await until('both run', () => (place.read('child.pid') ?? '').endsWith('\n'));
    program.child.kill(signal);
    expect(await program.ended).toMatchObject({ code: null, signal });
    await until('the child is gone', () => ['gone', 'Z'].includes(stateOf(Number(place.read('child.pid')))));
  });

  test.each(['SIGINT', 'SIGTERM'] as const)('%s does not reach what left the group of the program', async (signal) => {
    const place = await newRunPlace();
    const script = `setsid sh -c 'echo $$ > away.pid; exec sleep 60' >/dev/null 2>&1 & trap 'exit 4' INT TERM; until [ -s away.pid ]; do sleep 0.02; done; echo ready; wait`;
    const program = place.start('s', '--no-files', '--', 'bash', '-c', script);
    await program.until(({ stdout }) => stdout.includes('ready'));
    program.child.kill(signal);
    expect(await program.ended).toMatchObject({ code: 4 });
    const away = Number(place.read('away.pid'));
    expect(stateOf(away)).toBe('S');
    process.kill(away, 'SIGKILL');
  });

  test('ROLLBACK, REDIRECT and INJECT say at once why they cannot be done', async () => {
    const place = await newRunPlace();
    const program = place.start('s', '--no-files', '--', 'sleep', '60');
    await place.untilEvent('s', 'execution:started');
    expect(await place.command('s', 'ROLLBACK')).toMatchObject({
      status: 'failed',
      error: 'this run takes no checkpoints; start it with: shannon-dash run --checkpoints git -- COMMAND',
    });
    expect(await place.command('s', 'REDIRECT', { target_skill: 'x' })).toMatchObject({
      status: 'failed',
      error: expect.stringMatching(/^nothing in this run listens for REDIRECT/) as string,
    });
    expect(await place.command('s', 'INJECT', { skill_name: 'x' })).toMatchObject({
      status: 'failed',
      error: expect.stringMatching(/^nothing in this run listens for INJECT/) as string,
    });
    program.child.kill('SIGTERM');
    expect(await program.ended).toMatchObject({ signal: 'SIGTERM' });
  });

  test('REDIRECT and INJECT reach a program that listens with the SDK; HALT still stops it', async () => {
    const place = await newRunPlace();
    const sdk = new URL('../../dist/index.js', import.meta.url).href;
    writeFileSync(
      join(place.work, 'listen.mjs'),
      `import { connectOrchestrator } from '${sdk}';
      const run = await connectOrchestrator();
      run.onCommand('REDIRECT', ({ target_skill }) => ({ turned_to: target_skill }));
      run.onCommand('INJECT', ({ skill_name }) => { console.log('injected ' + skill_name); setImmediate(() => void run.close()); });
      console.log('listening ' + process.pid);`,
    );
    const program = place.start('s', '--no-files', '--', 'node', 'listen.mjs');
    await program.until(({ stdout }) => stdout.includes('listening'));
    await place.untilEvent(
      's',
      'orchestrator:attached',
      ({ under, capabilities }) => under !== undefined && String(capabilities).includes('INJECT'),
    );
    expect(await place.command('s', 'REDIRECT', { target_skill: 'docs' })).toMatchObject({
      status: 'applied',
      result: { turned_to: 'docs' },
    });
    expect(await place.command('s', 'HALT')).toMatchObject({
      status: 'applied',
      acknowledged_by: expect.stringMatching(/^run-/) as string,
    });
    expect(stateOf(Number(/listening (\d+)/.exec(program.stdout)?.[1]))).toBe('T');
    await place.command('s', 'RESUME');
    expect(await place.command('s', 'INJECT', { skill_name: 'lint' })).toMatchObject({ status: 'applied' });
    expect(await program.ended).toMatchObject({ code: 0, stdout: expect.stringContaining('injected lint') as string });
  });
});

describe('the server', () => {
  test('is started where none answers, once for all runs that begin at one moment; it is started again where it was killed, and ends when nobody uses it', async () => {
    const place = newWork();
    const port = await freePort();
    const url = `http://127.0.0.1:${port}`;
    const env = { ...place.env, SHANNON_DASH_URL: url };
    const sessions = ['one', 'two', 'three', 'four'];
    const programs = sessions.map((session) => {
      const script = `echo up; until [ -e stop-${session} ]; do sleep 0.05; done; echo end of ${session}`;
      return new StartedProgram(['run', '-s', session, '--no-files', '--', 'sh', '-c', script], { folder: place.work, env });
    });
    const end = async (index: number) => {
      writeFileSync(join(place.work, `stop-${sessions[index]}`), '');
      expect(await programs[index]?.ended).toMatchObject({ code: 0, stderr: '' });
    };
    const runs = () => readProcTable().filter(({ pid }) => isServerOf(pid, port));
    await Promise.all(programs.map((program) => program.until(({ stdout }) => stdout !== '')));
    const listed = (await (await fetch(`${url}/api/sessions`)).json()) as { sessions: { session_id: string }[] };
    expect(listed.sessions.map(({ session_id }) => session_id).toSorted()).toEqual(sessions.toSorted());
    await end(0);
    const [serving] = runs();
    expect(runs()).toHaveLength(1);
    process.kill(serving?.pid ?? 0, 'SIGKILL');
    await until('another server serves', () =>
      fetch(`${url}/health`).then(
        ({ ok }) => ok,
        () => false,
      ),
    );
    await Promise.all([end(1), end(2), end(3)]);

    // A client that had fallen back to polling while no server was there, and is gone, is noticed by its missing pong: after 45 s.
    await until('it has ended', () => runs().length === 0, 75_000);
    const server = await serverProcess({ folder: place.work, env }, []);
    for (const session of sessions) {
      const events = await server.events(session);
      expect(outputLines(events)).toEqual(['up', `end of ${session}`]);
      expect(events.filter(({ type }) => type === 'execution:completed')).toHaveLength(1);
    }
  }, 150_000);

  test('that run starts has nothing of what run was started with', async () => {
    const place = newWork();
    const port = await freePort();
    const env = { ...place.env, SHANNON_DASH_URL: `http://127.0.0.1:${port}` };
    expect(await shell(`${run} --no-files -- true 3>held-3 20>held-20`, { ...place, env })).toMatchObject({ code: 0 });
    const [serving] = readProcTable().filter(({ pid }) => isServerOf(pid, port));
    const folder = `/proc/${serving?.pid}/fd`;
    const targets = readdirSync(folder).map((name) => linkOf(join(folder, name)) ?? '');
    expect(targets.length).toBeGreaterThan(5);
    expect(targets.filter((target) => target.startsWith(join(place.work, 'held')))).toEqual([]);
  });

  test('that is missing keeps no program from running: run says why, or refuses with --require-server', async () => {
    const stranger = createServer((_, response) => response.end('hello'));
    await new Promise<void>((resolve) => stranger.listen(0, '127.0.0.1', resolve));
    onTestFinished(() => void stranger.close());
    const { port } = stranger.address() as AddressInfo;
    const place = newWork();
    const readOnly = join(place.folder, 'a-file');
    writeFileSync(readOnly, '');
    const cases = [
      { settings: `SHANNON_DASH_URL=http://127.0.0.1:${port}`, reason: new RegExp(`port ${port} is in use by `) },
      { settings: `SHANNON_DASH_URL=http://192.0.2.1:9`, reason: /cannot reach http:\/\/192\.0\.2\.1:9/ },
      { settings: `SHANNON_DASH_JOURNAL=${readOnly}/journal.db SHANNON_DASH_URL=http://127.0.0.1:${await freePort()}`, reason: /a-file/ },
    ];
    for (const { settings, reason } of cases) {
      const { code, stdout, stderr } = await shell(`${settings} ${run} --no-files -- sh -c 'echo ran; exit 3'`, place);
      expect([code, stdout.toString()]).toEqual([3, 'ran\n']);
      expect(stderr.toString().split('\n')[0]).toMatch(reason);
      expect(stderr.toString().split('\n')[0]).toMatch(/^warning: .*; the program runs, and its events wait for a server there$/);
    }
    const { code, stdout } = await shell(`${cases[0]?.settings} ${run} --require-server -- sh -c 'echo ran'`, place);
    expect([code, stdout.toString()]).toEqual([6, '']);
  });

  test('killed in the middle it is missed by nobody: the program goes on, and each event is there once when it is back', async () => {
    const place = newWork();
    const server = await serverProcess(place);
    const script = 'i=0; until [ -e stop ]; do i=$((i+1)); echo tick $i; echo $i > count; sleep 0.01; done; exit 6';
    const program = new StartedProgram(['run', '-s', 's', '--', 'sh', '-c', script], { folder: place.work, env: server.env });
    await program.until(({ stdout }) => stdout.includes('tick 20\n'));
    await server.kill();
    await program.until(({ stdout }) => stdout.includes('tick 120\n'));
    await server.startAgain();
    await until(
      'it is attached again',
      async () => (await server.events('s')).filter(({ type }) => type === 'orchestrator:attached').length === 2,
    );
    await server.kill();
    await server.startAgain();
    writeFileSync(join(place.work, 'stop'), '');
    const { code, stdout, stderr } = await program.ended;
    expect([code, stderr]).toEqual([6, '']);
    const events = await server.events('s');
    expect(outputLines(events)).toEqual(stdout.trimEnd().split('\n'));
    expect(new Set(events.map(({ id }) => id)).size).toBe(events.length);
    expect(events.filter(({ type }) => /^execution:(started|failed)$/.test(type)).map(({ type }) => type)).toEqual([
      'execution:started',
      'execution:failed',
    ]);
    expect(events.some(({ type }) => type === 'file:modified')).toBe(true);
  });

  test('away to the end it costs a bounded time, and not the exit code', async () => {
    const place = newWork();
    const server = await serverProcess(place);
    const program = new StartedProgram(
      ['run', '-s', 's', '--checkpoints', 'none', '--', 'sh', '-c', 'echo up; until [ -e stop ]; do sleep 0.02; done; exit 6'],
      {
        folder: place.work,
        env: server.env,
      },
    );
    await program.until(({ stdout }) => stdout.includes('up'));
    await server.kill();
    writeFileSync(join(place.work, 'stop'), '');
    const { code, stderr } = await program.ended;
    expect(code).toBe(6);
    expect(stderr).toMatch(/^warning: the server at http\S+ was away to the end: \d+ events of s did not reach it\n$/);
  });

  test('a run that is killed takes its program along, a halted one too, and the session says that its orchestrator is lost', async () => {
    const place = await newRunPlace();
    const script = `trap '' HUP; echo $$ > stubborn.pid; exec sleep 60`;
    const program = place.start(
      's',
      '--no-files',
      '--',
      'bash',
      '-c',
      `setsid sh -c "${script.replaceAll('$', '\\$')}" & echo $$ > pid; wait`,
    );
    await until('both run', () => place.read('pid') !== undefined && (place.read('stubborn.pid') ?? '').endsWith('\n'));
    const [pid, stubborn] = [Number(place.read('pid')), Number(place.read('stubborn.pid'))];
    await place.untilEvent('s', 'execution:started');
    await place.command('s', 'HALT');
    expect([stateOf(pid), stateOf(stubborn)]).toEqual(['T', 'T']);
    program.child.kill('SIGKILL');
    await place.untilEvent('s', 'orchestrator:detached');
    const session = (await (await fetch(`${place.server.url}/api/sessions/s`)).json()) as Record<string, unknown>;
    expect(session).toMatchObject({ status: 'halted', orchestrator: { attached: false } });
    // Hung up on, as by a terminal; what left for a session of its own is not, but stands still no longer.
    await until('it is gone', () => ['gone', 'Z'].includes(stateOf(pid)) && stateOf(stubborn) === 'S');
    process.kill(stubborn, 'SIGKILL');
  });

  test('leaves nothing behind', async () => {
    const before = new Set(temporaryFolders());
    const place = await newRunPlace();
    mkdirSync(join(place.work, 'sub'));
    const { code } = await shell(`${run} -- sh -c 'echo hi; sleep 0.1'; [ -z "$(jobs)" ]`, place);
    expect(code).toBe(0);
    expect(temporaryFolders().filter((name) => name.startsWith('shannon-dash-pipes-') && !before.has(name))).toEqual([]);
    const ofWork = readProcTable().filter(({ pid }) => linkOf(`/proc/${pid}/cwd`)?.startsWith(place.work) === true);
    expect(ofWork).toEqual([]);
  });
});

/** Whether a process serves a port as `run` starts servers. */
function isServerOf(pid: number, port: number): boolean {
  try {
    const line = readFileSync(`/proc/${pid}/cmdline`, 'utf8').split('\0');
    return line.includes('--until-unused') && line.includes(String(port));
  } catch {
    return false;
  }
}

function temporaryFolders(): string[] {
  return readdirSync(tmpdir());
}

function linkOf(path: string): string | undefined {
  try {
    return readlinkSync(path);
  } catch {
    return undefined;
  }
}
