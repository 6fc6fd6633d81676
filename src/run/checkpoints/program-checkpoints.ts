import type { ChildTree } from '../tree/child-tree.ts';
import { openGitCheckpoints, type GitCheckpoints, type GitCheckpointsOptions, type SaveOptions } from './git-checkpoints.ts';
import { describeRun, type LiveRuns } from '../live-runs.ts';
import type { RollbackPreview } from './rollback-report.ts';
import type { Moment, WorkTreeSnapshot } from './work-tree-snapshot.ts';

/** Paths named in a command's result, and reasons named in an event; more are counted. */
const namedPaths = 500;
const namedReasons = 20;

/** How long a stopped program's files may take to be looked at before the HALT is acknowledged. */
const stopSnapshotMs = 1_000;

/** How long the program waits for its files to be kept: it begins then, and what it changes meanwhile is not kept. */
const startMs = 5_000;
/** The same in a work tree of many files, where reading takes its time for sure. */
const largeStartMs = 750;
const largeFiles = 5_000;
/** How often is looked whether that many were counted. */
const countMs = 50;

/** A checkpoint to announce in the journal. */
export interface TakenCheckpoint {
  checkpoint_id: string;
  label: string;
  files: number;
  /** What is not in it, a sentence each; the first ones. */
  not_kept?: string[];
  not_kept_count?: number;
}

/** The fields of a ROLLBACK, as checked by the server. */
export interface RollbackRequest {
  steps?: number | undefined;
  checkpoint_id?: string | undefined;
  dry_run?: boolean | undefined;
  force?: boolean | undefined;
}

/**
 * Checkpoints of a running program's work tree. Each is taken while the program stands still, so that no file is caught
 * half-written; and a rollback restores only while it stands still, and leaves it so.
 */
export class ProgramCheckpoints {
  readonly #checkpoints: GitCheckpoints;
  readonly #liveRuns: LiveRuns;
  /** The files as they were when the program was stopped: whoever changed them since was somebody else. */
  #stoppedFiles: Promise<WorkTreeSnapshot> | undefined;
  #begun: Promise<unknown> = Promise.resolve();
  #restoring: Promise<unknown> = Promise.resolve();
  #removing: Promise<void> | undefined;
  #isOver = false;

  private constructor(checkpoints: GitCheckpoints, liveRuns: LiveRuns) {
    this.#checkpoints = checkpoints;
    this.#liveRuns = liveRuns;
  }

  /** @throws NoCheckpointsError not in a git work tree, no git */
  static async open(options: GitCheckpointsOptions, liveRuns: LiveRuns): Promise<ProgramCheckpoints> {
    return new ProgramCheckpoints(await openGitCheckpoints(options), liveRuns);
  }

  /** The run has ended: what is still being read is of no use. */
  get isOver(): boolean {
    return this.#isOver;
  }

  /**
   * Keeps the files as they are before the program begins. Resolves when it may begin: in a large work tree before all is kept.
   * @returns the checkpoint, once it is there
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

  /** Takes a checkpoint of a running program: stops it for that moment, unless it stands still anyway. */
  async take(tree: ChildTree, checkpointId: string, label: string, kind: 'checkpoint' | 'foreign'): Promise<TakenCheckpoint> {
    await this.#begun;
    return tree.whileStopped(() => this.#save(checkpointId, { label, kind }));
  }

  /** The program was stopped: what changes from now on is not its work. A large work tree may still be read when this resolves. */
  async markStopped(): Promise<void> {
    const atStop = this.#checkpoints.markStopped();
    this.#stoppedFiles = atStop;
    await isSettledWithin(
      atStop.catch(() => undefined),
      stopSnapshotMs,
    );
  }

  /** The program goes on. */
  markRunning(): void {
    this.#stoppedFiles = undefined;
  }

  /** What a rollback would change, or once more what it cannot. */
  async preview(request: RollbackRequest): Promise<object> {
    const { checkpoint_id } = await this.#resolve(request);
    const others = await this.#otherRuns();
    return { ...shortened(await this.#checkpoints.preview(checkpoint_id, await this.#filesAtStop())), ...others };
  }

  /**
   * Looks whether a rollback may be carried out, before anything is stopped for it.
   * @throws Error it names an unknown checkpoint, or somebody else works in the work tree and it is not forced
   */
  async check(request: RollbackRequest): Promise<void> {
    await this.#resolve(request);
    const { other_runs: others = [] } = await this.#otherRuns();
    if (others.length > 0 && request.force !== true)
      throw new Error(`${others.join('; ')}; its files would be turned back too; to do that, force the rollback (--force)`);
  }

  /** Rolls back. The tree must be stopped and stays so. @returns the result, and the checkpoint of how it was before */
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

  /** Whether an id is one of those that are not foreign. */
  async isTaken(checkpointId: string): Promise<boolean> {
    const all = await this.#checkpoints.list();
    return all.some(({ checkpoint_id, kind }) => checkpoint_id === checkpointId && kind !== 'foreign');
  }

  /** Ends what is being read; a rollback is carried out to its end. */
  async close(): Promise<void> {
    await this.#end();
    await this.#removing;
  }

  /** The session is no more: its checkpoints go with it. */
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

/** Whether it comes to its end in this time. */
async function isSettledWithin(work: Promise<unknown>, timeoutMs: number): Promise<boolean> {
  let timer: NodeJS.Timeout | undefined;
  const enough = new Promise<boolean>((resolve) => (timer = setTimeout(resolve, timeoutMs, false)));
  const isSettled = await Promise.race([work.then(() => true), enough]);
  clearTimeout(timer);
  return isSettled;
}
