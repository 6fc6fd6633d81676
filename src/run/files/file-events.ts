import type { Orchestrator } from '../../client/orchestrator/orchestrator-contract.ts';
import { limits } from '../../core/protocol/limits.ts';
import type { FileChange } from './change-batch.ts';
import { watchFileChanges } from './file-changes.ts';

/** How long the program waits for the watch on its files before it starts. */
const watchReadyMs = 300;
/** How long changes of files that a program made as its last act may take to be heard of. */
const lastFilesMs = 100;
/** More changes than these at once are told by `file:changed`, many in one event. */
const singleChanges = 20;
/** Events on their way beyond which changes of files are counted instead of told: the rest is for what must not be lost. */
const mostPending = 6_000;
/** A path that the protocol takes, and characters of paths in one event. */
const pathChars = 1_000;
const eventPathChars = 256 * 1024;

export interface FileEvents {
  /** Tells what changed last, and ends. */
  finish(): Promise<void>;
}

/** Watches the files below the working folder, and tells their changes as events. */
export async function startFileEvents(
  run: Orchestrator,
  { leftOut, onNote }: { leftOut: readonly string[]; onNote: (sentence: string) => void },
): Promise<FileEvents> {
  const over = new AbortController();
  let letGo = 0;
  const watching = watchFileChanges({
    cwd: process.cwd(),
    leftOut,
    signal: over.signal,
    onChanges: ({ changes, let_go }) => {
      const told = run.pending < mostPending ? changes.filter(({ path }) => path.length <= pathChars) : [];
      tell(run, told);
      letGo += let_go + changes.length - told.length;
      if (letGo === 0 || run.pending >= mostPending) return;
      void run.emit('run:files-let-go', { count: letGo });
      letGo = 0;
    },
    onProblem: onNote,
  });
  // A huge tree may take its time; the program does not wait for all of it.
  await Promise.race([watching, new Promise((resolve) => setTimeout(resolve, watchReadyMs).unref())]);
  let finishing: Promise<void> | undefined;
  const finish = async () => {
    await new Promise((resolve) => setTimeout(resolve, lastFilesMs));
    over.abort();
    await (await watching).close();
  };
  return { finish: () => (finishing ??= finish()) };
}

function tell(run: Orchestrator, changes: readonly FileChange[]): void {
  if (changes.length <= singleChanges) {
    for (const { type, path } of changes) void run.emit(type, { path });
    return;
  }
  for (const batch of batches(changes)) {
    const pathsOf = (type: FileChange['type']) => batch.filter((change) => change.type === type).map(({ path }) => path);
    const lists = { created: pathsOf('file:created'), modified: pathsOf('file:modified'), deleted: pathsOf('file:deleted') };
    void run.emit('file:changed', Object.fromEntries(Object.entries(lists).filter(([, paths]) => paths.length > 0)));
  }
}

function batches(changes: readonly FileChange[]): FileChange[][] {
  const all: FileChange[][] = [];
  let batch: FileChange[] = [];
  let chars = 0;
  for (const change of changes) {
    if (batch.length === limits.changedPaths || chars + change.path.length > eventPathChars) {
      all.push(batch);
      batch = [];
      chars = 0;
    }
    batch.push(change);
    chars += change.path.length;
  }
  return [...all, batch];
}
