/** One file's change. `path` is relative to the watched folder, with forward slashes. */
export interface FileChange {
  readonly type: 'file:created' | 'file:modified' | 'file:deleted';
  readonly path: string;
}

/** What changed within one window of time, each path once. `let_go` counts the changed paths beyond the bound, which are not named. */
export interface FileChangeBatch {
  readonly changes: FileChange[];
  readonly let_go: number;
}

/** Collects the paths at which something happened, and hands over what it came to. */
export interface ChangeBatch {
  touch(path: string): void;
  /** Hands over at once what there is. */
  flush(): void;
}

/** How a batch is made. */
export interface ChangeBatchOptions {
  /** From a first touch on, not from the last one: a program that never ceases to write is told of all the same. */
  readonly windowMs: number;
  /** Whether the path was a file when it was last told of. */
  readonly wasFile: (path: string) => boolean;
  /** Whether it is one now. */
  readonly isFile: (path: string) => boolean;
  /** Not called for a window whose touches came to nothing, such as a file that came and went. */
  readonly handOver: (batch: FileChangeBatch) => void;
}

const MAX_CHANGES = 20_000;

/**
 * What happened to a path is not added up from the events, of which watching loses and doubles some, but seen by comparing before and
 * after: created and modified is created, created and deleted nothing, deleted and created modified.
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
    if (all.length > 0) handOver({ changes: all.slice(0, MAX_CHANGES), let_go: Math.max(0, all.length - MAX_CHANGES) });
  };

  return {
    flush,
    touch(path) {
      touched.add(path);
      timer ??= setTimeout(flush, windowMs);
    },
  };
}
