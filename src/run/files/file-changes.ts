import { relative, resolve, sep } from 'node:path';

import { createChangeBatch, type FileChangeBatch } from './change-batch.ts';
import { FolderWatch } from './folder-watch.ts';
import { findExcludesFile } from '../git/git-command.ts';
import { openGitIgnore } from '../git/git-ignore.ts';
import { displayPath, nameOf } from './raw-path.ts';

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
  /** Gives up reading a tree that has not been read to its end: the watch then ends with what it knows. */
  readonly signal?: AbortSignal;
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
  const gitIgnore = openGitIgnore(root, await findExcludesFile(root));
  const unwatched = new Set(leftOut.map((path) => Buffer.from(relativePath(root, path)).toString('latin1')));
  const told = new Set<string>();

  const problem = (kind: string, sentence: string): void => {
    if (told.has(kind)) return;
    told.add(kind);
    onProblem(sentence);
  };
  const watcher = new FolderWatch({
    root,
    maxPaths,
    isLeftOut: (path, isFolder) => NEVER_WATCHED.has(nameOf(path)) || unwatched.has(path) || gitIgnore.ignores(displayPath(path), isFolder),
    onTouched: (path) => {
      if (nameOf(path) === '.gitignore') gitIgnore.reload();
      batch.touch(path);
    },
    onError: (error) => problem(error.code ?? 'unknown', sentenceOf(error.code ?? 'unknown', error, root)),
    onFull: () => problem('cap', `${root} has more than ${maxPaths} files and folders to watch; changes in the others are not told`),
  });
  const batch = createChangeBatch({
    windowMs: debounceMs,
    wasFile: (path) => watcher.wasFile(path),
    isFile: (path) => watcher.isFile(path),
    handOver: ({ changes, let_go }) => {
      try {
        onChanges({ changes: changes.map(({ type, path }) => ({ type, path: displayPath(path) })), let_go });
      } catch (error) {
        problem('listener', `file changes could not be passed on: ${messageOf(error)}`);
      }
    },
  });

  const giveUp = () => void watcher.close();
  options.signal?.addEventListener('abort', giveUp, { once: true });
  await watcher.start();
  options.signal?.removeEventListener('abort', giveUp);
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
