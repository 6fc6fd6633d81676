import { spawn, type ChildProcess } from 'node:child_process';
import { once } from 'node:events';
import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { createInterface } from 'node:readline';
import { Inspector } from './inspector.ts';
import type { Scene } from './scene.ts';

const program = join(import.meta.dirname, '../../bin/shannon-dash.js');

export interface ServeOptions {
  journal: string;
  port?: number;
  args?: readonly string[];
  /** Lets the server's memory and clock be reached from outside. */
  isInspected?: boolean;
  /** The modes of files count for the server, also where root runs it. */
  obeysModes?: boolean;
}

/** The built program, serving in a process of its own. */
export interface Served {
  url: string;
  port: number;
  pid: number;
  process: ChildProcess;
  /** Milliseconds from the start of the process until it listened. */
  readyMs: number;
  /** What it has written to stderr. */
  stderr: () => string;
  residentBytes(): number;
  /** What the process has used of a processor. */
  cpuMs(): number;
  inspector(): Promise<Inspector>;
  end(signal: NodeJS.Signals): Promise<number | null>;
}

/** A server that ended before it listened. */
export class NotServed extends Error {
  readonly code: number | null;

  constructor(code: number | null, stderr: string) {
    super(stderr);
    this.code = code;
  }

  /** The one error that it ended with, and the way out; empty where it said anything else. */
  get said(): string {
    const refused = /^(\{"v":1,"ok":false.*\})\n$/.exec(this.message)?.[1];
    if (refused === undefined) return '';
    const { error } = JSON.parse(refused) as { error: { message: string; hint?: string } };
    return `${error.message}; ${error.hint}`;
  }
}

/** The environment of a program that must not meet the state and the servers of the user. */
function environment({ folder }: Scene): NodeJS.ProcessEnv {
  const places = Object.fromEntries(['HOME', 'XDG_STATE_HOME', 'XDG_CONFIG_HOME', 'XDG_CACHE_HOME'].map((name) => [name, folder]));
  return { ...process.env, ...places, NODE_DISABLE_COMPILE_CACHE: '' };
}

/** Starts the program and waits until it listens. @throws NotServed with what it said */
export async function serve(scene: Scene, { journal, port = 0, args = [], isInspected, obeysModes }: ServeOptions): Promise<Served> {
  const startedAt = performance.now();
  const command = [
    process.execPath,
    ...(isInspected === true ? ['--inspect=127.0.0.1:0'] : []),
    program,
    'serve',
    `--port=${port}`,
    `--journal=${journal}`,
    '--json',
    '--log-level=error',
    ...args,
  ];
  const isRoot = process.getuid?.() === 0;
  const [file = '', ...rest] =
    obeysModes === true && isRoot ? ['setpriv', '--bounding-set=-dac_override,-dac_read_search', ...command] : command;
  const child = spawn(file, rest, { cwd: scene.folder, env: environment(scene), stdio: ['ignore', 'pipe', 'pipe'] });
  let stderr = '';
  child.stderr.on('data', (data: Buffer) => (stderr = (stderr + data.toString()).slice(-100_000)));
  const exited = once(child, 'exit');
  const end = async (signal: NodeJS.Signals) => {
    child.kill(signal);
    await exited;
    return child.exitCode;
  };
  scene.onEnd(() => end('SIGKILL'));
  const line = await Promise.race([once(createInterface(child.stdout), 'line'), once(child, 'close').then(() => undefined)]);
  if (line === undefined) throw new NotServed(child.exitCode, stderr);
  const { url } = JSON.parse(String(line[0])) as { url: string };
  const status = () => readFileSync(`/proc/${child.pid}/status`, 'utf8');
  return {
    url,
    port: Number(new URL(url).port),
    pid: child.pid ?? 0,
    process: child,
    readyMs: performance.now() - startedAt,
    stderr: () => stderr,
    residentBytes: () => Number(/VmRSS:\s+(\d+)/.exec(status())?.[1]) * 1_024,
    cpuMs() {
      // proc_pid_stat(5): after the name in parentheses, utime and stime are the 12th and 13th fields, in ticks of 10 ms.
      const fields = readFileSync(`/proc/${child.pid}/stat`, 'latin1')
        .replace(/^.*\) /s, '')
        .split(' ');
      return (Number(fields[11]) + Number(fields[12])) * 10;
    },
    inspector: () => Inspector.connect(/ws:\/\/\S+/.exec(stderr)?.[0] ?? '', scene),
    end,
  };
}

/** Runs a command of the program to its end. */
export async function runProgram(scene: Scene, ...args: string[]): Promise<{ code: number | null; stdout: string; stderr: string }> {
  const child = spawn(process.execPath, [program, ...args], {
    cwd: scene.folder,
    env: environment(scene),
    stdio: ['ignore', 'pipe', 'pipe'],
  });
  const said = { stdout: '', stderr: '' };
  for (const stream of ['stdout', 'stderr'] as const) child[stream].on('data', (data: Buffer) => (said[stream] += data.toString()));
  await once(child, 'close');
  return { code: child.exitCode, ...said };
}
