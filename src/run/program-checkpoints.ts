import type { ChildTree } from './child-tree.ts';
import { openGitCheckpoints, type GitCheckpoints, type GitCheckpointsOptions } from './git-checkpoints.ts';
import type { RollbackPreview } from './rollback-report.ts';
import type { WorkTreeSnapshot } from './work-tree-snapshot.ts';

/** Paths named in a command's result; more are counted. */
const namedPaths = 500;

/** How long a stopped program's files may take to be looked at before the HALT is acknowledged. */
const sealMs = 1_000;

/** A checkpoint to announce in the journal. */
export interface TakenCheckpoint {
  checkpoint_id: string;
  label: string;
  files: number;
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
  /** The files as they were when the program was stopped: whoever changed them since was somebody else. */
  #sealed: Promise<WorkTreeSnapshot> | undefined;

  private constructor(checkpoints: GitCheckpoints) {
    this.#checkpoints = checkpoints;
  }

  /** @throws Error one sentence: not in a git work tree, no git */
  static async open(options: GitCheckpointsOptions): Promise<ProgramCheckpoints> {
    return new ProgramCheckpoints(await openGitCheckpoints(options));
  }

  /** The files before the program begins. */
  async start(): Promise<TakenCheckpoint> {
    return this.#save('start', 'start of the run');
  }

  /** Takes a checkpoint of a running program: stops it for that moment, unless it stands still anyway. */
  async take(tree: ChildTree, checkpointId: string, label: string): Promise<TakenCheckpoint> {
    return tree.whileStopped(() => this.#save(checkpointId, label));
  }

  /** The program was stopped: what changes from now on is not its work. A large work tree may still be read when this resolves. */
  async seal(): Promise<void> {
    const sealed = this.#checkpoints.seal();
    this.#sealed = sealed;
    let timer: NodeJS.Timeout | undefined;
    const enough = new Promise<void>((resolve) => (timer = setTimeout(resolve, sealMs)));
    await Promise.race([sealed.catch(() => undefined), enough]);
    clearTimeout(timer);
  }

  /** The program goes on. */
  unseal(): void {
    this.#sealed = undefined;
  }

  /** What a rollback would change, or once more what it cannot. */
  async preview(request: RollbackRequest): Promise<object> {
    const { checkpoint_id } = await this.#resolve(request);
    return shortened(await this.#checkpoints.preview(checkpoint_id, await this.#sealedFiles()));
  }

  /** Rolls back. The tree must be stopped and stays so. @returns the result, and the checkpoint of how it was before */
  async restore(request: RollbackRequest): Promise<{ result: object; savedAs: TakenCheckpoint }> {
    const { checkpoint_id } = await this.#resolve(request);
    const result = await this.#checkpoints.restore(checkpoint_id, { ...(await this.#sealedFiles()), force: request.force ?? false });
    await this.seal();
    return {
      result: { ...shortened(result), note: 'the program stands still and its memory is as it was; RESUME lets it go on' },
      savedAs: { checkpoint_id: result.saved_as, label: `before the rollback to ${checkpoint_id}`, files: result.saved_files },
    };
  }

  async #save(checkpointId: string, label: string): Promise<TakenCheckpoint> {
    const { files } = await this.#checkpoints.save(checkpointId, { label });
    return { checkpoint_id: checkpointId, label, files };
  }

  #resolve({ steps, checkpoint_id }: RollbackRequest) {
    return this.#checkpoints.resolve(checkpoint_id === undefined ? { steps: steps ?? 1 } : { checkpointId: checkpoint_id });
  }

  async #sealedFiles(): Promise<{ sealed?: WorkTreeSnapshot }> {
    return this.#sealed === undefined ? {} : { sealed: await this.#sealed };
  }
}

function shortened<Preview extends RollbackPreview>({ restore, ...preview }: Preview) {
  return {
    ...preview,
    restore: restore.slice(0, namedPaths),
    restore_count: restore.length,
  };
}
