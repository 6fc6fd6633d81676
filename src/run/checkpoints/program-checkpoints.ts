import type { ChildTree } from '../tree/child-tree.ts';
import { openGitCheckpoints, type GitCheckpoints, type GitCheckpointsOptions, type SaveOptions } from './git-checkpoints.ts';
import { describeRun, type LiveRuns } from '../live-runs.ts';
import type { RollbackPreview } from './rollback-report.ts';
import type { Moment, WorkTreeSnapshot } from './work-tree-snapshot.ts';

/** The most paths listed in a command's result, and the most reasons listed in an event. The rest is counted. */
const namedPaths = 500;
const namedReasons = 20;

/** How long the acknowledgement of a HALT waits for the snapshot of the files. */
const stopSnapshotMs = 1_000;

/** How long the start of the program waits for the first checkpoint. Files that it changes before they are read are not kept. */
const startMs = 5_000;
/** The same in a work tree of many files, where the first checkpoint takes long in any case. */
const largeStartMs = 750;
const largeFiles = 5_000;
/** How often the number of files is checked. */
const countMs = 50;

/** A checkpoint, as it is published. */
export interface TakenCheckpoint {
  checkpoint_id: string;
  label: string;
  files: number;
  /** The first files that it does not hold, one sentence for each. */
  not_kept?: string[];
  not_kept_count?: number;
}

/** The fields of a ROLLBACK, as validated by the server. */
export interface RollbackRequest {
  steps?: number | undefined;
  checkpoint_id?: string | undefined;
  dry_run?: boolean | undefined;
  force?: boolean | undefined;
}

/**
 * Checkpoints of a running program's work tree. Each is taken while the program is stopped, so that no file is
 * half-written. A rollback also runs only while the program is stopped, and leaves it stopped.
 */
export class ProgramCheckpoints {
  readonly #checkpoints: GitCheckpoints;
  readonly #liveRuns: LiveRuns;
  /** The files when the program was stopped. Any change since then comes from somebody else. */
  #stoppedFiles: Promise<WorkTreeSnapshot> | undefined;
  #begun: Promise<unknown> = Promise.resolve();
  #restoring: Promise<unknown> = Promise.resolve();
  #removing: Promise<void> | undefined;
  #isOver = false;

  private constructor(checkpoints: GitCheckpoints, liveRuns: LiveRuns) {
    this.#checkpoints = checkpoints;
    this.#liveRuns = liveRuns;
  }

  /** @throws NoCheckpointsError when the folder is not in a git work tree, or git is missing */
  static async open(options: GitCheckpointsOptions, liveRuns: LiveRuns): Promise<ProgramCheckpoints> {
    return new ProgramCheckpoints(await openGitCheckpoints(options), liveRuns);
  }

  /** Whether the run has ended, so that results of running calls are not needed. */
  get isOver(): boolean {
    return this.#isOver;
  }

