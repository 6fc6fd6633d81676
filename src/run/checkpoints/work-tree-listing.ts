import { createHash } from 'node:crypto';
import { type BigIntStats, type Dirent, lstatSync, readFileSync, readdirSync, statSync } from 'node:fs';
import { join } from 'node:path';
import { setImmediate as nextTurn } from 'node:timers/promises';

import type { Git } from '../git/git-command.ts';
import { type RawPath, absolutePath, displayPath, parentOf, splitNul } from '../files/raw-path.ts';
import { isWritablePath } from '../files/writable-path.ts';

/** The files of a work tree at one moment, as git lists them. */
export interface WorkTreeListing {
  /** Tracked files, and untracked ones that are not ignored. */
  readonly paths: ReadonlySet<RawPath>;
  /** Which of them are tracked. */
  readonly tracked: ReadonlySet<RawPath>;
  /** Entries of the work tree that cannot be kept: the path and the reason. */
  readonly uncovered: readonly [path: RawPath, what: string][];
  /** Digest of the staged modes, ids and paths. It does not change when git refreshes its index. */
  readonly indexDigest: string;
  /** The commit of HEAD, or null before the first one. */
  readonly head: string | null;
}

/** The ignored files at one moment. */
export interface IgnoredListing {
  /** Ignored files, and folders with only ignored files. The path of a folder ends in a slash. */
  readonly paths: readonly RawPath[];
  /** Whether `paths` is complete. */
  readonly isWhole: boolean;
  /** The rules from files outside the work tree: the user's, then the repository's. */
  readonly rules: string;
}

/** Folders of a work tree, with their permissions. */
export interface FolderListing {
  readonly permissions: ReadonlyMap<RawPath, number>;
  readonly isWhole: boolean;
}

const ignoredPaths = 20_000;
const folderCount = 50_000;
const rulesBytes = 256 * 1024;
/** Synchronous lstat is faster, but in a large tree the event loop must run in between. */
const statsPerTurn = 500;

/** Lists the files. `leftOut`: files and folders that are skipped. */
export async function listFiles(git: Git, leftOut: readonly RawPath[]): Promise<WorkTreeListing> {
  const [staged, others, head] = await Promise.all([
    git.run(['ls-files', '--stage', '-z']),
    git.run([...excludesArgs(git), 'ls-files', '--others', '--exclude-standard', '-z']),
    git.run(['rev-parse', '--verify', '--quiet', 'HEAD'], { allowedExitCodes: [1, 128] }),
  ]);
  const paths = new Set<RawPath>();
  const uncovered: [RawPath, string][] = [];
  const isLeftOut = below(leftOut);
  const add = (path: RawPath) => {
    if (isLeftOut(path)) return;
    if (isWritablePath(path)) paths.add(path);
    else uncovered.push([path, 'has a name that git writes nowhere']);
  };
  for (const record of splitNul(staged)) {
    const path = record.slice(record.indexOf('\t') + 1);
    if (record.startsWith('160000')) uncovered.push([path, 'is a submodule; its files are not part of checkpoints']);
    else add(path);
  }
  const tracked = new Set(paths);
  for (const path of splitNul(others)) {
    // A slash at the end of a name marks a nested repository, whose files git does not list.
    if (!path.endsWith('/')) add(path);
    else if (!isLeftOut(path.slice(0, -1))) uncovered.push([path, 'is a repository of its own; its files are not part of checkpoints']);
  }
  const commit = head.toString('latin1').trim();
  const indexDigest = createHash('sha256').update(staged).digest('hex');
  return { paths, tracked, uncovered, indexDigest, head: /^[0-9a-f]+$/.test(commit) ? commit : null };
}

/** Lists the files that git ignores by its current rules. */
export async function listIgnored(git: Git): Promise<IgnoredListing> {
  const args = [...excludesArgs(git), 'ls-files', '--others', '--ignored', '--exclude-standard', '--directory', '-z'];
  const paths: RawPath[] = [];
  let folder = '';
  let isWhole = true;
  for (const path of splitNul(await git.run(args))) {
    // git also lists ignored files inside an ignored folder when a rule in that folder matches them.
    if (folder !== '' && path.startsWith(folder)) continue;
    if (paths.length === ignoredPaths) {
      isWhole = false;
      break;
    }
    paths.push(path);
    if (path.endsWith('/')) folder = path;
  }
  const files = [git.excludesFile, join(git.commonDir, 'info', 'exclude')];
  return { paths, isWhole, rules: files.map((file) => (file === undefined ? '' : readRules(file))).join('\n') };
}

