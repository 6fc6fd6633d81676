import { type ChildProcess, spawn, spawnSync } from 'node:child_process';
import { once } from 'node:events';
import { existsSync, mkdtempSync, readFileSync, readdirSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { setTimeout as delay } from 'node:timers/promises';

import { afterEach, beforeEach, describe, expect, test } from 'vitest';

import { readProcTable, readPsTable } from '../../src/run/tree/process-table.ts';
import { continueTree, signalTree, stopTree } from '../../src/run/tree/process-tree.ts';

const hasPython = spawnSync('python3', ['-c', 'import ctypes']).status === 0;

let folder: string;
const started: ChildProcess[] = [];

beforeEach(() => {
  folder = mkdtempSync(join(tmpdir(), 'process-tree-'));
});

afterEach(async () => {
  for (const child of started.splice(0)) {
    if (child.pid) await signalTree(child.pid, 'SIGKILL');
  }
  rmSync(folder, { recursive: true, force: true });
});

/** Starts a program as the leader of a group and session of its own, as the supervisor does. */
function start(command: string, args: string[]): number {
  const child = spawn(command, args, { detached: true, stdio: 'ignore', cwd: folder });
  started.push(child);
  if (!child.pid) throw new Error('not started');
  return child.pid;
}

async function until(condition: () => boolean, what: string): Promise<void> {
  const deadline = performance.now() + 10_000;
  while (!condition()) {
    if (performance.now() > deadline) throw new Error(`never happened: ${what}`);
    await delay(2);
  }
}

function stateOf(pid: number): string {
  return readProcTable().find((row) => row.pid === pid)?.state ?? 'gone';
}

/** Pids that the programs under test wrote as names of empty files `pid-<n>`. */
function pidsIn(name: string): number[] {
  return readdirSync(folder).flatMap((file) => (file.startsWith(`${name}-`) ? [Number(file.slice(name.length + 1))] : []));
}

function sizeOf(name: string): number {
  return existsSync(join(folder, name)) ? readFileSync(join(folder, name)).length : 0;
}

describe('stopping a tree', () => {
  test('stops and continues a shell, its children, one in a session of its own, and a node program with a child', async () => {
    const beat = 'while :; do printf . >> beat; sleep 0.01; done';
    const nodeScript = `require('node:child_process').spawn('sh', ['-c', ': > pid-$$; exec sleep 60'], { stdio: 'ignore', detached: true });
      setInterval(() => {}, 5); require('node:fs').writeFileSync('pid-' + process.pid, '')`;
    const root = start('sh', [
      '-c',
      `(: > pid-$$; ${beat}) & setsid sh -c ': > pid-$$; while :; do printf . >> beat2; sleep 0.01; done' & "${process.execPath}" -e "$1" & wait`,
      'sh',
      nodeScript,
    ]);
    await until(() => pidsIn('pid').length >= 4 && sizeOf('beat') > 2 && sizeOf('beat2') > 2, 'everything runs');

    const { pids, root: rootState, stopped } = await stopTree(root);
    expect(rootState).toBe('alive');
    for (const pid of [root, ...pidsIn('pid')]) expect(pids).toContain(pid);
    expect(pids.map((pid) => stateOf(pid)).filter((state) => state !== 'T' && state !== 't')).toEqual([]);
    const beats = [sizeOf('beat'), sizeOf('beat2')];
    expect(await stopTree(root)).toMatchObject({ pids: expect.arrayContaining(pids), root: 'alive' });
    expect([sizeOf('beat'), sizeOf('beat2')]).toEqual(beats);

    await continueTree(root, stopped);
    await until(() => sizeOf('beat') > (beats[0] ?? 0) && sizeOf('beat2') > (beats[1] ?? 0), 'both beat again');
    expect(pidsIn('pid').map((pid) => stateOf(pid))).not.toContain('T');
  });

  test('finds an orphan in a session that a child opened, as long as one of that session is still a descendant', async () => {
    const root = start('sh', ['-c', `setsid sh -c '(sleep 60 & : > pid-$!); exec sleep 60' & wait`]);
    await until(() => pidsIn('pid').length === 1, 'the orphan runs');
    const { pids } = await stopTree(root);
    expect(pids).toContain(pidsIn('pid')[0]);
  });

  test.each([
    ['a shell', 'sh', ['-c', 'i=0; while [ $i -lt 3000 ]; do sh -c "sleep 0.02" & sh -c : ; i=$((i+1)); done; wait; : > done']],
    [
      'node, which starts programs by vfork',
      process.execPath,
      [
        '-e',
        'let n = 0; const go = () => { if (n++ < 600) require("node:child_process").spawn("true", { detached: n % 2 === 0 }).on("exit", go); }; for (let i = 0; i < 8; i++) go(); setTimeout(() => {}, 60000)',
      ],
    ],
  ])('ends with everything stopped while %s keeps forking', async (_name, command, args) => {
    for (let round = 0; round < 5; round++) {
      const root = start(command, args);
      await until(() => readProcTable().some((row) => row.ppid === root), 'it forks');
      const { pids } = await stopTree(root);
      const left = readProcTable().filter((row) => row.sid === root || row.pgid === root || row.ppid === root || pids.includes(row.pid));
      expect(left.filter((row) => !'TtZX'.includes(row.state))).toEqual([]);
      const again = await stopTree(root);
      expect(new Set(again.pids)).toEqual(new Set(pids));
      await signalTree(root, 'SIGKILL');
    }
  });

  test('says so when the root is gone, and still stops what it left behind in its session', async () => {
    const root = start('sh', ['-c', 'sleep 60 & : > pid-$!']);
    await once(started[0] as ChildProcess, 'exit');
    const [left] = pidsIn('pid');
    expect(await stopTree(root)).toMatchObject({ pids: [left], root: 'gone' });
    expect(stateOf(left ?? 0)).toBe('T');
    await signalTree(root, 'SIGKILL');
    await until(() => ['gone', 'Z'].includes(stateOf(left ?? 0)), 'the rest is killed');
    expect(await stopTree(root)).toMatchObject({ pids: [], root: 'gone' });
    expect(await continueTree(root, 'everything')).toEqual({ pids: [], root: 'gone' });
    expect(await signalTree(root, 'SIGTERM')).toEqual({ pids: [], root: 'gone' });
  });

  test.runIf(hasPython)('stops a parent in vfork whose child was stopped before its exec', async () => {
    const root = start('python3', [
      '-c',
      `import ctypes, os, time
if ctypes.PyDLL(None).vfork() == 0:
    open('pid-%d' % os.getpid(), 'w').close()
    time.sleep(0.2)
    os.execvp('sleep', ['sleep', '60'])
time.sleep(60)`,
    ]);
    await until(() => pidsIn('pid').length === 1, 'the child of vfork runs');
    const { pids } = await stopTree(root);
    expect(pids).toEqual(expect.arrayContaining([root, ...pidsIn('pid')]));
    expect(pids.map((pid) => stateOf(pid))).toEqual(pids.map(() => 'T'));
  });

  test.runIf(hasPython)('names the process that did not stop', async () => {
    // A parent in vfork cannot be stopped before its child has called exec, and this child never does.
    const root = start('python3', [
      '-c',
      `import ctypes, os, time
if ctypes.PyDLL(None).vfork() == 0:
    open('pid-%d' % os.getpid(), 'w').close()
    time.sleep(60)
    os._exit(0)`,
    ]);
    await until(() => pidsIn('pid').length === 1, 'the child of vfork runs');
    const before = performance.now();
    await expect(stopTree(root, { timeoutMs: 200 })).rejects.toThrow(
      new RegExp(`process(es)? .*${root} \\(state D\\).* did not stop within 200 ms`),
    );
    expect(performance.now() - before).toBeLessThan(2_000);
  });

  test('refuses a root that would reach everybody or ourselves', async () => {
    for (const pid of [0, 1, -1, process.pid, Number.NaN]) await expect(stopTree(pid)).rejects.toThrow(RangeError);
  });
});

describe('signalling a tree', () => {
  test('reaches each process once', async () => {
    // Shells started with & ignore SIGINT, hence another signal.
    writeFileSync(join(folder, 'trap'), `trap 'printf x >> "$0.got"' USR2; : > pid-$$; while :; do sleep 0.01; done`);
    const run = (name: string): string => `bash -c '. ./trap' ${name}`;
    const root = start('bash', ['-c', `${run('inner')} & setsid ${run('apart')} & exec ${run('outer')}`]);
    await until(() => pidsIn('pid').length === 3, 'three traps are set');
    await signalTree(root, 'SIGUSR2');
    await until(() => ['inner', 'outer', 'apart'].every((name) => sizeOf(`${name}.got`) > 0), 'the signal arrived');
    expect(['inner', 'outer', 'apart'].map((name) => sizeOf(`${name}.got`))).toEqual([1, 1, 1]);
  });
});

test('ps tells the same tree as /proc', async () => {
  const root = start('sh', ['-c', 'sleep 60 & setsid sleep 60 & wait']);
  const mine = (rows: { pid: number; ppid: number; pgid: number; sid: number }[]): number[][] =>
    rows
      .filter((row) => row.pid === root || row.ppid === root)
      .map(({ pid, ppid, pgid, sid }) => [pid, ppid, pgid, sid])
      .sort((a, b) => (a[0] ?? 0) - (b[0] ?? 0));
  await until(() => mine(readProcTable()).filter(([pid, , , sid]) => pid === sid).length === 2, 'three processes, two sessions');
  await until(() => mine(readProcTable()).length === 3, 'three processes');
  expect(mine(await readPsTable())).toEqual(mine(readProcTable()));
});