  /**
   * Takes the first checkpoint. Resolves when the program may start, which in a large work tree is before all files are kept.
   * @returns a promise of the checkpoint
   */
  async start(): Promise<{ taken: Promise<TakenCheckpoint> }> {
    const goesOn: Moment = {};
    const taken = this.#save('start', { label: 'start of the run', kind: 'start', goesOn });
    this.#begun = taken.catch(() => undefined);
    const asked = performance.now();
    while (!(await isSettledWithin(this.#begun, countMs))) {
      if (performance.now() - asked < ((goesOn.files ?? 0) < largeFiles ? startMs : largeStartMs)) continue;
      goesOn.passed = await this.#checkpoints.now();
      break;
    }
    return { taken };
  }

  /** Takes a checkpoint of a running program. Stops the program meanwhile, unless it is stopped already. */
  async take(tree: ChildTree, checkpointId: string, label: string, kind: 'checkpoint' | 'foreign'): Promise<TakenCheckpoint> {
    await this.#begun;
    return tree.whileStopped(() => this.#save(checkpointId, { label, kind }));
  }

  /** Keeps the files of a program that somebody else holds, and waits for it at most so long: see `start`. */
  async keep(checkpointId: string, label: string, mostMs: number): Promise<{ saved: Promise<TakenCheckpoint> }> {
    const goesOn: Moment = {};
    const saved = this.#save(checkpointId, { label, goesOn });
    if (
      !(await isSettledWithin(
        saved.catch(() => undefined),
        mostMs,
      ))
    )
      goesOn.passed = await this.#checkpoints.now();
    return { saved };
  }

  /** Call it when the program was stopped. Later changes come from somebody else. In a large work tree the reading may continue after
   * this resolves. */
  async markStopped(): Promise<void> {
    const atStop = this.#checkpoints.markStopped();
    this.#stoppedFiles = atStop;
    await isSettledWithin(
      atStop.catch(() => undefined),
      stopSnapshotMs,
    );
  }

  /** Call it when the program runs again. */
  markRunning(): void {
    this.#stoppedFiles = undefined;
  }

  /** Returns what a rollback would change, and what it cannot undo. */
  async preview(request: RollbackRequest): Promise<object> {
    const { checkpoint_id } = await this.#resolve(request);
    const others = await this.#otherRuns();
    return { ...shortened(await this.#checkpoints.preview(checkpoint_id, await this.#filesAtStop())), ...others };
  }

  /**
   * Checks whether a rollback is allowed, before the program is stopped for it.
   * @throws Error when the checkpoint is unknown, or when another run works in the work tree and `force` is not set
   */
  async check(request: RollbackRequest): Promise<void> {
    await this.#resolve(request);
    const { other_runs: others = [] } = await this.#otherRuns();
    if (others.length > 0 && request.force !== true)
      throw new Error(`${others.join('; ')}; its files would be turned back too; to do that, force the rollback (--force)`);
  }

  /** Rolls back. The process tree must be stopped and stays stopped. @returns the result, and the checkpoint of the state before */
  async restore(request: RollbackRequest): Promise<{ result: object; savedAs: TakenCheckpoint }> {
    const { checkpoint_id } = await this.#resolve(request);
    const others = await this.#otherRuns();
    const restoring = this.#checkpoints.restore(checkpoint_id, { ...(await this.#filesAtStop()), force: request.force ?? false });
    this.#restoring = restoring.catch(() => undefined);
    const result = await restoring;
    await this.markStopped();
    return {
      result: { ...shortened(result), ...others, note: 'the program stands still and its memory is as it was; RESUME lets it go on' },
      savedAs: { checkpoint_id: result.saved_as, label: `before the rollback to ${checkpoint_id}`, files: result.saved_files },
    };
  }

  /** Whether a checkpoint that is not `foreign` has this id. */
  async isTaken(checkpointId: string): Promise<boolean> {
    const all = await this.#checkpoints.list();
    return all.some(({ checkpoint_id, kind }) => checkpoint_id === checkpointId && kind !== 'foreign');
  }

  /** Aborts running snapshots, but lets a running rollback finish. */
  async close(): Promise<void> {
    await this.#end();
    await this.#removing;
  }

  /** Removes all checkpoints, because the session was deleted. */
  remove(): Promise<void> {
    this.#removing ??= this.#end().then(() => this.#checkpoints.remove());
    return this.#removing;
  }

  async #end(): Promise<void> {
    this.#isOver = true;
    await this.#restoring;
    this.#checkpoints.close();
  }

  async #save(checkpointId: string, options: SaveOptions & { label: string }): Promise<TakenCheckpoint> {
    const { files, notKept } = await this.#checkpoints.save(checkpointId, options);
    const told = { checkpoint_id: checkpointId, label: options.label, files };
    return notKept.length === 0 ? told : { ...told, not_kept: notKept.slice(0, namedReasons), not_kept_count: notKept.length };
  }

  #resolve({ steps, checkpoint_id }: RollbackRequest) {
    if (this.#isOver) throw new Error('the session was deleted, and its checkpoints with it');
    return this.#checkpoints.resolve(checkpoint_id === undefined ? { steps: steps ?? 1 } : { checkpointId: checkpoint_id });
  }

  async #otherRuns(): Promise<{ other_runs?: string[] }> {
    const others = await this.#liveRuns.othersIn(this.#checkpoints.root);
    return others.length === 0 ? {} : { other_runs: others.map(describeRun) };
  }

  async #filesAtStop(): Promise<{ atStop?: WorkTreeSnapshot }> {
    return this.#stoppedFiles === undefined ? {} : { atStop: await this.#stoppedFiles };
  }
}

function shortened<Preview extends RollbackPreview>({ restore, cannot_undo, ...preview }: Preview) {
  return {
    ...preview,
    cannot_undo:
      cannot_undo.length <= namedPaths ? cannot_undo : [...cannot_undo.slice(0, namedPaths), `and ${cannot_undo.length - namedPaths} more`],
    restore: restore.slice(0, namedPaths),
    restore_count: restore.length,
  };
}

/** Whether the promise settles within this time. */
async function isSettledWithin(work: Promise<unknown>, timeoutMs: number): Promise<boolean> {
  let timer: NodeJS.Timeout | undefined;
  const enough = new Promise<boolean>((resolve) => (timer = setTimeout(resolve, timeoutMs, false)));
  const isSettled = await Promise.race([work.then(() => true), enough]);
  clearTimeout(timer);
  return isSettled;
}
