import type { Redaction } from '../../core/text/redaction.ts';
import type { Orchestrator } from '../../client/orchestrator/orchestrator-contract.ts';
import { limits } from '../../core/protocol/limits.ts';
import type { FileChange } from './change-batch.ts';
import { FileDiffs, type ToldDiff } from './file-diffs.ts';
import { watchFileChanges } from './file-changes.ts';

/** How long the start of the program waits until its files are watched. */
const watchReadyMs = 300;
/** How long to wait for notifications about the last changes that a program made. */
const lastFilesMs = 100;
/** More changes than these at once are sent as `file:changed`, many in one event. */
const singleChanges = 20;
/** With more pending events than these, file changes are counted instead of sent, to leave room for more important events. */
const mostPending = 6_000;
/** The longest path that the protocol accepts, and the most characters of paths in one event. */
const pathChars = 1_000;
const eventPathChars = 256 * 1024;

export interface FileEvents {
  /** Sends the last changes and ends the watch. */
  finish(): Promise<void>;
}

/** Watches the files below the working folder and sends their changes as events. */
export async function startFileEvents(
  run: Orchestrator,
  {
    leftOut,
    tellsDiffs,
    redaction,
    onNote,
  }: { leftOut: readonly string[]; tellsDiffs: boolean; redaction: Redaction | undefined; onNote: (sentence: string) => void },
): Promise<FileEvents> {
  const over = new AbortController();
  const diffs = tellsDiffs ? new FileDiffs(process.cwd(), redaction) : undefined;
  let letGo = 0;
  let telling: Promise<void> = Promise.resolve();
  const watching = watchFileChanges({
    cwd: process.cwd(),
    leftOut,
    signal: over.signal,
    onChanges: ({ changes, let_go }) => {
      const told = run.pending < mostPending ? changes.filter(({ path }) => path.length <= pathChars) : [];
      telling = telling.then(() => tell(run, told, diffs));
      letGo += let_go + changes.length - told.length;
      if (letGo === 0 || run.pending >= mostPending) return;
      void run.emit('run:files-let-go', { count: letGo });
      letGo = 0;
    },
    onProblem: onNote,
  });
  // Reading a huge tree takes long, and the program does not wait for all of it.
  await Promise.race([watching, new Promise((resolve) => setTimeout(resolve, watchReadyMs).unref())]);
  let finishing: Promise<void> | undefined;
  const finish = async () => {
    await new Promise((resolve) => setTimeout(resolve, lastFilesMs));
    over.abort();
    await (await watching).close();
    await telling;
  };
  return { finish: () => (finishing ??= finish()) };
}

async function tell(run: Orchestrator, changes: readonly FileChange[], diffs: FileDiffs | undefined): Promise<void> {
  if (changes.length <= singleChanges) {
    const told: ReadonlyMap<string, ToldDiff> | undefined = await diffs?.of(changes).catch(() => undefined);
    for (const { type, path } of changes) void run.emit(type, { path, ...told?.get(path) });
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
