import { closeSync, constants, openSync, readSync } from 'node:fs';
import { dirname, join, resolve } from 'node:path';

/** A path or the name of a branch is not longer. */
const longestBytes = 4_096;

/**
 * The branch that is checked out in a folder, read from git's own files: it starts no git, which a repository could make run
 * something. Undefined outside of a work tree, and where no branch is checked out.
 */
export function currentBranch(folder: string): string | undefined {
  const head = headOf(resolve(folder));
  return head === undefined ? undefined : /^ref: refs\/heads\/(.+)$/m.exec(head)?.[1];
}

function headOf(folder: string): string | undefined {
  for (let at = folder; ; at = dirname(at)) {
    const head = beginningOf(join(at, '.git', 'HEAD')) ?? headOfWorkTree(at);
    if (head !== undefined || at === dirname(at)) return head;
  }
}

/** A further work tree, and a submodule, have a file in the place of `.git`: it names the folder with their HEAD. */
function headOfWorkTree(folder: string): string | undefined {
  const named = /^gitdir: (.+)$/m.exec(beginningOf(join(folder, '.git')) ?? '')?.[1];
  return named === undefined ? undefined : beginningOf(join(resolve(folder, named), 'HEAD'));
}

/** The beginning of a file; undefined where there is none. */
function beginningOf(path: string): string | undefined {
  try {
    const descriptor = openSync(path, constants.O_RDONLY | (constants.O_NONBLOCK ?? 0));
    try {
      const bytes = Buffer.alloc(longestBytes);
      return bytes.toString('utf8', 0, readSync(descriptor, bytes, 0, longestBytes, 0));
    } finally {
      closeSync(descriptor);
    }
  } catch {
    return undefined;
  }
}