/** Lists the folders below the top that may hold files of a checkpoint. Symbolic links are not followed. */
export async function listFolders(root: string, ignored: readonly RawPath[], leftOut: readonly RawPath[]): Promise<FolderListing> {
  const permissions = new Map<RawPath, number>();
  const passedOver = new Set(ignored.filter((path) => path.endsWith('/')).map((path) => path.slice(0, -1)));
  const isLeftOut = below(leftOut);
  const waiting: RawPath[] = [''];
  for (let folder = waiting.pop(); folder !== undefined; folder = waiting.pop()) {
    const entries = entriesIn(root, folder);
    // A nested repository is left out.
    if (folder !== '' && entries.some(({ name }) => name.toString('latin1') === '.git')) continue;
    if (folder !== '') {
      const stats = lstatOf(root, folder);
      if (stats) permissions.set(folder, permissionsOf(stats));
    }
    for (const entry of entries) {
      const path = `${folder === '' ? '' : `${folder}/`}${entry.name.toString('latin1')}`;
      if (entry.isDirectory() && !passedOver.has(path) && !isLeftOut(path) && isWritablePath(path)) waiting.push(path);
    }
    if (permissions.size >= folderCount) return { permissions, isWhole: false };
    if (permissions.size % statsPerTurn === 0) await nextTurn();
  }
  return { permissions, isWhole: true };
}

/** Returns the stats of existing files. Tracked files that were deleted, or whose folder became a link or a file, are left out. */
export async function statAll(root: string, paths: Iterable<RawPath>): Promise<Map<RawPath, BigIntStats>> {
  const folders = new Map<RawPath, boolean>([['', true]]);
  const isRealFolder = (folder: RawPath): boolean => {
    let real = folders.get(folder);
    if (real === undefined) {
      real = isRealFolder(parentOf(folder)) && lstatOf(root, folder)?.isDirectory() === true;
      folders.set(folder, real);
    }
    return real;
  };
  const found = new Map<RawPath, BigIntStats>();
  let count = 0;
  for (const path of paths) {
    if (++count % statsPerTurn === 0) await nextTurn();
    // Through a symbolic link lstat would find files outside the work tree.
    const stats = isRealFolder(parentOf(path)) ? lstatOf(root, path) : undefined;
    if (stats && !stats.isDirectory()) found.set(path, stats);
  }
  return found;
}

/** Returns the stats of a path without following links; undefined when it does not exist or may not be accessed. */
export function lstatOf(root: string, path: RawPath): BigIntStats | undefined {
  return lstatAt(absolutePath(root, path));
}

/** The same for any absolute path. */
export function lstatAt(place: Buffer): BigIntStats | undefined {
  try {
    return lstatSync(place, { bigint: true, throwIfNoEntry: false });
  } catch {
    return undefined;
  }
}

/** The permission bits of a file, without setuid, setgid and sticky. */
export function permissionsOf(stats: BigIntStats): number {
  return Number(stats.mode & 0o777n);
}

/** Describes the uncovered paths in sentences. */
export function sentencesOf(uncovered: Iterable<readonly [RawPath, string]>): string[] {
  return Array.from(uncovered, ([path, what]) => `${displayPath(path)} ${what}`);
}

/** Returns a test: whether a path is one of these, or is below one. */
function below(paths: readonly RawPath[]): (path: RawPath) => boolean {
  if (paths.length === 0) return () => false;
  const all = new Set(paths);
  return (path) => {
    for (let part = path; part !== ''; part = parentOf(part)) if (all.has(part)) return true;
    return false;
  };
}

/** git would block on a pipe or a device in place of the user's ignore file, so only a regular file is passed. */
function excludesArgs({ excludesFile }: Git): string[] {
  try {
    if (excludesFile === undefined || statSync(excludesFile, { throwIfNoEntry: false })?.isFile() !== false) return [];
  } catch {
    // The file may not be accessed. git ignores it too.
    return [];
  }
  return ['-c', 'core.excludesFile=/dev/null'];
}

function readRules(file: string): string {
  try {
    return statSync(file).isFile() ? readFileSync(file).subarray(0, rulesBytes).toString('latin1') : '';
  } catch {
    return '';
  }
}

function entriesIn(root: string, folder: RawPath): Dirent<Buffer>[] {
  try {
    return readdirSync(folder === '' ? Buffer.from(root) : absolutePath(root, folder), { withFileTypes: true, encoding: 'buffer' });
  } catch {
    return [];
  }
}
