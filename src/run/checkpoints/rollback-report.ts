import type { Checkpoint } from './checkpoint-refs.ts';
import { type RawPath, displayPath } from '../files/raw-path.ts';
import type { PlannedChange, RestorePlan } from './restore-plan.ts';
import { sentencesOf } from './work-tree-listing.ts';
import type { WorkTreeSnapshot } from './work-tree-snapshot.ts';

/** One file that a rollback restores, creates again or removes. `path` is below the top. */
interface RestoredPath {
  readonly path: string;
  readonly change: 'restored' | 'recreated' | 'removed';
}

/** The changes that a rollback would make. */
export interface RollbackPreview {
  readonly checkpoint_id: string;
  readonly restore: RestoredPath[];
  readonly unchanged_count: number;
  /** Files that may have changed and stay unchanged, one sentence for each. */
  readonly cannot_undo: string[];
  /** Paths that changed since `markStopped`; only when the files at the stop are known. */
  readonly changed_since_stop?: string[];
}

/** The changes that a rollback made. `restored` counts the files written, recreated ones included. `saved_as` is the checkpoint of the
 * state before. */
export interface RollbackResult extends RollbackPreview {
  readonly saved_as: string;
  /** How many files that checkpoint holds. */
  readonly saved_files: number;
  readonly restored: number;
  readonly removed: number;
}

/** A rollback is refused because files changed since the program was stopped. */
export class ChangedSinceStopError extends Error {
  override readonly name = 'ChangedSinceStopError';
  readonly paths: readonly string[];

  constructor(paths: readonly string[]) {
    super(
      `${paths.length === 1 ? '1 file' : `${paths.length} files`} changed since the program was stopped: ${enumerate(paths)}; to overwrite them, force the rollback (--force)`,
    );
    this.paths = paths;
  }
}

/** Describes a plan, or the part of it that was carried out, for the user. */
export function describe(
  checkpoint: Checkpoint,
  now: WorkTreeSnapshot,
  plan: RestorePlan,
  changes: readonly PlannedChange[],
  failures: readonly string[],
): RollbackPreview {
  const cannotUndo = [...failures, ...plan.leftAlone, ...sentencesOf(now.uncovered)];
  if (now.head !== checkpoint.head) {
    cannotUndo.push(`HEAD moved from ${short(checkpoint.head)} to ${short(now.head)} since the checkpoint; commits are kept`);
  }
  if (now.indexDigest !== checkpoint.index_digest) cannotUndo.push('the index changed since the checkpoint; it is left as it is');
  return {
    checkpoint_id: checkpoint.checkpoint_id,
    restore: changes.map(({ path, change }) => ({ path: displayPath(path), change })),
    unchanged_count: plan.unchangedCount,
    cannot_undo: cannotUndo,
  };
}

/** The paths that differ between two snapshots. */
export function changedPaths(before: WorkTreeSnapshot, after: WorkTreeSnapshot): RawPath[] {
  const changed: RawPath[] = [];
  for (const [path, { oid, mode, permissions }] of after.entries) {
    const was = before.entries.get(path);
    if (was?.oid !== oid || was.mode !== mode || was.permissions !== permissions) changed.push(path);
  }
  for (const path of before.entries.keys()) if (!after.entries.has(path)) changed.push(path);
  return changed.sort();
}

/** Finds the checkpoint with this id; the newest when there are several. */
export function findCheckpoint(all: readonly Checkpoint[], checkpointId: string): Checkpoint {
  const found = all.findLast((checkpoint) => checkpoint.checkpoint_id === checkpointId);
  if (!found) throw new Error(`Checkpoint not found: ${checkpointId} (${whatExists(all)})`);
  return found;
}

/** Checkpoints that a rollback made do not count as steps. Otherwise a second step back would undo the first. */
export function stepBack(all: readonly Checkpoint[], steps: number): Checkpoint {
  const own = all.filter(({ kind }) => kind !== 'before-rollback');
  const found = Number.isSafeInteger(steps) && steps >= 1 ? own.at(-steps) : undefined;
  if (!found) throw new Error(`Cannot go back ${steps} ${steps === 1 ? 'step' : 'steps'} (${whatExists(own)})`);
  return found;
}

export function nextRollbackId(all: readonly Checkpoint[]): string {
  const numbers = all.map(({ checkpoint_id }) => Number(/^before-rollback-(\d+)$/.exec(checkpoint_id)?.[1] ?? 0));
  return `before-rollback-${Math.max(0, ...numbers) + 1}`;
}

function whatExists(all: readonly Checkpoint[]): string {
  if (all.length === 0) return 'there are no checkpoints yet';
  const newestFirst = all.map(({ checkpoint_id }) => checkpoint_id).toReversed();
  return `${all.length === 1 ? 'there is 1 checkpoint' : `there are ${all.length} checkpoints`}, newest first: ${enumerate(newestFirst)}`;
}

/** Lists the first names and the number of the others. */
function enumerate(names: readonly string[]): string {
  return names.length <= 20 ? names.join(', ') : `${names.slice(0, 20).join(', ')} and ${names.length - 20} more`;
}

function short(commit: string | null): string {
  return commit?.slice(0, 10) ?? 'no commit';
}
