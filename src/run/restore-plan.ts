import { mkdir, open, readdir } from 'node:fs/promises';

import { hashFiles, openBlobReader } from './git-blobs.ts';
import type { Git } from './git-command.ts';
import type { TreeEntry } from './git-tree.ts';
import { type RawPath, absolutePath, displayPath, nameOf, parentOf, splitNul } from './raw-path.ts';
import { type SnapshotEntry, type WorkTreeSnapshot, lstatOf, modeOf } from './work-tree-snapshot.ts';

/** One file that a rollback changes. `target` is what it becomes, `now` what it is; one of them is missing where there is no file. */
export interface PlannedChange {
  readonly path: RawPath;
  readonly change: 'restored' | 'recreated' | 'removed';
  readonly target?: TreeEntry;
  readonly now?: SnapshotEntry;
}

/** What a rollback does to the files, and what it leaves alone. */
export interface RestorePlan {
  readonly changes: readonly PlannedChange[];
  readonly unchangedCount: number;
  /** Files that stay as they are although the checkpoint differs, a sentence each. */
  readonly leftAlone: readonly string[];
}

/** Compares a checkpoint's files with the work tree now. Changes nothing. */
export async function planRestore(git: Git, checkpoint: ReadonlyMap<RawPath, TreeEntry>, now: WorkTreeSnapshot): Promise<RestorePlan> {
  const changes: PlannedChange[] = [];
  const leftAlone: string[] = [];
  const extra = [...now.entries.keys()].filter((path) => !checkpoint.has(path));
  const ignoredThen = await ignoredAtCheckpoint(git, checkpoint, now, extra);
  const removals = new Set(extra.filter((path) => !ignoredThen.has(path)));
  for (const path of ignoredThen) leftAlone.push(`${displayPath(path)} was ignored by git at the checkpoint; it is left as it is`);

  const missing = new Map<RawPath, TreeEntry>();
  let unchangedCount = 0;
  for (const [path, target] of checkpoint) {
    const entry = now.entries.get(path);
    if (!entry) missing.set(path, target);
    else if (entry.oid === target.oid && entry.mode === target.mode) unchangedCount++;
    else changes.push({ path, change: 'restored', target, now: entry });
  }

  const obstacles = new ObstacleFinder(git.root, removals);
  const inPlace: RawPath[] = [];
  for (const [path, target] of missing) {
    const obstacle = await obstacles.find(path);
    if (obstacle === undefined) changes.push({ path, change: 'recreated', target });
    else if (obstacle === path) inPlace.push(path);
    else leftAlone.push(`${displayPath(path)} cannot come back: ${displayPath(obstacle)} is in its place, which no checkpoint holds`);
  }

  // Files that git ignores by now, or that could not be read: those that still are as they were need nothing.
  const oids = await hashFiles(
    git,
    inPlace.filter((path) => lstatOf(git.root, path)?.isFile()),
    { write: false },
  );
  for (const path of inPlace) {
    const target = missing.get(path);
    const stats = lstatOf(git.root, path);
    if (stats && target?.oid === oids.get(path) && target?.mode === modeOf(stats)) unchangedCount++;
    else leftAlone.push(`${displayPath(path)} is ignored by git, or cannot be kept, by now; it is left as it is`);
  }

  for (const path of removals) changes.push({ path, change: 'removed', now: now.entries.get(path) });
  changes.sort((a, b) => (a.path < b.path ? -1 : 1));
  return { changes, unchangedCount, leftAlone };
}

/**
 * Which of the files that came since were ignored by the checkpoint's own rules. A program that deletes a .gitignore makes all of
 * node_modules look new; a rollback that removed it would destroy what was never its own.
 */
async function ignoredAtCheckpoint(
  git: Git,
  checkpoint: ReadonlyMap<RawPath, TreeEntry>,
  now: WorkTreeSnapshot,
  candidates: readonly RawPath[],
): Promise<Set<RawPath>> {
  const rules = [...checkpoint].filter(([path, entry]) => nameOf(path) === '.gitignore' && entry.mode !== '120000');
  const unchanged = rules.every(([path, entry]) => now.entries.get(path)?.oid === entry.oid);
  if (candidates.length === 0 || unchanged) return new Set();
  return await git.withTempFolder(async (folder) => {
    // git is asked in a work tree that holds nothing but the rules as they were.
    const blobs = openBlobReader(git);
    try {
      for (const [path, { oid }] of rules) {
        await mkdir(absolutePath(folder, parentOf(path)), { recursive: true });
        const file = await open(absolutePath(folder, path), 'w');
        try {
          await blobs.read(oid, async (chunk) => void (await file.write(chunk)));
        } finally {
          await file.close();
        }
      }
    } finally {
      blobs.close();
    }
    const input = Buffer.from(candidates.map((path) => `${path}\0`).join(''), 'latin1');
    const args = ['-C', folder, 'check-ignore', '-z', '--stdin', '--no-index'];
    return new Set(splitNul(await git.run(args, { input, env: { GIT_WORK_TREE: folder }, allowedExitCodes: [1] })));
  });
}

/** Finds what stands where a missing file is to come back, and would be destroyed by it. */
class ObstacleFinder {
  readonly #root: string;
  readonly #removals: ReadonlySet<RawPath>;
  readonly #folders = new Map<RawPath, RawPath | undefined>([['', undefined]]);

  constructor(root: string, removals: ReadonlySet<RawPath>) {
    this.#root = root;
    this.#removals = removals;
  }

  /** The path in the way (the file's own one, one above it, or one below it), or undefined where the place is free. */
  async find(path: RawPath): Promise<RawPath | undefined> {
    const above = this.#above(parentOf(path));
    if (above !== undefined) return above;
    // What stands higher up and is removed takes with it whatever lstat would see below, be it through a link.
    if (this.#passesRemoval(parentOf(path))) return undefined;
    const stats = lstatOf(this.#root, path);
    if (!stats) return undefined;
    return stats.isDirectory() ? await this.#below(path) : path;
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
