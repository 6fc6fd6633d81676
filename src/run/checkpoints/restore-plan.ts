import { mkdir, open, readdir, writeFile } from 'node:fs/promises';
import { join } from 'node:path';

import type { CheckpointContents } from './checkpoint-detail.ts';
import { hashFiles, openBlobReader } from '../git/git-blobs.ts';
import { type GitRepository, withTempFolder } from '../git/git-command.ts';
import type { KeptEntry } from '../git/git-tree.ts';
import { type RawPath, absolutePath, displayPath, nameOf, parentOf, splitNul } from '../files/raw-path.ts';
import { lstatOf, permissionsOf } from './work-tree-listing.ts';
import { type SnapshotEntry, type WorkTreeSnapshot, modeOf } from './work-tree-snapshot.ts';

/**
 * One file that a rollback changes. `target` is its state in the checkpoint and `now` its current state; undefined means that there is
 * no file. For a folder, whose path ends in a slash, only the permissions change.
 */
export interface PlannedChange {
  readonly path: RawPath;
  readonly change: 'restored' | 'recreated' | 'removed';
  readonly target?: KeptEntry | undefined;
  readonly now?: SnapshotEntry | undefined;
  readonly folder?: number;
}

/** The changes of a rollback, and the files that it leaves unchanged. */
export interface RestorePlan extends Pick<CheckpointContents, 'folders' | 'hasAllFolders'> {
  readonly changes: readonly PlannedChange[];
  readonly unchangedCount: number;
  /** Files that stay unchanged although the checkpoint differs, one sentence for each. */
  readonly leftAlone: readonly string[];
}

/** Compares a checkpoint's files with the work tree now. Changes nothing. */
export async function planRestore(
  store: GitRepository,
  root: string,
  checkpoint: CheckpointContents,
  now: WorkTreeSnapshot,
): Promise<RestorePlan> {
  const leftAlone = checkpoint.refused.map((path) => `${displayPath(path)} is not written: git would not write such a name either`);
  const { missing, changes, same } = compare(checkpoint, now);
  const removals = await findRemovals(store, checkpoint, now, leftAlone);
  let unchangedCount = same;

  const obstacles = new ObstacleFinder(root, removals);
  const inPlace: RawPath[] = [];
  for (const [path, target] of missing) {
    const obstacle = await obstacles.find(path);
    if (obstacle === undefined) changes.push({ path, change: 'recreated', target });
    else if (obstacle === path) inPlace.push(path);
    else leftAlone.push(inTheWay(path, obstacle));
  }

  // Files that git ignores now, or that could not be kept. They are only mentioned when they differ from the checkpoint.
  const reason = (path: RawPath) =>
    now.uncovered.has(path) ? `${now.uncovered.get(path)}, so it is left as it is` : 'is ignored by git by now; it is left as it is';
  const oids = await hashFiles(
    store,
    inPlace.filter((path) => !now.uncovered.has(path) && lstatOf(root, path)?.isFile()),
    { write: false },
  );
  for (const path of inPlace) {
    const target = missing.get(path);
    const stats = lstatOf(root, path);
    if (stats && target?.oid === oids.get(path) && target?.mode === modeOf(stats)) unchangedCount++;
    else leftAlone.push(`${displayPath(path)} ${reason(path)}`);
  }

  for (const path of removals) changes.push({ path, change: 'removed', now: now.entries.get(path) });
  changes.push(...(await planFolders(root, checkpoint, obstacles, leftAlone)));
  changes.sort((a, b) => (a.path < b.path ? -1 : 1));
  return { changes, unchangedCount, leftAlone, folders: checkpoint.folders, hasAllFolders: checkpoint.hasAllFolders };
}

function compare(checkpoint: CheckpointContents, now: WorkTreeSnapshot) {
  const missing = new Map<RawPath, KeptEntry>();
  const changes: PlannedChange[] = [];
  let same = 0;
  for (const [path, target] of checkpoint.entries) {
    const entry = now.entries.get(path);
    if (!entry) missing.set(path, target);
    else if (entry.oid !== target.oid || entry.mode !== target.mode || hasOtherPermissions(entry, target))
      changes.push({ path, change: 'restored', target, now: entry });
    else same++;
  }
  return { missing, changes, same };
}

/** Permissions of a symbolic link have no effect, so they are not compared. */
function hasOtherPermissions(entry: KeptEntry, target: KeptEntry): boolean {
  return target.mode !== '120000' && entry.permissions !== target.permissions;
}

/** Finds the files that are newer than the checkpoint. Files that existed then but were not kept are not among them. */
async function findRemovals(
  store: GitRepository,
  checkpoint: CheckpointContents,
  now: WorkTreeSnapshot,
  leftAlone: string[],
): Promise<Set<RawPath>> {
  const extra: RawPath[] = [];
  for (const path of now.entries.keys()) {
    if (checkpoint.entries.has(path)) continue;
    if (checkpoint.uncovered.has(path)) leftAlone.push(`${displayPath(path)} is not in the checkpoint; it is left as it is`);
    else extra.push(path);
  }
  const ignoredThen = await ignoredAtCheckpoint(store, checkpoint, now, extra);
  for (const path of ignoredThen) leftAlone.push(`${displayPath(path)} was ignored by git at the checkpoint; it is left as it is`);
  return new Set(extra.filter((path) => !ignoredThen.has(path)));
}

