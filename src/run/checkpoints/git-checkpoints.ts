import { readContents, writeDetail } from './checkpoint-detail.ts';
import { type Checkpoint, type CheckpointKind, createCheckpointRefs } from './checkpoint-refs.ts';
import { checkpointsFolder, markUsed, openCheckpointStore, removeOutdated, removeStored } from './checkpoint-store.ts';
import { type GitRepository, openGit, withTempFolder } from '../git/git-command.ts';
import { writeTree } from '../git/git-tree.ts';
import { displayPath, rawPathBelow } from '../files/raw-path.ts';
import { restoreFiles } from './restore-files.ts';
import { planRestore } from './restore-plan.ts';
import {
  ChangedSinceStopError,
  type RollbackPreview,
  type RollbackResult,
  changedPaths,
  describe,
  findCheckpoint,
  nextRollbackId,
  stepBack,
} from './rollback-report.ts';
import { sentencesOf } from './work-tree-listing.ts';
import { type Moment, type StoredSnapshot, type WorkTreeSnapshot, createSnapshotter, fileSystemTime } from './work-tree-snapshot.ts';

/** The result of `save`. */
interface SavedCheckpoint {
  readonly checkpointId: string;
  readonly tree: string;
  readonly files: number;
  /** The files that it does not hold, one sentence for each. */
  readonly notKept: readonly string[];
}

/** `atStop`: the files when the program was stopped, as `markStopped` returned them. `force`: roll back even if files changed since. */
interface RestoreOptions {
  readonly atStop?: WorkTreeSnapshot;
  readonly force?: boolean;
}

export interface SaveOptions {
  readonly label?: string;
  readonly kind?: Exclude<CheckpointKind, 'before-rollback'>;
  /** The time when the program starts to change files, if that is before all are read; see `now`. */
  readonly goesOn?: Moment;
}

/** Checkpoints of one work tree for one session. Calls are carried out one after the other. All throw GitError when git fails. */
export interface GitCheckpoints {
  /** Absolute path of the work tree's top. */
  readonly root: string;
  /** Keeps the tracked files and the untracked ones that are not ignored, exactly as they are on disk. A reused id means the newer one. */
  save(checkpointId: string, options?: SaveOptions): Promise<SavedCheckpoint>;
  /** Returns what `restore` would do now, and changes no file. Throws for an unknown checkpoint. */
  preview(checkpointId: string, options?: Pick<RestoreOptions, 'atStop'>): Promise<RollbackPreview>;
  /** Restores the files of the checkpoint. Throws for an unknown checkpoint, and ChangedSinceStopError before any change. */
  restore(checkpointId: string, options?: RestoreOptions): Promise<RollbackResult>;
  /** Returns the files as they are now. */
  markStopped(): Promise<WorkTreeSnapshot>;
  /** All stored checkpoints, the newest last, including those of earlier processes. */
  list(): Promise<Checkpoint[]>;
  /** Finds a checkpoint by id or by steps back (1 is the newest). One made by a rollback is found only by id. Throws when unknown. */
  resolve(target: { readonly steps: number } | { readonly checkpointId: string }): Promise<Checkpoint>;
  /** The time of the file system that holds the work tree. */
  now(): Promise<bigint>;
  /** Aborts running calls; later calls fail. */
  close(): void;
  /** Closes and removes all checkpoints of the session. */
  remove(): Promise<void>;
}

export interface GitCheckpointsOptions {
  readonly cwd: string;
  readonly sessionId: string;
  /** The user's state folder, below which checkpoints are kept. */
  readonly stateFolder: string;
  /** The server that knows the session. */
  readonly url: string;
  /** Absolute paths of files and folders that no checkpoint contains and no rollback changes. */
  readonly leftOut?: readonly string[];
}

