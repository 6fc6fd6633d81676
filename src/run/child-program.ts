import { spawn } from 'node:child_process';
import { constants } from 'node:os';
import { finished } from 'node:stream/promises';
import type { spawn as SpawnPty } from '@lydell/node-pty';

/** How a program ended: with a code, or by a signal. */
export interface ProgramEnd {
  code: number;
  signal: NodeJS.Signals | null;
}

export interface ChildProgramOptions {
  command: string;
  args: readonly string[];
  env: NodeJS.ProcessEnv;
  /** Gets every piece of output after it was passed on. A terminal has one stream for both. */
  onOutput: (stream: 'stdout' | 'stderr', bytes: Buffer) => void;
}

/** A program that runs as if it had been started bare, in a session and process group of its own. */
export interface ChildProgram {
  readonly pid: number;
  readonly ended: Promise<ProgramEnd>;
}

/**
 * Starts a program. On a terminal it gets a terminal of its own, with the same size, and all keys; else its output goes
 * through pipes, byte for byte, and it reads our own input.
 * @throws the system's error when it cannot be started, as ENOENT
 */
export async function startChildProgram(options: ChildProgramOptions): Promise<ChildProgram> {
  const isTerminal = process.stdin.isTTY && process.stdout.isTTY && process.stderr.isTTY;
  const pty = isTerminal ? await import('@lydell/node-pty').catch(() => undefined) : undefined;
  return pty === undefined ? startOnPipes(options) : startOnTerminal(pty.spawn, options);
}

async function startOnPipes({ command, args, env, onOutput }: ChildProgramOptions): Promise<ChildProgram> {
  // `detached` makes it the leader of a new session and group: what is stopped, is stopped as a whole.
  const child = spawn(command, args, { env, detached: true, stdio: ['inherit', 'pipe', 'pipe'] });
  await new Promise<void>((resolve, reject) => {
    child.once('spawn', resolve);
    child.once('error', reject);
  });
  const ended = new Promise<ProgramEnd>((resolve) => {
    child.once('exit', (code, signal) => resolve({ code: code ?? 128 + constants.signals[signal ?? 'SIGKILL'], signal }));
  });
  const streams = [pass(child.stdout, process.stdout, 'stdout', onOutput), pass(child.stderr, process.stderr, 'stderr', onOutput)];
  return {
    pid: child.pid ?? 0,
    // What a child of the program keeps open after its end is not waited for, as no shell would.
    ended: ended.then(async (end) => {
      await Promise.race([Promise.all(streams), new Promise((resolve) => setTimeout(resolve, 200).unref())]);
      return end;
    }),
  };
}

/** Passes bytes on as they are, no faster than they are taken: a slow terminal slows the program, as it would bare. */
async function pass(
  from: NodeJS.ReadableStream,
  to: NodeJS.WriteStream,
  stream: 'stdout' | 'stderr',
  onOutput: ChildProgramOptions['onOutput'],
) {
  let isClosed = false;
  to.once('error', () => {
    // Nobody reads any more. Closing our end lets the program find out by SIGPIPE, as it would bare.
    isClosed = true;
    (from as NodeJS.ReadableStream & { destroy(): void }).destroy();
  });
  from.on('data', (bytes: Buffer) => {
    if (!isClosed && !to.write(bytes)) {
      from.pause();
      to.once('drain', () => from.resume());
    }
    onOutput(stream, bytes);
  });
  await finished(from).catch(() => undefined);
}

function startOnTerminal(spawnPty: typeof SpawnPty, { command, args, env, onOutput }: ChildProgramOptions): ChildProgram {
  const { stdin, stdout } = process;
  const pty = spawnPty(command, [...args], {
    name: process.env['TERM'] ?? 'xterm-256color',
    cols: stdout.columns,
    rows: stdout.rows,
    cwd: process.cwd(),
    env,
    encoding: null,
  });
  pty.onData((data) => {
    const bytes = data as unknown as Buffer;
    if (!stdout.write(bytes)) {
      pty.pause();
      stdout.once('drain', () => pty.resume());
    }
    onOutput('stdout', bytes);
  });
  const onResize = () => pty.resize(stdout.columns, stdout.rows);
  const onKeys = (keys: Buffer) => {
    pty.write(keys as unknown as string);
    if (keys.includes(suspendKey)) suspend(pty.pid);
  };
  stdout.on('resize', onResize);
  stdin.setRawMode(true).on('data', onKeys);
  stdin.resume();
  const ended = new Promise<ProgramEnd>((resolve) => {
    pty.onExit(({ exitCode, signal }) => {
      stdout.off('resize', onResize);
      stdin.off('data', onKeys).setRawMode(false).pause();
      const name = signalName(signal);
      resolve({ code: name === null ? exitCode : 128 + constants.signals[name], signal: name });
    });
  });
  return { pid: pty.pid, ended };
}

/** Ctrl-Z. The program's terminal stops the program by it; we stop with it, so that the shell gets its terminal back. */
const suspendKey = 0x1a;

function suspend(pid: number): void {
  process.stdin.setRawMode(false);
  process.once('SIGCONT', () => {
    process.stdin.setRawMode(true);
    process.kill(-pid, 'SIGCONT');
  });
  process.kill(process.pid, 'SIGTSTP');
}

function signalName(signal: number | undefined): NodeJS.Signals | null {
  if (signal === undefined || signal === 0) return null;
  const found = Object.entries(constants.signals).find(([, number]) => number === signal);
  return found === undefined ? null : (found[0] as NodeJS.Signals);
}
