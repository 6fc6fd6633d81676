import { relative, resolve, sep } from 'node:path';

import { createChangeBatch, type FileChangeBatch } from './change-batch.ts';
import { FolderWatch } from './folder-watch.ts';
import { findExcludesFile } from '../git/git-command.ts';
import { openGitIgnore } from '../git/git-ignore.ts';
import { displayPath, nameOf } from './raw-path.ts';

export type { FileChange, FileChangeBatch } from './change-batch.ts';

/** What to watch, and the callbacks. */
export interface WatchFileChangesOptions {
  /** The folder that is watched, with everything below it. */
  readonly cwd: string;
  /** Absolute paths of files whose changes are not reported, such as the files that reporting itself writes. */
  readonly leftOut?: readonly string[];
  /** Called with the changes; never with an empty batch. An error that it throws goes to `onProblem`. */
  readonly onChanges: (batch: FileChangeBatch) => void;
  /** Called with a sentence when something cannot be watched; once for each kind of problem. */
  readonly onProblem?: (sentence: string) => void;
  /** How long changes are collected after the first one. */
  readonly debounceMs?: number;
  /** Aborts the first reading of the tree. The watch then ends. */
  readonly signal?: AbortSignal;
  /** The most files and folders that are watched. */
  readonly maxPaths?: number;
}

/** A running watch. */
export interface FileChangesWatch {
  /** Ends the watch. Pending changes are reported first. */
  close(): Promise<void>;
}

// Left out in addition to ignored files: their changes interest nobody, and node_modules is often larger than everything else.
const neverWatched = new Set(['.git', 'node_modules']);

/**
 * Watches the files below a folder, except for those that git ignores. It reports in batches which were created, modified and deleted.
 * Resolves when the folder has been read; changes from then on are reported. No change to the files makes it throw or end.
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
    isLeftOut: (path, isFolder) => neverWatched.has(nameOf(path)) || unwatched.has(path) || gitIgnore.ignores(displayPath(path), isFolder),
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

  const giveUp = () => watcher.close();
  options.signal?.addEventListener('abort', giveUp, { once: true });
  await watcher.start();
  options.signal?.removeEventListener('abort', giveUp);
  return {
    async close() {
      await watcher.settle();
      // Before the watch forgets which files there were.
      batch.flush();
      watcher.close();
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
