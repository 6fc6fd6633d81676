/** One file's change. `path` is relative to the watched folder, with forward slashes. */
export interface FileChange {
  readonly type: 'file:created' | 'file:modified' | 'file:deleted';
  readonly path: string;
}

/** The changes of one time window, each path once. `let_go` counts the changed paths beyond the limit, which are not listed. */
export interface FileChangeBatch {
  readonly changes: FileChange[];
  readonly let_go: number;
}

/** Collects touched paths, and reports what changed at the end of each time window. */
export interface ChangeBatch {
  touch(path: string): void;
  /** Reports the collected changes at once. */
  flush(): void;
}

/** Options of a batch. */
export interface ChangeBatchOptions {
  /** Counted from the first touch, not the last, so that changes of a program that never stops writing are reported too. */
  readonly windowMs: number;
  /** Whether the path was a file when it was last reported. */
  readonly wasFile: (path: string) => boolean;
  /** Whether the path is a file now. */
  readonly isFile: (path: string) => boolean;
  /** Called with the changes of a window. Not called when nothing differs, as for a file that was created and deleted again. */
  readonly handOver: (batch: FileChangeBatch) => void;
}

const maxChanges = 20_000;

/**
 * Compares each path before and after a window, because the system loses and repeats single notifications. Created and modified makes
 * `created`; created and deleted makes no change; deleted and created makes `modified`.
 */
export function createChangeBatch({ windowMs, wasFile, isFile, handOver }: ChangeBatchOptions): ChangeBatch {
  let touched = new Set<string>();
  let timer: NodeJS.Timeout | undefined;

  const flush = (): void => {
    clearTimeout(timer);
    timer = undefined;
    const all: FileChange[] = [];
    for (const path of touched) {
      const before = wasFile(path);
      if (isFile(path)) all.push({ type: before ? 'file:modified' : 'file:created', path });
      else if (before) all.push({ type: 'file:deleted', path });
    }
    touched = new Set();
    if (all.length > 0) handOver({ changes: all.slice(0, maxChanges), let_go: Math.max(0, all.length - maxChanges) });
  };

  return {
    flush,
    touch(path) {
      touched.add(path);
      timer ??= setTimeout(flush, windowMs);
    },
  };
}
