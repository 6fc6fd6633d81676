import { randomUUID } from 'node:crypto';
import {
  chmodSync,
  closeSync,
  constants,
  fchmodSync,
  openSync,
  readlinkSync,
  renameSync,
  rmSync,
  symlinkSync,
  unlinkSync,
  writeFileSync,
} from 'node:fs';
import { setImmediate as nextTurn } from 'node:timers/promises';

import { type BlobReader, openBlobReader } from '../git/git-blobs.ts';
import type { GitRepository } from '../git/git-command.ts';
import { type RawPath, displayPath, parentOf, rawPathBelow } from '../files/raw-path.ts';
import { readProcTable } from '../tree/process-table.ts';
import type { PlannedChange, RestorePlan } from './restore-plan.ts';
import { WorkTreeFolders } from './work-tree-folders.ts';
import { lstatAt } from './work-tree-listing.ts';
import { stampOf } from './work-tree-snapshot.ts';

/** What became of a plan. */
export interface RestoreOutcome {
  readonly done: readonly PlannedChange[];
  /** Changes that could not be made, a sentence each. */
  readonly failures: readonly string[];
}

const filesPerTurn = 200;
const usualFolder = 0o755;

/**
 * Carries out a plan: removals first, which frees names that were a file and become a folder or the reverse, then the contents. Each
 * file comes whole or not at all (written beside its place, then renamed). A failure does not keep the others from being done.
 */
export async function restoreFiles(store: GitRepository, root: string, plan: RestorePlan): Promise<RestoreOutcome> {
  const restore = new Restore(store, root, plan);
  try {
    return await restore.run();
  } finally {
    restore.close();
  }
}

/**
 * Calls on small files are synchronous, which took half the time of promises for 5,000 files; the event loop gets its turn between files.
 */
class Restore {
  readonly #plan: RestorePlan;
  readonly #folders: WorkTreeFolders;
  readonly #blobs: BlobReader;
  /** In which some process works: a folder that is removed and made anew is another one to it. */
  readonly #working: ReadonlySet<RawPath>;
  /** Made on the way; their permissions come last. */
  readonly #made = new Set<RawPath>();
  readonly #done = new Set<PlannedChange>();
  readonly #failures: string[] = [];
  #count = 0;

  constructor(store: GitRepository, root: string, plan: RestorePlan) {
    this.#plan = plan;
    this.#folders = new WorkTreeFolders(root);
    this.#blobs = openBlobReader(store);
    this.#working = workingFolders(root);
  }

