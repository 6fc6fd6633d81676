import { rm, mkdtemp } from 'node:fs/promises';
import { join } from 'node:path';

import { GitError, GitMissingError, type GitRun, runGit, spawnGit, type StartedGit } from './git-process.ts';

export { GitError } from './git-process.ts';

/** Runs git on one fixed repository. It ignores the user's GIT_* variables and runs no command that the repository configures. */
export interface GitRepository {
  /** Absolute path of the git folder. */
  readonly gitDir: string;
  /** Runs git and gives its standard output. Throws GitError. */
  run(args: readonly string[], options?: GitRun): Promise<Buffer>;
  /** Starts git with pipes for input and output. */
  start(args: readonly string[], options?: Pick<GitRun, 'silenceMs'>): StartedGit;
}

/** Runs git on one work tree, at its top, without taking locks on the user's index. */
export interface Git extends GitRepository {
  /** Absolute path of the work tree's top. */
  readonly root: string;
  /** Absolute path of the git folder that linked work trees share. */
  readonly commonDir: string;
  /** `sha1` or `sha256`. */
  readonly objectFormat: string;
  /** The path of the user's ignore file for all repositories, whether or not the file exists. */
  readonly excludesFile: string | undefined;
  /** Aborts every git process that runs, and prevents new ones. */
  readonly over: AbortSignal;
}

/** Says why no checkpoints can be taken in a folder. */
export class NoCheckpointsError extends Error {
  override readonly name = 'NoCheckpointsError';
  readonly reason: 'no-work-tree' | 'no-git' | 'other-owner' | 'unusable';

  constructor(message: string, reason: NoCheckpointsError['reason'], options?: ErrorOptions) {
    super(`cannot keep checkpoints: ${message}`, options);
    this.reason = reason;
  }
}

/** Hooks that a configuration can define since git 2.54. `core.hooksPath` does not disable them. */
const hookEvents = [
  'reference-transaction',
  'post-index-change',
  'fsmonitor-watchman',
  'pre-auto-gc',
  'post-checkout',
  'pre-commit',
  'post-commit',
  'post-rewrite',
  'pre-push',
];
// These settings keep hooks, file monitors and caches of the user from reacting to these commands, and keep file names unchanged.
const settings = {
  'core.hooksPath': '/dev/null',
  ...Object.fromEntries(hookEvents.map((event) => [`hook.${event}.enabled`, 'false'])),
  'core.fsmonitor': 'false',
  'core.untrackedCache': 'false',
  'core.splitIndex': 'false',
  'core.sparseCheckout': 'false',
  'core.protectNTFS': String(process.platform === 'win32'),
  'core.looseCompression': '1',
  'commit.gpgSign': 'false',
  'i18n.commitEncoding': 'utf-8',
  'gc.auto': '0',
  'protocol.allow': 'never',
  // git ignores a bare repository inside the work tree, because it would apply the configuration in it.
  'safe.bareRepository': 'explicit',
};
const fixedArgs = [
  '--no-pager',
  '--no-replace-objects',
  ...Object.entries(settings).flatMap(([name, value]) => ['-c', `${name}=${value}`]),
];
// These variables only say where git and the user's settings are, including the user's ignore file.
const keptVariables = new Set(['GIT_EXEC_PATH', 'GIT_CONFIG_GLOBAL', 'GIT_CONFIG_SYSTEM', 'GIT_CONFIG_NOSYSTEM']);
/** How long git may take to find the repository. */
const openMs = 10_000;

/** Opens the git work tree that holds `cwd`. @throws NoCheckpointsError when there is none, or no git */
export async function openGit(cwd: string, over: AbortSignal = new AbortController().signal): Promise<Git> {
  const ask = async (args: readonly string[]): Promise<string> => {
    const output = await runGit([...fixedArgs, ...args], cwd, cleanEnvironment({}), { silenceMs: openMs }, over);
    return output.toString('utf8').replace(/\r?\n$/, '');
  };
  try {
    const root = await ask(['rev-parse', '--show-toplevel']);
    if (root === '') throw new NoCheckpointsError(`${cwd} is not inside a git work tree`, 'no-work-tree');
    // One command for each value, because a path may contain a line end.
    const [gitDir, commonDir, objectFormat, excludesFile] = await Promise.all([
      ask(['rev-parse', '--absolute-git-dir']),
      ask(['rev-parse', '--path-format=absolute', '--git-common-dir']),
      ask(['rev-parse', '--show-object-format']),
      findExcludesFile(root),
    ]);
    return pinnedGit({ root, gitDir, commonDir, objectFormat, excludesFile, over });
  } catch (error) {
    if (error instanceof GitMissingError) throw new NoCheckpointsError(error.message, 'no-git', { cause: error });
    if (!(error instanceof GitError)) throw error;
    // git reports these causes only in the text of its message.
    if (/not a git repository|must be run in a work tree|cannot use bare repository/.test(error.message))
      throw new NoCheckpointsError(`${cwd} is not inside a git work tree`, 'no-work-tree', { cause: error });
    const reason = error.message.includes('detected dubious ownership') ? 'other-owner' : 'unusable';
    throw new NoCheckpointsError(`${cwd} cannot be used: ${error.message}`, reason, { cause: error });
  }
}

