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

/** The result of carrying out a plan. */
export interface RestoreOutcome {
  readonly done: readonly PlannedChange[];
  /** Changes that failed, one sentence for each. */
  readonly failures: readonly string[];
}

const filesPerTurn = 200;
const usualFolder = 0o755;

/**
 * Carries out a plan. Removals come first, because a file may become a folder of the same name or the reverse. Then it writes the
 * contents. Each file is written beside its place and then renamed, so it is never half-written. After a failure the other changes are
 * still made.
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
 * Uses synchronous calls for small files: for 5,000 files they take half the time of promises. The event loop runs between files.
 */
class Restore {
  readonly #plan: RestorePlan;
  readonly #folders: WorkTreeFolders;
  readonly #blobs: BlobReader;
  /** Working folders of processes. They are not removed, because the process would stay in the removed folder. */
  readonly #working: ReadonlySet<RawPath>;
  /** Folders that were created. Their permissions are set last. */
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
    // The owner gets full access for now. The final permissions are set at the end.
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

  /** A file that changed after the snapshot is not in the safety checkpoint, so it must not be overwritten. */
  #checkUntouched({ path, now }: PlannedChange): void {
    if (!now) return;
    const stats = lstatAt(this.#folders.placeOf(path));
    if (!stats || stampOf(stats) !== now.stamp) throw new Error('somebody changed it during the rollback');
  }

  #remove(path: RawPath): void {
    unlinkSync(this.#folders.placeOf(path));
    // Also remove folders that are newer than the checkpoint and are empty now. The first folder that is not empty ends the loop.
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
      // Writing the contents may take long, so the open folder is checked again: it must still be the folder of this path.
      renameSync(beside, this.#folders.placeOf(path));
    } catch (error) {
      rmSync(beside, { force: true });
      throw error;
    }
  }

  /** Removes a folder without files that is in the place of a file. Throws when the folder is not empty after all. */
  #removeEmptyFolders(path: RawPath): void {
    if (!lstatAt(this.#folders.placeOf(path))?.isDirectory()) return;
    if (this.#working.has(path)) throw new Error(`${displayPath(path)} is a folder in which a process works`);
    for (const name of this.#folders.namesIn(path)) this.#removeEmptyFolders(`${path}/${name}`);
    this.#folders.remove(path);
  }
}

/** A folder's path without the slash at its end. */
function pathOf({ path }: PlannedChange): RawPath {
  return path.slice(0, -1);
}

function besideOf(path: RawPath): RawPath {
  const folder = parentOf(path);
  return `${folder === '' ? '' : `${folder}/`}.shannon-dash-${randomUUID()}`;
}

/** Sets the permissions of the file itself. A symbolic link that replaced it is not followed. */
function setPermissions(place: Buffer, permissions: number): void {
  const isLinux = process.platform === 'linux';
  // O_PATH of Linux opens a file without the right to read it.
  const file = openSync(place, constants.O_NOFOLLOW | (isLinux ? 0o10000000 : constants.O_NONBLOCK));
  try {
    if (isLinux) chmodSync(`/proc/self/fd/${file}`, permissions);
    else fchmodSync(file, permissions);
  } finally {
    closeSync(file);
  }
}

/** The working folders of processes below the top, as far as the system shows them. */
function workingFolders(root: string): Set<RawPath> {
  const folders = [process.cwd()];
  if (process.platform === 'linux') {
    for (const { pid } of readProcTable()) {
      try {
        folders.push(readlinkSync(`/proc/${pid}/cwd`));
      } catch {
        // The process has ended, or belongs to another user.
      }
    }
  }
  return new Set(folders.flatMap((folder) => rawPathBelow(root, folder) ?? []));
}
