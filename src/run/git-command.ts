import { type ChildProcessWithoutNullStreams, type ExecFileException, execFile, spawn } from 'node:child_process';
import { rm, mkdtemp } from 'node:fs/promises';
import { join } from 'node:path';

/** Options of one run of git. */
interface GitRun {
  /** Written to git's standard input. */
  readonly input?: string | Buffer;
  /** Variables on top of the cleaned environment. */
  readonly env?: Readonly<Record<string, string>>;
  /** Exit codes, besides 0, that are an answer and not a failure. */
  readonly allowedExitCodes?: readonly number[];
}

/** The git of one work tree: pinned to it, without hooks, without locks on the user's index, deaf to the user's GIT_* variables. */
export interface Git {
  /** Absolute path of the work tree's top. */
  readonly root: string;
  /** Absolute path of this work tree's git folder. */
  readonly gitDir: string;
  /** Absolute path of the git folder that linked work trees share. */
  readonly commonDir: string;
  /** Runs git at the top and gives its standard output. Throws GitError. */
  run(args: readonly string[], options?: GitRun): Promise<Buffer>;
  /** Starts git at the top for a conversation over pipes. */
  start(args: readonly string[]): ChildProcessWithoutNullStreams;
  /** Gives `work` a temporary folder inside the git folder, where no listing of files sees it, and removes it afterwards. */
  withTempFolder<T>(work: (folder: string) => Promise<T>): Promise<T>;
}

/** A run of git that failed. `stdout` is what it said before that. */
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

// What a hook, a file monitor or a cache of the user's would do on our commands is not wanted, and file names are taken as they are.
const SETTINGS = {
  'core.hooksPath': '/dev/null',
  'core.fsmonitor': 'false',
  'core.untrackedCache': 'false',
  'core.splitIndex': 'false',
  'core.sparseCheckout': 'false',
  'core.protectNTFS': String(process.platform === 'win32'),
  'commit.gpgSign': 'false',
  'i18n.commitEncoding': 'utf-8',
  'gc.auto': '0',
};
const FIXED_ARGS = [
  '--no-pager',
  '--no-replace-objects',
  ...Object.entries(SETTINGS).flatMap(([name, value]) => ['-c', `${name}=${value}`]),
];
// These only say where git and the user's settings (their list of ignored files among them) are.
const KEPT_VARIABLES = new Set(['GIT_EXEC_PATH', 'GIT_CONFIG_GLOBAL', 'GIT_CONFIG_SYSTEM', 'GIT_CONFIG_NOSYSTEM']);

/** Opens the git work tree that holds `cwd`. Throws an Error with one sentence when there is none, or no git. */
export async function openGit(cwd: string): Promise<Git> {
  const ask = async (...args: string[]): Promise<string> => {
    const output = await execute(['rev-parse', ...args], cwd, cleanEnvironment({}), {});
    return output.toString('utf8').replace(/\r?\n$/, '');
  };
  try {
    const root = await ask('--show-toplevel');
    if (root === '') throw new Error(`cannot keep checkpoints: ${cwd} is not inside a git work tree`);
    return pinnedGit(root, await ask('--absolute-git-dir'), await ask('--path-format=absolute', '--git-common-dir'));
  } catch (error) {
    if (!(error instanceof GitError)) throw error;
    const because = /not a git repository|must be run in a work tree/.test(error.message)
      ? 'is not inside a git work tree'
      : `cannot be used: ${error.message}`;
    throw new Error(`cannot keep checkpoints: ${cwd} ${because}`, { cause: error });
  }
}

function pinnedGit(root: string, gitDir: string, commonDir: string): Git {
  // Pinned, so that a .git that the program makes or moves on the way does not change what we work upon.
  const env = cleanEnvironment({ GIT_DIR: gitDir, GIT_WORK_TREE: root });
  return {
    root,
    gitDir,
    commonDir,
    run: (args, options = {}) => execute(args, root, { ...env, ...options.env }, options),
    start: (args) => spawn('git', [...FIXED_ARGS, ...args], { cwd: root, env }),
    withTempFolder: async (work) => {
      const folder = await mkdtemp(join(gitDir, 'shannon-dash-'));
      try {
        return await work(folder);
      } finally {
        await rm(folder, { recursive: true, force: true });
      }
    },
  };
}

function cleanEnvironment(own: Record<string, string>): NodeJS.ProcessEnv {
  const inherited = Object.entries(process.env).filter(([name]) => !name.toUpperCase().startsWith('GIT_') || KEPT_VARIABLES.has(name));
  return {
    ...Object.fromEntries(inherited),
    LC_ALL: 'C',
    GIT_OPTIONAL_LOCKS: '0',
    GIT_TERMINAL_PROMPT: '0',
    GIT_AUTHOR_NAME: 'shannon-dash',
    GIT_AUTHOR_EMAIL: 'shannon-dash@localhost',
    GIT_COMMITTER_NAME: 'shannon-dash',
    GIT_COMMITTER_EMAIL: 'shannon-dash@localhost',
    ...own,
  };
}

function execute(args: readonly string[], cwd: string, env: NodeJS.ProcessEnv, { input, allowedExitCodes = [] }: GitRun): Promise<Buffer> {
  return new Promise((resolve, reject) => {
    const done = (error: ExecFileException | null, stdout: Buffer, stderr: Buffer): void => {
      if (!error || (typeof error.code === 'number' && allowedExitCodes.includes(error.code))) resolve(stdout);
      else if (error.code === 'ENOENT')
        reject(new Error(`cannot keep checkpoints: git was not found on the PATH, or ${cwd} is gone`, { cause: error }));
      else {
        const reason = stderr.toString('utf8').trim() || error.message;
        reject(new GitError(`git ${args[0]} failed: ${reason}`, typeof error.code === 'number' ? error.code : null, stdout));
      }
    };
    const child = execFile('git', [...FIXED_ARGS, ...args], { cwd, env, encoding: 'buffer', maxBuffer: Infinity }, done);
    // git that fails early closes its input: the failure is told by its exit code, not by EPIPE.
    child.stdin?.on('error', () => {});
    child.stdin?.end(input ?? '');
  });
}
