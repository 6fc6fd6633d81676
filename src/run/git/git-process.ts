import { type ChildProcessWithoutNullStreams, spawn } from 'node:child_process';
import { readFileSync } from 'node:fs';

/** Options of one run of git. */
export interface GitRun {
  /** Written to git's standard input. */
  readonly input?: string | Buffer;
  /** Additional environment variables. */
  readonly env?: Readonly<Record<string, string>>;
  /** Exit codes besides 0 that are not a failure. */
  readonly allowedExitCodes?: readonly number[];
  /** How long git may say nothing; by default 60 s. */
  readonly silenceMs?: number;
  /** The working folder of git; by default the top of the work tree. */
  readonly cwd?: string;
}

/** A run of git that failed. `stdout` is its output before that. The exit code is null when a signal ended it. */
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

/** The program git was not found, or its working folder does not exist. */
export class GitMissingError extends Error {
  override readonly name = 'GitMissingError';
}

/**
 * How long git may say nothing. Without a limit, git would block on a pipe in place of a file of the work tree. A limit of the whole
 * run would end a rollback of many files on a slow disk in its middle.
 */
const defaultSilenceMs = 60_000;
/** The most output of one run. It holds file names only, because contents are read piece by piece. */
const outputBytes = 512 * 1024 * 1024;

/** Signals that end this process. git runs in its own process group and would stay behind, so it is ended as well. */
const endSignals = ['SIGINT', 'SIGTERM', 'SIGHUP'] as const;
const running = new Set<number>();
/** Ends every git that still runs. A process that a signal ends needs it, because Node then emits no `exit`. */
export const endAllGit = () => {
  for (const pid of running) endGroup(pid);
};

/** A git that runs. */
export interface StartedGit extends ChildProcessWithoutNullStreams {
  /** It said nothing for too long, and was ended. */
  timedOut?: boolean;
  /** Its reader says that git has said something. */
  heard(): void;
}

/**
 * Starts git in a process group of its own, so that its children can be ended too. It ends when nothing was heard of it for
 * `silenceMs`, or with this process.
 * @returns the child; it emits `error` when it cannot be started
 */
export function spawnGit(
  args: readonly string[],
  { cwd, env, silenceMs = defaultSilenceMs }: { cwd: string; env: NodeJS.ProcessEnv; silenceMs?: number },
): StartedGit {
  // Before git is there: a signal may come while it starts, and would end this process alone.
  if (running.size === 0) listenForOurEnd();
  const child: StartedGit = Object.assign(spawn('git', args, { cwd, env, detached: true }), { heard: () => {} });
  const { pid } = child;
  if (pid === undefined) {
    if (running.size === 0) ceaseToListen();
    return child;
  }
  running.add(pid);
  const timer = setTimeout(() => {
    child.timedOut = true;
    endGroup(pid);
  }, silenceMs);
  child.heard = () => void timer.refresh();
  child.once('exit', () => {
    clearTimeout(timer);
    child.heard = () => {};
    running.delete(pid);
    if (running.size === 0) ceaseToListen();
  });
  return child;
}

function listenForOurEnd(): void {
  for (const signal of signalsNotIgnored()) process.on(signal, endWithUs);
  process.on('exit', endAllGit);
}

function ceaseToListen(): void {
  for (const signal of endSignals) process.off(signal, endWithUs);
  process.off('exit', endAllGit);
}

/** Runs git to its end and gives its standard output. @throws GitError | GitMissingError */
export function runGit(
  args: readonly string[],
  cwd: string,
  env: NodeJS.ProcessEnv,
  options: GitRun,
  signal?: AbortSignal,
): Promise<Buffer> {
  const { input = '', allowedExitCodes = [], silenceMs = defaultSilenceMs } = options;
  const name = args.find((arg, at) => !arg.startsWith('-') && args[at - 1] !== '-c') ?? '';
  return new Promise((resolve, reject) => {
    if (signal?.aborted === true) return reject(new GitError(`git ${name} was not started: the run has ended`, null, Buffer.alloc(0)));
    const child = spawnGit(args, { cwd, env, silenceMs });
    const stdout: Buffer[] = [];
    const stderr: Buffer[] = [];
    let bytes = 0;
    const abort = () => endGroup(child.pid);
    signal?.addEventListener('abort', abort, { once: true });
    child.stdout.on('data', (chunk: Buffer) => {
      child.heard();
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
          ? `no answer in ${silenceMs / 1_000} s`
          : Buffer.concat(stderr).toString('utf8').trim() || (code === null ? 'it was ended' : `exit code ${code}`);
      reject(new GitError(`git ${name} failed: ${reason}`, code, said));
    });
    // When git fails early it closes its input. Its exit code reports the failure, so EPIPE is ignored.
    child.stdin.on('error', () => {});
    child.stdin.end(input);
  });
}

/** Kills a process group; one that has ended is ignored. */
function endGroup(pid: number | undefined): void {
  if (pid === undefined) return;
  try {
    process.kill(-pid, 'SIGKILL');
  } catch {
    // It has ended already.
  }
}

function endWithUs(signal: NodeJS.Signals): void {
  // With another listener this process may not end. git then ends at its time limit.
  if (process.listenerCount(signal) > 1) return;
  endAllGit();
  process.off(signal, endWithUs);
  process.kill(process.pid, signal);
}

/** Leaves out signals that this process was started with as ignored, because listening would end that. */
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
