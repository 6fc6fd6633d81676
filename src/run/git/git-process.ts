import { type ChildProcessWithoutNullStreams, spawn } from 'node:child_process';
import { readFileSync } from 'node:fs';

/** Options of one run of git. */
export interface GitRun {
  /** Written to git's standard input. */
  readonly input?: string | Buffer;
  /** Variables on top of the others. */
  readonly env?: Readonly<Record<string, string>>;
  /** Exit codes, besides 0, that are an answer and not a failure. */
  readonly allowedExitCodes?: readonly number[];
  readonly timeoutMs?: number;
  /** Where git works; the top where none is given. */
  readonly cwd?: string;
}

/** A run of git that failed. `stdout` is what it said before that; the exit code is null for one that was ended. */
export class GitError extends Error {
  override readonly name = 'GitError';
  readonly exitCode: number | null;
  readonly stdout: Buffer;

  constructor(message: string, exitCode: number | null, stdout: Buffer) {
    super(message);
    this.exitCode = exitCode;
    this.stdout = stdout;
  }
}

/** There is no program called git, or the folder to run it in is gone. */
export class GitMissingError extends Error {
  override readonly name = 'GitMissingError';
}

/** How long one run of git may take: it reads what is in the work tree, and a pipe in a file's place would hold it for ever. */
const timeLimitMs = 60_000;
/** What git may say at most: names of files, and contents are read piece by piece. */
const outputBytes = 512 * 1024 * 1024;

/** Signals that end us. What we started in a group of its own must not stay behind. */
const endSignals = ['SIGINT', 'SIGTERM', 'SIGHUP'] as const;
const running = new Set<number>();
/** Ends every git that still runs: for a process that is about to end by a signal, of which it hears no `exit`. */
export const endAllGit = () => {
  for (const pid of running) endGroup(pid);
};

/**
 * Starts git in a process group of its own, so that all of it can be ended; it is ended with us, and after `timeoutMs`.
 * @throws nothing: a program that cannot be started says so by `error`
 */
export function spawnGit(
  args: readonly string[],
  { cwd, env, timeoutMs = timeLimitMs }: { cwd: string; env: NodeJS.ProcessEnv; timeoutMs?: number },
): ChildProcessWithoutNullStreams & { timedOut?: boolean } {
  const child: ChildProcessWithoutNullStreams & { timedOut?: boolean } = spawn('git', args, { cwd, env, detached: true });
  const { pid } = child;
  if (pid === undefined) return child;
  if (running.size === 0) {
    for (const signal of signalsNotIgnored()) process.on(signal, endWithUs);
    process.on('exit', endAllGit);
  }
  running.add(pid);
  const timer = setTimeout(() => {
    child.timedOut = true;
    endGroup(pid);
  }, timeoutMs);
  child.once('exit', () => {
    clearTimeout(timer);
    running.delete(pid);
    if (running.size > 0) return;
    for (const signal of endSignals) process.off(signal, endWithUs);
    process.off('exit', endAllGit);
  });
  return child;
}

/** Runs git to its end and gives its standard output. @throws GitError | GitMissingError */
export function runGit(
  args: readonly string[],
  cwd: string,
  env: NodeJS.ProcessEnv,
  options: GitRun,
  signal?: AbortSignal,
): Promise<Buffer> {
  const { input = '', allowedExitCodes = [], timeoutMs = timeLimitMs } = options;
  const name = args.find((arg, at) => !arg.startsWith('-') && args[at - 1] !== '-c') ?? '';
  return new Promise((resolve, reject) => {
    if (signal?.aborted === true) return reject(new GitError(`git ${name} was not started: the run has ended`, null, Buffer.alloc(0)));
    const child = spawnGit(args, { cwd, env, timeoutMs });
    const stdout: Buffer[] = [];
    const stderr: Buffer[] = [];
    let bytes = 0;
    const abort = () => endGroup(child.pid);
    signal?.addEventListener('abort', abort, { once: true });
    child.stdout.on('data', (chunk: Buffer) => {
      bytes += chunk.length;
      if (bytes > outputBytes) abort();
      else stdout.push(chunk);
    });
    child.stderr.on('data', (chunk: Buffer) => stderr.length < 100 && stderr.push(chunk));
    child.once('error', (error: NodeJS.ErrnoException) => {
      signal?.removeEventListener('abort', abort);
      reject(error.code === 'ENOENT' ? new GitMissingError(`git was not found on the PATH, or ${cwd} is gone`, { cause: error }) : error);
    });
    child.once('close', (code) => {
      signal?.removeEventListener('abort', abort);
      const said = Buffer.concat(stdout);
      if (code === 0 || (code !== null && allowedExitCodes.includes(code))) return resolve(said);
      const reason =
        child.timedOut === true
          ? `no answer in ${timeoutMs / 1_000} s`
          : Buffer.concat(stderr).toString('utf8').trim() || (code === null ? 'it was ended' : `exit code ${code}`);
      reject(new GitError(`git ${name} failed: ${reason}`, code, said));
    });
    // git that fails early closes its input: the failure is told by its exit code, not by EPIPE.
    child.stdin.on('error', () => {});
    child.stdin.end(input);
  });
}

/** Ends a group at once; one that is gone is passed over. */
function endGroup(pid: number | undefined): void {
  if (pid === undefined) return;
  try {
    process.kill(-pid, 'SIGKILL');
  } catch {
    // It has ended already.
  }
}

function endWithUs(signal: NodeJS.Signals): void {
  // Whoever else listens decides whether we end; git is ended by its time limit then.
  if (process.listenerCount(signal) > 1) return;
  endAllGit();
  process.off(signal, endWithUs);
  process.kill(process.pid, signal);
}

/** To listen to a signal that was ignored when we were started would end the ignoring. */
function signalsNotIgnored(): NodeJS.Signals[] {
  let ignored = 0n;
  try {
    ignored = BigInt(`0x${/^SigIgn:\s*([0-9a-f]+)/m.exec(readFileSync('/proc/self/status', 'utf8'))?.[1] ?? '0'}`);
  } catch {
    // Not Linux.
  }
  const numbers = { SIGHUP: 1n, SIGINT: 2n, SIGTERM: 15n };
  return endSignals.filter((signal) => ((ignored >> (numbers[signal] - 1n)) & 1n) === 0n);
}
