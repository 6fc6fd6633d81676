import { randomUUID } from 'node:crypto';
import {
  chmodSync,
  closeSync,
  fchmodSync,
  mkdirSync,
  openSync,
  readdirSync,
  renameSync,
  rmSync,
  rmdirSync,
  symlinkSync,
  unlinkSync,
  writeFileSync,
} from 'node:fs';
import { setImmediate as nextTurn } from 'node:timers/promises';

import { type BlobReader, openBlobReader } from './git-blobs.ts';
import type { Git } from './git-command.ts';
import { type RawPath, absolutePath, displayPath, parentOf } from './raw-path.ts';
import type { PlannedChange, RestorePlan } from './restore-plan.ts';
import { lstatOf, stampOf } from './work-tree-snapshot.ts';

/** What became of a plan. */
export interface RestoreOutcome {
  readonly done: readonly PlannedChange[];
  /** Changes that could not be made, a sentence each. */
  readonly failures: readonly string[];
}

const FILES_PER_TURN = 200;

/**
 * Carries out a plan: removals first, which frees names that were a file and become a folder or the reverse, then the contents. Each
 * file comes whole or not at all (written beside its place, then renamed). A failure does not keep the others from being done.
 *
 * Calls on small files are synchronous, which took half the time of promises for 5,000 files; the event loop gets its turn between files.
 */
export async function restoreFiles(git: Git, plan: RestorePlan): Promise<RestoreOutcome> {
  const done = new Set<PlannedChange>();
  const failures: string[] = [];
  const attempt = async (change: PlannedChange, act: () => Promise<void> | void): Promise<void> => {
    try {
      checkUntouched(git.root, change);
      await act();
      done.add(change);
    } catch (error) {
      failures.push(`${displayPath(change.path)} could not be ${change.change}: ${error instanceof Error ? error.message : String(error)}`);
    }
  };
  let count = 0;
  for (const change of plan.changes) {
    if (change.change === 'removed') await attempt(change, () => removeFile(git.root, change.path));
    if (++count % FILES_PER_TURN === 0) await nextTurn();
  }
  const folders = new Set<RawPath>(['']);
  const blobs = openBlobReader(git);
  try {
    for (const change of plan.changes) {
      if (change.change !== 'removed') await attempt(change, () => writeEntry(git.root, change, blobs, folders));
    }
  } finally {
    blobs.close();
  }
  return { done: plan.changes.filter((change) => done.has(change)), failures };
}

/** What was changed between the snapshot and now is not in the safety checkpoint, so it must not be lost. */
function checkUntouched(root: string, { path, now }: PlannedChange): void {
  if (!now) return;
  const stats = lstatOf(root, path);
  if (!stats || stampOf(stats) !== now.stamp) throw new Error('somebody changed it during the rollback');
}

function removeFile(root: string, path: RawPath): void {
  unlinkSync(absolutePath(root, path));
  // Folders that became empty by it go too; one that still holds something ends the walk.
  for (let folder = parentOf(path); folder !== ''; folder = parentOf(folder)) {
    try {
      rmdirSync(absolutePath(root, folder));
    } catch {
      return;
    }
  }
}

async function writeEntry(root: string, { path, target, now }: PlannedChange, blobs: BlobReader, folders: Set<RawPath>): Promise<void> {
  if (!target) return;
  const place = absolutePath(root, path);
  const executable = target.mode === '100755';
  // Of a file that is there, only the right to execute is changed: who may read it is not git's to say.
  const present = now && now.mode !== '120000' ? lstatOf(root, path) : undefined;
  const permissions = present && withExecution(Number(present.mode & 0o7777n), executable);
  if (permissions !== undefined && now?.oid === target.oid && target.mode !== '120000') {
    chmodSync(place, permissions);
    return;
  }
  ensureFolder(root, parentOf(path), folders);
  removeEmptyFolders(root, path);
  const beside = absolutePath(root, `${parentOf(path)}/.shannon-dash-${randomUUID()}`.replace(/^\//, ''));
  try {
    if (target.mode === '120000') {
      const chunks: Buffer[] = [];
      await blobs.read(target.oid, (chunk) => void chunks.push(chunk));
      symlinkSync(Buffer.concat(chunks), beside);
    } else {
      const file = openSync(beside, 'wx', executable ? 0o777 : 0o666);
      try {
        await blobs.read(target.oid, (chunk) => writeFileSync(file, chunk));
        if (permissions !== undefined) fchmodSync(file, permissions);
      } finally {
        closeSync(file);
      }
    }
    renameSync(beside, place);
  } catch (error) {
    rmSync(beside, { force: true });
    throw error;
  }
}

/** Who may read may also execute, as git does it. */
function withExecution(permissions: number, executable: boolean): number {
  return executable ? permissions | ((permissions & 0o444) >> 2) : permissions & ~0o111;
}

/** Makes the folder and those above it. Never through a link: what is not a folder itself is refused. */
function ensureFolder(root: string, folder: RawPath, known: Set<RawPath>): void {
  if (known.has(folder)) return;
  ensureFolder(root, parentOf(folder), known);
  const stats = lstatOf(root, folder);
  if (!stats) mkdirSync(absolutePath(root, folder));
  else if (!stats.isDirectory()) throw new Error(`${displayPath(folder)} is not a folder`);
  known.add(folder);
}

/** Where a folder without any file stands in a file's place, it goes. Throws when it holds something after all. */
function removeEmptyFolders(root: string, path: RawPath): void {
  if (!lstatOf(root, path)?.isDirectory()) return;
  for (const name of readdirSync(absolutePath(root, path), { encoding: 'buffer' })) {
    removeEmptyFolders(root, `${path}/${name.toString('latin1')}`);
  }
  rmdirSync(absolutePath(root, path));
}
