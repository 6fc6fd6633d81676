import { type Checkpoint, createCheckpointRefs } from './checkpoint-refs.ts';
import { type Git, GitError, openGit } from './git-command.ts';
import { changedPaths, readTree, writeTree } from './git-tree.ts';
import { displayPath, rawPathBelow } from './raw-path.ts';
import { restoreFiles } from './restore-files.ts';
import { type PlannedChange, type RestorePlan, planRestore } from './restore-plan.ts';
import { type WorkTreeSnapshot, createSnapshotter } from './work-tree-snapshot.ts';

/** One file that a rollback changes back: to its old bytes or mode, back into being, or away. `path` is below the top. */
interface RestoredPath {
  readonly path: string;
  readonly change: 'restored' | 'recreated' | 'removed';
}

/** What a rollback would change. */
export interface RollbackPreview {
  readonly checkpoint_id: string;
  readonly restore: RestoredPath[];
  readonly unchanged_count: number;
  /** What stays as it is although it may have changed since, a sentence each. */
  readonly cannot_undo: string[];
  /** Paths that somebody changed since `seal`; only where a sealed tree was given. */
  readonly changed_since_stop?: string[];
}

/** What a rollback changed. `restored` counts files written (recreated ones too), `saved_as` is the checkpoint of how it was before. */
interface RollbackResult extends RollbackPreview {
  readonly saved_as: string;
  readonly restored: number;
  readonly removed: number;
}

/** What `save` kept. */
interface SavedCheckpoint {
  readonly checkpointId: string;
  readonly commit: string;
  readonly tree: string;
  readonly files: number;
}

/** `sealedTree`: what `seal` gave when the program was stopped. `force`: roll back even if files changed since. */
interface RestoreOptions {
  readonly sealedTree?: string;
  readonly force?: boolean;
}

/** Checkpoints of one work tree for one session. Calls are carried out one after the other. All throw GitError when git fails. */
export interface GitCheckpoints {
  /** Absolute path of the work tree's top. */
  readonly root: string;
  /** Keeps the tracked files and the untracked ones that are not ignored, exactly as they are on disk. An id used again: the newer counts. */
  save(checkpointId: string, label?: string): Promise<SavedCheckpoint>;
  /** What `restore` would do now; changes no file. Throws for an unknown checkpoint. */
  preview(checkpointId: string, options?: Pick<RestoreOptions, 'sealedTree'>): Promise<RollbackPreview>;
  /** Makes the files those of the checkpoint again. Throws for an unknown checkpoint, and ChangedSinceStopError before any change. */
  restore(checkpointId: string, options?: RestoreOptions): Promise<RollbackResult>;
  /** The tree id of the files as they are now. */
  seal(): Promise<string>;
  /** All that are kept (200 at most), the newest last; also those of earlier processes. */
  list(): Promise<Checkpoint[]>;
  /** The checkpoint meant: by id, or by steps back, 1 being the newest; those that rollbacks made are only found by id. Throws for an unknown one. */
  resolve(target: { readonly steps: number } | { readonly checkpointId: string }): Promise<Checkpoint>;
}

/** The refusal of a rollback because files changed since the program was stopped. */
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

export interface GitCheckpointsOptions {
  readonly cwd: string;
  readonly sessionId: string;
  /** Absolute paths of files that no checkpoint keeps and no rollback touches. */
  readonly leftOut?: readonly string[];
}