/** Opens the checkpoints of the work tree that holds `cwd`. @throws NoCheckpointsError when there is none, or no git */
export async function openGitCheckpoints({
  cwd,
  sessionId,
  stateFolder,
  url,
  leftOut = [],
}: GitCheckpointsOptions): Promise<GitCheckpoints> {
  const over = new AbortController();
  const git = await openGit(cwd, over.signal);
  const store = await openCheckpointStore(git, { stateFolder, sessionId, url });
  const refs = createCheckpointRefs(store);
  void removeOutdated(stateFolder, store.gitDir);
  const passedOver = [...leftOut, checkpointsFolder(stateFolder)].flatMap((path) => rawPathBelow(git.root, path) ?? []);
  const snapshotter = createSnapshotter(git, store, passedOver);
  let queue: Promise<unknown> = Promise.resolve();

  const inTurn = <T>(work: () => Promise<T>): Promise<T> => {
    const turn = queue.then(work);
    queue = turn.catch(() => {});
    return turn;
  };

  const keep = async (
    checkpoint_id: string,
    { kind, label, goesOn }: { kind: CheckpointKind } & Omit<SaveOptions, 'kind'>,
  ): Promise<Checkpoint & { snapshot: StoredSnapshot }> => {
    const snapshot = await snapshotter.store(goesOn);
    const [tree, detail] = await Promise.all([storeTree(store, snapshot), writeDetail(store, snapshot)]);
    const { head, indexDigest: index_digest, entries } = snapshot;
    const told = { checkpoint_id, kind, ...(label !== undefined && { label }), tree, detail, files: entries.size, head, index_digest };
    await markUsed(store.gitDir);
    return { ...(await refs.add(told)), snapshot };
  };
  const planFor = async (checkpoint: Checkpoint, now: WorkTreeSnapshot) =>
    planRestore(store, git.root, await readContents(store, checkpoint), now);

  return {
    root: git.root,
    save: (checkpointId, { kind = 'checkpoint', ...options } = {}) =>
      inTurn(async () => {
        const { tree, files, snapshot } = await keep(checkpointId, { kind, ...options });
        return { checkpointId, tree, files, notKept: sentencesOf(snapshot.uncovered) };
      }),
    preview: (checkpointId, { atStop } = {}) =>
      inTurn(async () => {
        const checkpoint = findCheckpoint(await refs.list(), checkpointId);
        const now = await snapshotter.look();
        const plan = await planFor(checkpoint, now);
        const preview = describe(checkpoint, now, plan, plan.changes, []);
        return atStop ? { ...preview, changed_since_stop: changedPaths(atStop, now).map(displayPath) } : preview;
      }),
    restore: (checkpointId, { atStop, force = false } = {}) =>
      inTurn(async () => {
        const all = await refs.list();
        const checkpoint = findCheckpoint(all, checkpointId);
        const changed = atStop && changedPaths(atStop, await snapshotter.look()).map(displayPath);
        if (changed && changed.length > 0 && !force) throw new ChangedSinceStopError(changed);
        const label = `before the rollback to ${checkpointId}`;
        const before = await keep(nextRollbackId(all), { kind: 'before-rollback', label });
        const plan = await planFor(checkpoint, before.snapshot);
        const { done, failures } = await restoreFiles(store, git.root, plan);
        const removed = done.filter(({ change }) => change === 'removed').length;
        return {
          ...describe(checkpoint, before.snapshot, plan, done, failures),
          ...(changed && { changed_since_stop: changed }),
          saved_as: before.checkpoint_id,
          saved_files: before.files,
          restored: done.length - removed,
          removed,
        };
      }),
    markStopped: () => inTurn(() => snapshotter.look()),
    list: () => inTurn(() => refs.list()),
    resolve: (target) =>
      inTurn(async () => {
        const all = await refs.list();
        return 'steps' in target ? stepBack(all, target.steps) : findCheckpoint(all, target.checkpointId);
      }),
    now: () => fileSystemTime(git, store),
    close: () => over.abort(),
    async remove() {
      over.abort();
      await queue;
      await removeStored(store.gitDir);
    },
  };
}

async function storeTree(store: GitRepository, { entries }: WorkTreeSnapshot): Promise<string> {
  return await withTempFolder(store.gitDir, (folder) => writeTree(store, entries, folder));
}
