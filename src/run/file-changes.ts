import { lstatSync, type Stats } from 'node:fs';
import { join, relative, resolve, sep } from 'node:path';

import { watch } from 'chokidar';

import { createChangeBatch, type FileChangeBatch } from './change-batch.ts';
import { openGitIgnore } from './git-ignore.ts';

export type { FileChange, FileChangeBatch } from './change-batch.ts';

/** What to watch and whom to tell. */
export interface WatchFileChangesOptions {
  /** The folder watched, with all below it. */
  readonly cwd: string;
  /** Absolute paths of files whose changes are not told, such as those that telling makes. */
  readonly leftOut?: readonly string[];
  /** Called with what changed; never with nothing. What it throws is told by `onProblem`. */
  readonly onChanges: (batch: FileChangeBatch) => void;
  /** Called with a sentence when something cannot be watched; once for each kind of trouble. */
  readonly onProblem?: (sentence: string) => void;
  /** How long the changes after a first one are collected. */
  readonly debounceMs?: number;
  /** How many files and folders are watched at most. */
  readonly maxPaths?: number;
}

/** A running watch. */
export interface FileChangesWatch {
  /** Ends it; changes not yet told are told first. */
  close(): Promise<void>;
}

// Beside what git ignores: nobody wants to see these move, and node_modules alone is often larger than all the rest.
const NEVER_WATCHED = new Set(['.git', 'node_modules']);

/**
 * Watches the files below a folder, except for those git ignores, and tells in batches what was created, modified and deleted. Resolves
 * when the folder has been read: changes from then on are told. Never throws and never ends because of what happens to the files.
 */
export async function watchFileChanges(options: WatchFileChangesOptions): Promise<FileChangesWatch> {
  const { cwd, leftOut = [], onChanges, onProblem = () => {}, debounceMs = 150, maxPaths = 50_000 } = options;
  const root = resolve(cwd);
  const gitIgnore = openGitIgnore(root);
  const unwatched = new Set(leftOut.map((path) => relativePath(root, path)));
  /** Files and folders that are watched. */
  const admitted = new Set<string>();
  /** Files as they were last told of. */
  const files = new Set<string>();
  const told = new Set<string>();
  let ready = false;

  const problem = (kind: string, sentence: string): void => {
    if (told.has(kind)) return;
    told.add(kind);
    onProblem(sentence);
  };
  const batch = createChangeBatch({
    windowMs: debounceMs,
    wasFile: (path) => files.has(path),
    isFile: (path) => {
      const is = isFile(join(root, path));
      if (is) files.add(path);
      else files.delete(path);
      return is;
    },
    handOver: (changes) => {
      try {
        onChanges(changes);
      } catch (error) {
        problem('listener', `file changes could not be passed on: ${messageOf(error)}`);
      }
    },
  });

  const isLeftOut = (path: string, stats?: Stats): boolean => {
    const below = relativePath(root, path);
    if (below === '') return false;
    if (unwatched.has(below) || below.split('/').some((part) => NEVER_WATCHED.has(part))) return true;
    // Without stats chokidar only asks whether it should look closer. A name may be ignored as a folder and not as a file.
    if (gitIgnore.ignores(below, stats?.isDirectory() ?? false)) return true;
    if (!stats || admitted.has(below)) return false;
    if (admitted.size >= maxPaths) {
      problem('cap', `${root} has more than ${maxPaths} files and folders to watch; changes in the others are not told`);
      return true;
    }
    admitted.add(below);
    return false;
  };

  const watcher = watch(root, {
    ignored: isLeftOut,
    // Links are told of as files; following them would lead out of the folder, or round in circles.
    followSymlinks: false,
    // Its own way to see a file that is deleted and written anew as one change hides files named `*~`; the batch sees that too.
    atomic: false,
    // The first files are told to us, not to the listener: with them known, later events need not be believed blindly.
    ignoreInitial: false,
  });
  watcher.on('all', (event, path) => {
    const below = relativePath(root, path);
    if (event === 'unlink' || event === 'unlinkDir') admitted.delete(below);
    if (ready && (below === '.gitignore' || below.endsWith('/.gitignore'))) gitIgnore.reload();
    if (event === 'addDir' || event === 'unlinkDir') return;
    if (ready) batch.touch(below);
    else if (event !== 'unlink') files.add(below);
  });
  watcher.on('error', (error) => {
    const code = error instanceof Error && 'code' in error ? String(error.code) : 'unknown';
    problem(code, sentenceOf(code, error, root));
  });

  await new Promise<void>((done) => watcher.once('ready', done));
  ready = true;
  return {
    async close() {
      await watcher.close();
      batch.flush();
    },
  };
}

function relativePath(root: string, path: string): string {
  const below = relative(root, path);
  return sep === '/' ? below : below.split(sep).join('/');
}

function isFile(path: string): boolean {
  try {
    return lstatSync(path, { throwIfNoEntry: false })?.isDirectory() === false;
  } catch {
    return false;
  }
}

function sentenceOf(code: string, error: unknown, root: string): string {
  if (code === 'ENOSPC')
    return `the system's limit of watched files is reached (fs.inotify.max_user_watches); some changes in ${root} are not told`;
  if (code === 'EMFILE') return `the limit of open files is reached; some changes in ${root} are not told`;
  if (code === 'EACCES' || code === 'EPERM')
    return `some files or folders in ${root} may not be read; their changes are not told (${messageOf(error)})`;
  return `some changes in ${root} may not be told: ${messageOf(error)}`;
}

function messageOf(error: unknown): string {
  return error instanceof Error ? error.message : String(error);
}