function pinnedGit(place: Omit<Git, 'run' | 'start'>): Git {
  // Fixed here, so that a .git that the program creates or moves later does not change the repository in use.
  return { ...place, ...gitAt(place.root, { GIT_DIR: place.gitDir, GIT_WORK_TREE: place.root }, place.over) };
}

/** Opens git on a bare repository that holds checkpoints. It works at the top of the work tree and also reads the objects of `git`. */
export function openPrivateGit(gitDir: string, git: Git): GitRepository {
  // Quoted for git, because a path may contain the separator of paths.
  const quoted = `${git.commonDir}/objects`.replace(/["\\]/g, '\\$&').replaceAll('\n', '\\n');
  const variables = { GIT_DIR: gitDir, GIT_ALTERNATE_OBJECT_DIRECTORIES: `"${quoted}"` };
  return { gitDir, ...gitAt(git.root, variables, git.over) };
}

/** Opens git on a checkpoint repository without its work tree. */
export function openStoredGit(gitDir: string): GitRepository {
  return { gitDir, ...gitAt(gitDir, { GIT_DIR: gitDir }, new AbortController().signal) };
}

/** Opens git in a folder, on the repository that the folder is in. What is run finds none where there is none. */
export function openGitIn(folder: string): Pick<GitRepository, 'run' | 'start'> {
  return gitAt(folder, {}, new AbortController().signal);
}

/** Makes git store every object in the checkpoint repository itself, even when the user's repository already has it. */
export const ownObjectsOnly = { GIT_ALTERNATE_OBJECT_DIRECTORIES: '' };

function gitAt(root: string, variables: Record<string, string>, over: AbortSignal): Pick<GitRepository, 'run' | 'start'> {
  const env = cleanEnvironment(variables);
  return {
    run: (args, options = {}) => runGit([...fixedArgs, ...args], options.cwd ?? root, { ...env, ...options.env }, options, over),
    start: (args, options) => spawnGit([...fixedArgs, ...args], { cwd: root, env, ...options }),
  };
}

/** Runs `work` with a temporary folder in `parent`, and removes the folder afterwards. */
export async function withTempFolder<T>(parent: string, work: (folder: string) => Promise<T>): Promise<T> {
  const folder = await mkdtemp(join(parent, 'shannon-dash-'));
  try {
    return await work(folder);
  } finally {
    await rm(folder, { recursive: true, force: true });
  }
}

function cleanEnvironment(own: Record<string, string>): NodeJS.ProcessEnv {
  const inherited = Object.entries(process.env).filter(([name]) => !name.toUpperCase().startsWith('GIT_') || keptVariables.has(name));
  return {
    ...Object.fromEntries(inherited),
    LC_ALL: 'C',
    GIT_OPTIONAL_LOCKS: '0',
    GIT_TERMINAL_PROMPT: '0',
    // git does not fetch missing objects, because fetching may run a command from the repository's configuration.
    GIT_NO_LAZY_FETCH: '1',
    GIT_ALLOW_PROTOCOL: 'none',
    GIT_AUTHOR_NAME: 'shannon-dash',
    GIT_AUTHOR_EMAIL: 'shannon-dash@localhost',
    GIT_COMMITTER_NAME: 'shannon-dash',
    GIT_COMMITTER_EMAIL: 'shannon-dash@localhost',
    ...own,
  };
}

/** Finds the path of the user's ignore file for all repositories. It also works without a repository or without git. */
export async function findExcludesFile(cwd: string): Promise<string | undefined> {
  const args = [...fixedArgs, 'config', '--type=path', '--get', 'core.excludesFile'];
  const named = await runGit(args, cwd, cleanEnvironment({}), { silenceMs: openMs, allowedExitCodes: [1] }).catch(() => '');
  return named.toString('utf8').replace(/\r?\n$/, '') || defaultExcludesFile();
}

/** The path where git looks for the user's ignore file when no setting names one. */
function defaultExcludesFile(): string | undefined {
  const { XDG_CONFIG_HOME, HOME } = process.env;
  if (XDG_CONFIG_HOME) return join(XDG_CONFIG_HOME, 'git', 'ignore');
  return HOME ? join(HOME, '.config', 'git', 'ignore') : undefined;
}