/** Opens the checkpoints of the work tree that holds `cwd`. Throws an Error with one sentence when there is none, or no git. */
export async function openGitCheckpoints({ cwd, sessionId, leftOut = [] }: GitCheckpointsOptions): Promise<GitCheckpoints> {
  const git = await openGit(cwd);
  const refs = createCheckpointRefs(git, sessionId);
  const snapshotter = createSnapshotter(git, new Set(leftOut.flatMap((path) => rawPathBelow(git.root, path) ?? [])));
  let lastTree: { tree: string; key: string } | undefined;
  let queue: Promise<unknown> = Promise.resolve();

  const inTurn = <T>(work: () => Promise<T>): Promise<T> => {
    const turn = queue.then(work);
    queue = turn.catch(() => {});
    return turn;
  };

  const current = async (): Promise<{ snapshot: WorkTreeSnapshot; tree: string }> => {
    const snapshot = await snapshotter.take();
    const key = Array.from(snapshot.entries, ([path, { mode, oid }]) => `${mode} ${oid} ${path}`).join('\0');
    if (lastTree?.key !== key) lastTree = { key, tree: await storeTree(git, snapshot) };
    return { snapshot, tree: lastTree.tree };
  };

  const currentOrReread = async (): Promise<{ snapshot: WorkTreeSnapshot; tree: string }> => {
    try {
      return await current();
    } catch (error) {
      if (!(error instanceof GitError)) throw error;
      // Objects that were remembered may have been pruned by a `git gc` meanwhile.
      snapshotter.forget();
      lastTree = undefined;
      return await current();
    }
  };

  const keep = async (
    checkpoint_id: string,
    kind: Checkpoint['kind'],
    label?: string,
  ): Promise<Checkpoint & { snapshot: WorkTreeSnapshot }> => {
    const { snapshot, tree } = await currentOrReread();
    const { head, indexDigest: index_digest } = snapshot;
    const told = { checkpoint_id, kind, ...(label !== undefined && { label }), tree, files: snapshot.entries.size, head, index_digest };
    return { ...(await refs.add(told)), snapshot };
  };

  return {
    root: git.root,
    save: (checkpointId, label) =>
      inTurn(async () => {
        const { commit, tree, files } = await keep(checkpointId, 'checkpoint', label);
        return { checkpointId, commit, tree, files };
      }),
    preview: (checkpointId, { sealedTree } = {}) =>
      inTurn(async () => {
        const checkpoint = findCheckpoint(await refs.list(), checkpointId);
        const { snapshot, tree } = await currentOrReread();
        const changed = sealedTree === undefined ? undefined : await changedPaths(git, sealedTree, tree);
        const plan = await planRestore(git, await readTree(git, checkpoint.tree), snapshot);
        const preview = describe(checkpoint, snapshot, plan, plan.changes, []);
        return changed ? { ...preview, changed_since_stop: changed.map(displayPath) } : preview;
      }),
    restore: (checkpointId, { sealedTree, force = false } = {}) =>
      inTurn(async () => {
        const all = await refs.list();
        const checkpoint = findCheckpoint(all, checkpointId);
        const changed = sealedTree === undefined ? undefined : await changedPaths(git, sealedTree, (await currentOrReread()).tree);
        if (changed && changed.length > 0 && !force) throw new ChangedSinceStopError(changed.map(displayPath));
        const before = await keep(nextRollbackId(all), 'before-rollback', `before the rollback to ${checkpointId}`);
        const plan = await planRestore(git, await readTree(git, checkpoint.tree), before.snapshot);
        const { done, failures } = await restoreFiles(git, plan);
        const removed = done.filter(({ change }) => change === 'removed').length;
        return {
          ...describe(checkpoint, before.snapshot, plan, done, failures),
          ...(changed && { changed_since_stop: changed.map(displayPath) }),
          saved_as: before.checkpoint_id,
          restored: done.length - removed,
          removed,
        };
      }),
    seal: () => inTurn(async () => (await currentOrReread()).tree),
    list: () => inTurn(() => refs.list()),
    resolve: (target) =>
      inTurn(async () => {
        const all = await refs.list();
        return 'steps' in target ? stepBack(all, target.steps) : findCheckpoint(all, target.checkpointId);
      }),
  };
}

async function storeTree(git: Git, { entries }: WorkTreeSnapshot): Promise<string> {
  return await git.withTempFolder((folder) => writeTree(git, entries, folder));
}

function describe(
  checkpoint: Checkpoint,
  now: WorkTreeSnapshot,
  plan: RestorePlan,
  changes: readonly PlannedChange[],
  failures: readonly string[],
): RollbackPreview {
  const cannotUndo = [...failures, ...plan.leftAlone, ...now.uncovered];
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

function findCheckpoint(all: readonly Checkpoint[], checkpointId: string): Checkpoint {
  const found = all.findLast((checkpoint) => checkpoint.checkpoint_id === checkpointId);
  if (!found) throw new Error(`Checkpoint not found: ${checkpointId} (${whatExists(all)})`);
  return found;
}

/** Rollbacks' own checkpoints are not steps: going back one step twice must not go forth again. */
function stepBack(all: readonly Checkpoint[], steps: number): Checkpoint {
  const own = all.filter(({ kind }) => kind === 'checkpoint');
  const found = Number.isSafeInteger(steps) && steps >= 1 ? own.at(-steps) : undefined;
  if (!found) throw new Error(`Cannot go back ${steps} ${steps === 1 ? 'step' : 'steps'} (${whatExists(own)})`);
  return found;
}

function whatExists(all: readonly Checkpoint[]): string {
  if (all.length === 0) return 'there are no checkpoints yet';
  const newestFirst = all.map(({ checkpoint_id }) => checkpoint_id).toReversed();
  return `${all.length === 1 ? 'there is 1 checkpoint' : `there are ${all.length} checkpoints`}, newest first: ${enumerate(newestFirst)}`;
}

function nextRollbackId(all: readonly Checkpoint[]): string {
  const numbers = all.map(({ checkpoint_id }) => Number(/^before-rollback-(\d+)$/.exec(checkpoint_id)?.[1] ?? 0));
  return `before-rollback-${Math.max(0, ...numbers) + 1}`;
}

function enumerate(names: readonly string[]): string {
  return names.length <= 20 ? names.join(', ') : `${names.slice(0, 20).join(', ')} and ${names.length - 20} more`;
}

function short(commit: string | null): string {
  return commit?.slice(0, 10) ?? 'no commit';
}