/** Plans deleted folders that held no file (others are created with their files), and folders whose permissions changed. */
async function planFolders(
  root: string,
  { folders, entries }: CheckpointContents,
  obstacles: ObstacleFinder,
  leftAlone: string[],
): Promise<PlannedChange[]> {
  const holding = new Set<RawPath>();
  for (const path of entries.keys())
    for (let folder = parentOf(path); folder !== '' && !holding.has(folder); folder = parentOf(folder)) holding.add(folder);
  const planned: PlannedChange[] = [];
  for (const [path, permissions] of folders) {
    const stats = lstatOf(root, path);
    if (stats?.isDirectory() === true && !obstacles.isBelowLink(path)) {
      if (permissionsOf(stats) !== permissions) planned.push({ path: `${path}/`, change: 'restored', folder: permissions });
    } else if (!holding.has(path)) {
      const obstacle = await obstacles.find(path);
      if (obstacle === undefined) planned.push({ path: `${path}/`, change: 'recreated', folder: permissions });
      else leftAlone.push(inTheWay(path, obstacle));
    }
  }
  return planned;
}

function inTheWay(path: RawPath, obstacle: RawPath): string {
  return `${displayPath(path)} cannot come back: ${displayPath(obstacle)} is in its place, which no checkpoint holds`;
}

/**
 * Finds the newer files that git ignored at the checkpoint, or would have ignored by the rules of that time. When a program deletes a
 * .gitignore, all of node_modules looks new. A rollback must not remove those files, because no checkpoint contains them.
 */
async function ignoredAtCheckpoint(
  store: GitRepository,
  { entries, ignored, rules }: CheckpointContents,
  now: WorkTreeSnapshot,
  candidates: readonly RawPath[],
): Promise<Set<RawPath>> {
  if (candidates.length === 0) return new Set();
  const listed = new Set(ignored);
  const found = new Set(candidates.filter((path) => isListed(listed, path)));
  const files = [...entries].filter(([path, entry]) => nameOf(path) === '.gitignore' && entry.mode !== '120000');
  const isUnchanged = files.every(([path, entry]) => now.entries.get(path)?.oid === entry.oid);
  if (isUnchanged && rules.trim() === '') return found;
  return await withTempFolder(store.gitDir, async (folder) => {
    // git runs in a temporary work tree that holds only the rules of that time.
    const top = join(folder, 'tree');
    await mkdir(top);
    await writeFile(join(folder, 'rules'), rules, 'latin1');
    await writeRules(store, top, files);
    const input = Buffer.from(candidates.map((path) => `${path}\0`).join(''), 'latin1');
    const args = ['-c', `core.excludesFile=${join(folder, 'rules')}`, 'check-ignore', '-z', '--stdin', '--no-index'];
    const output = await store.run(args, { input, cwd: top, env: { GIT_WORK_TREE: top }, allowedExitCodes: [1] });
    for (const path of splitNul(output)) found.add(path);
    return found;
  });
}

async function writeRules(store: GitRepository, top: string, files: readonly (readonly [RawPath, KeptEntry])[]): Promise<void> {
  const blobs = openBlobReader(store);
  try {
    for (const [path, { oid }] of files) {
      await mkdir(absolutePath(top, parentOf(path)), { recursive: true });
      const file = await open(absolutePath(top, path), 'w');
      try {
        await blobs.read(oid, async (chunk) => void (await file.write(chunk)));
      } finally {
        await file.close();
      }
    }
  } finally {
    blobs.close();
  }
}

function isListed(listed: ReadonlySet<RawPath>, path: RawPath): boolean {
  if (listed.has(path)) return true;
  for (let folder = parentOf(path); folder !== ''; folder = parentOf(folder)) if (listed.has(`${folder}/`)) return true;
  return false;
}

/** Finds files that would be overwritten when a missing file is restored. */
class ObstacleFinder {
  readonly #root: string;
  readonly #removals: ReadonlySet<RawPath>;
  readonly #folders = new Map<RawPath, RawPath | undefined>([['', undefined]]);

  constructor(root: string, removals: ReadonlySet<RawPath>) {
    this.#root = root;
    this.#removals = removals;
  }

  /** Returns the path that is in the way (the same path, one above or one below it); undefined when the place is free. */
  async find(path: RawPath): Promise<RawPath | undefined> {
    const above = this.#above(parentOf(path));
    if (above !== undefined) return above;
    // When a path above is removed first, nothing that lstat finds below it can be in the way.
    if (this.#passesRemoval(path)) return undefined;
    const stats = lstatOf(this.#root, path);
    if (!stats) return undefined;
    return stats.isDirectory() ? await this.#below(path) : path;
  }

  /** Whether a part of the path above it is a symbolic link or a file. */
  isBelowLink(path: RawPath): boolean {
    return this.#passesRemoval(parentOf(path)) || this.#above(parentOf(path)) !== undefined;
  }

  #passesRemoval(folder: RawPath): boolean {
    return folder !== '' && (this.#removals.has(folder) || this.#passesRemoval(parentOf(folder)));
  }

  #above(folder: RawPath): RawPath | undefined {
    if (this.#folders.has(folder)) return this.#folders.get(folder);
    let obstacle = this.#above(parentOf(folder));
    if (obstacle === undefined && !this.#passesRemoval(folder)) {
      const stats = lstatOf(this.#root, folder);
      if (stats && !stats.isDirectory()) obstacle = folder;
    }
    this.#folders.set(folder, obstacle);
    return obstacle;
  }

  async #below(folder: RawPath): Promise<RawPath | undefined> {
    for (const entry of await readdir(absolutePath(this.#root, folder), { withFileTypes: true, encoding: 'buffer' })) {
      const path = `${folder}/${entry.name.toString('latin1')}`;
      const obstacle = entry.isDirectory() ? await this.#below(path) : this.#removals.has(path) ? undefined : path;
      if (obstacle !== undefined) return obstacle;
    }
    return undefined;
  }
}
