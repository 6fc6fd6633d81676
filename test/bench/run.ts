import { spawn } from 'node:child_process';
import { mkdtempSync, readFileSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { createServer, type AddressInfo } from 'node:net';
import { join } from 'node:path';
import { startDash } from './measured-server.ts';

/** What `run` adds to a program: its figure beside that of the program started bare. */
export interface RunFigure {
  name: string;
  unit: string;
  /** The most that our figure may be: a multiple of the bare one's, or so much more than it. */
  most: { ratio: number } | { over: number };
  measure: () => Promise<FigurePair>;
}

/** One round. `limit`: what else there was no more of, where that keeps ours from being better: then the figure is told without a verdict. */
export interface FigurePair {
  ours: number;
  bare: number;
  limit?: string | undefined;
}

const program = join(import.meta.dirname, '../../bin/shannon-dash.js');
const megabytes = 200;
const hooksPerRound = 20;
const lines = `const line = Buffer.from(('x'.repeat(79) + '\\n').repeat(800)); const { writeSync } = require('fs');
for (let left = ${megabytes}e6; left > 0; left -= line.length) writeSync(1, line);`;
const random = `const bytes = require('crypto').randomBytes(65536); const { writeSync } = require('fs');
for (let left = ${megabytes}e6; left > 0; left -= bytes.length) writeSync(1, bytes);`;
const zeros = random.replace(`require('crypto').randomBytes(65536)`, 'Buffer.alloc(65536)');

/** Figures of `run`; the start, and output to a pipe that is read as fast as it comes. */
export const runFigures: readonly RunFigure[] = [
  { name: 'run -- true, with a server', unit: 'ms', most: { ratio: 3 }, measure: () => withServer((url) => startAndEnd(url)) },
  { name: 'run -- true, without a server', unit: 'ms', most: { ratio: 5 }, measure: async () => startAndEnd(await freeUrl()) },
  {
    name: `${megabytes} MB of lines through run | cat`,
    unit: 'ms',
    most: { ratio: 1.5 },
    measure: () => withServer((url) => output(url, lines)),
  },
  {
    name: `${megabytes} MB of random bytes through run | cat`,
    unit: 'ms',
    most: { ratio: 1.5 },
    measure: () => withServer((url) => output(url, random)),
  },
  {
    name: `${megabytes} MB of zeros through run | cat`,
    unit: 'ms',
    most: { ratio: 1.5 },
    measure: () => withServer((url) => output(url, zeros)),
  },
];

async function withServer<Result>(measure: (url: string) => Promise<Result>): Promise<Result> {
  const server = await startDash();
  try {
    return await measure(server.url);
  } finally {
    await server.stop();
  }
}

/** An agent's hook as it is passed on, beside Node that does nothing. */
export const hookFigures: readonly RunFigure[] = [
  {
    name: 'CPU of hook AGENT',
    unit: 'ms',
    most: { over: 150 },
    measure: () =>
      withServer(async (url) => {
        const bare = await cpuMs(['-e', '0'], url);
        return { bare, ours: await cpuMs([program, 'hook', 'claude-code'], url) };
      }),
  },
];

/** The CPU time of a process, the mean of some: the kernel counts that of children that have ended in ticks of 10 ms. */
async function cpuMs(args: readonly string[], url: string): Promise<number> {
  const home = mkdtempSync(join(tmpdir(), 'shannon-dash-bench-'));
  const env = { ...process.env, HOME: home, XDG_STATE_HOME: home, XDG_CONFIG_HOME: home, XDG_CACHE_HOME: home, SHANNON_DASH_URL: url };
  const input = JSON.stringify({
    session_id: 'bench',
    hook_event_name: 'PostToolUse',
    tool_name: 'Bash',
    tool_input: {},
    tool_response: {},
  });
  const runOnce = async () => {
    const child = spawn(process.execPath, args, { cwd: home, env, stdio: ['pipe', 'ignore', 'inherit'] });
    child.stdin.on('error', () => undefined).end(input);
    const code = await new Promise((resolve) => child.once('exit', resolve));
    if (code !== 0) throw new Error(`${args.join(' ')} ended with ${String(code)}`);
  };
  try {
    // The first one compiles what the others find compiled.
    await runOnce();
    const before = childrenMs();
    for (let left = hooksPerRound; left > 0; left--) await runOnce();
    return (childrenMs() - before) / hooksPerRound;
  } finally {
    rmSync(home, { recursive: true, force: true });
  }
}

/** What the children of this process that have ended have used, by proc_pid_stat(5): `cutime` and `cstime`. */
function childrenMs(): number {
  const fields = readFileSync('/proc/self/stat', 'latin1')
    .replace(/^.*\) /s, '')
    .split(' ');
  return (Number(fields[13]) + Number(fields[14])) * 10;
}

/** A URL at which nobody listened a moment ago. */
async function freeUrl(): Promise<string> {
  const server = createServer();
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
  const { port } = server.address() as AddressInfo;
  await new Promise((resolve) => server.close(resolve));
  return `http://127.0.0.1:${port}`;
}

async function startAndEnd(url: string): Promise<{ ours: number; bare: number }> {
  const bare = await wallMs(process.execPath, ['-e', '0'], url);
  const ours = await wallMs(process.execPath, [program, 'run', '--no-files', '--', 'true'], url);
  return { ours, bare };
}

/** The time of the output alone: what a program that writes nothing takes is left out, of both. */
async function output(url: string, script: string): Promise<{ ours: number; bare: number }> {
  const run = [process.execPath, program, 'run', '--no-files', '--'];
  const piped = (command: readonly string[]) => wallMs('sh', ['-c', '"$@" | cat >/dev/null', 'sh', ...command], url);
  const bare = (await piped([process.execPath, '-e', script])) - (await piped([process.execPath, '-e', '0']));
  const ours = (await piped([...run, process.execPath, '-e', script])) - (await piped([...run, process.execPath, '-e', '0']));
  return { ours, bare };
}

async function wallMs(command: string, args: readonly string[], url: string): Promise<number> {
  const home = mkdtempSync(join(tmpdir(), 'shannon-dash-bench-'));
  const env = { ...process.env, HOME: home, XDG_STATE_HOME: home, XDG_CONFIG_HOME: home, SHANNON_DASH_URL: url };
  const startedAt = performance.now();
  try {
    const child = spawn(command, args, { cwd: home, env, stdio: ['ignore', 'ignore', 'inherit'] });
    const code = await new Promise((resolve) => child.once('exit', resolve));
    if (code !== 0) throw new Error(`${command} ended with ${String(code)}`);
    return performance.now() - startedAt;
  } finally {
    rmSync(home, { recursive: true, force: true });
  }
}