  async run(): Promise<RestoreOutcome> {
    const { changes } = this.#plan;
    const folders = changes.filter(({ folder, change }) => folder !== undefined && change === 'restored');
    // Wide enough to work in; as they were when all else is done.
    for (const each of folders) await this.#attempt(each, () => this.#folders.setPermissions(pathOf(each), (each.folder ?? 0) | 0o700));
    for (const each of changes) if (each.change === 'removed') await this.#attempt(each, () => this.#remove(each.path));
    for (const each of changes) {
      if (each.folder === undefined && each.change !== 'removed') await this.#attempt(each, () => this.#write(each));
      else if (each.folder !== undefined && each.change === 'recreated') await this.#attempt(each, () => this.#make(pathOf(each)));
    }
    for (const each of folders.toReversed()) await this.#attempt(each, () => this.#folders.setPermissions(pathOf(each), each.folder ?? 0));
    for (const folder of [...this.#made].sort().toReversed()) {
      try {
        this.#folders.setPermissions(folder, this.#plan.folders.get(folder) ?? usualFolder);
      } catch (error) {
        this.#fail(`${folder}/`, 'given its permissions', error);
      }
    }
    return { done: changes.filter((change) => this.#done.has(change)), failures: this.#failures };
  }

  close(): void {
    this.#folders.close();
    this.#blobs.close();
  }

  async #attempt(change: PlannedChange, act: () => Promise<void> | void): Promise<void> {
    try {
      this.#checkUntouched(change);
      await act();
      this.#done.add(change);
    } catch (error) {
      this.#done.delete(change);
      this.#fail(change.path, change.change, error);
    }
    if (++this.#count % filesPerTurn === 0) await nextTurn();
  }

  #fail(path: RawPath, what: string, error: unknown): void {
    this.#failures.push(`${displayPath(path)} could not be ${what}: ${error instanceof Error ? error.message : String(error)}`);
  }

  /** What was changed between the snapshot and now is not in the safety checkpoint, so it must not be lost. */
  #checkUntouched({ path, now }: PlannedChange): void {
    if (!now) return;
    const stats = lstatAt(this.#folders.placeOf(path));
    if (!stats || stampOf(stats) !== now.stamp) throw new Error('somebody changed it during the rollback');
  }

  #remove(path: RawPath): void {
    unlinkSync(this.#folders.placeOf(path));
    // Folders that came since the checkpoint and became empty by it go too; one that still holds something ends the walk.
    for (let folder = parentOf(path); folder !== ''; folder = parentOf(folder)) {
      if (!this.#plan.hasAllFolders || this.#plan.folders.has(folder) || this.#working.has(folder)) return;
      try {
        this.#folders.remove(folder);
      } catch {
        return;
      }
    }
  }

  #make(folder: RawPath): void {
    if (folder !== '') for (const made of this.#folders.make(folder)) this.#made.add(made);
  }

  async #write({ path, target, now }: PlannedChange): Promise<void> {
    if (!target) return;
    if (now?.oid === target.oid && now.mode !== '120000' && target.mode !== '120000') {
      setPermissions(this.#folders.placeOf(path), target.permissions);
      return;
    }
    this.#make(parentOf(path));
    this.#removeEmptyFolders(path);
    const beside = this.#folders.placeOf(besideOf(path));
    try {
      if (target.mode === '120000') {
        const chunks: Buffer[] = [];
        await this.#blobs.read(target.oid, (chunk) => void chunks.push(chunk));
        symlinkSync(Buffer.concat(chunks), beside);
      } else {
        const file = openSync(beside, 'wx', 0o600);
        try {
          await this.#blobs.read(target.oid, (chunk) => writeFileSync(file, chunk));
          fchmodSync(file, target.permissions);
        } finally {
          closeSync(file);
        }
      }
      // The contents may have taken a while: what is held must still be the folder of this path.
      renameSync(beside, this.#folders.placeOf(path));
    } catch (error) {
      rmSync(beside, { force: true });
      throw error;
    }
  }

  /** Where a folder without any file stands in a file's place, it goes. Throws when it holds something after all. */
  #removeEmptyFolders(path: RawPath): void {
    if (!lstatAt(this.#folders.placeOf(path))?.isDirectory()) return;
    if (this.#working.has(path)) throw new Error(`${displayPath(path)} is a folder in which a process works`);
    for (const name of this.#folders.namesIn(path)) this.#removeEmptyFolders(`${path}/${name}`);
    this.#folders.remove(path);
  }
}

/** A folder's path without the slash by which it is told. */
function pathOf({ path }: PlannedChange): RawPath {
  return path.slice(0, -1);
}

function besideOf(path: RawPath): RawPath {
  const folder = parentOf(path);
  return `${folder === '' ? '' : `${folder}/`}.shannon-dash-${randomUUID()}`;
}

/** Of the file itself: a link that took its place is not followed. */
function setPermissions(place: Buffer, permissions: number): void {
  const isLinux = process.platform === 'linux';
  // Linux opens a file for its permissions alone, so that they may be such that nobody reads it.
  const file = openSync(place, constants.O_NOFOLLOW | (isLinux ? 0o10000000 : constants.O_NONBLOCK));
  try {
    if (isLinux) chmodSync(`/proc/self/fd/${file}`, permissions);
    else fchmodSync(file, permissions);
  } finally {
    closeSync(file);
  }
}

/** The folders below the top in which processes work, as far as the system tells. */
function workingFolders(root: string): Set<RawPath> {
  const folders = [process.cwd()];
  if (process.platform === 'linux') {
    for (const { pid } of readProcTable()) {
      try {
        folders.push(readlinkSync(`/proc/${pid}/cwd`));
      } catch {
        // Gone by now, or somebody else's.
      }
    }
  }
  return new Set(folders.flatMap((folder) => rawPathBelow(root, folder) ?? []));
}
