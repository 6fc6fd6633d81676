import { statSync } from 'node:fs';
import type { ProblemFeed } from '../../problem-feed.ts';
import type { WriteBack } from '../write-back.ts';
import { FilePresence, type WatchedFile } from './file-presence.ts';

/** Keeps a journal from going on with files that were deleted or replaced under it. */
export class FileGuard {
  readonly #files: readonly WatchedFile[];
  readonly #presence: FilePresence;
  readonly #writes: WriteBack;
  readonly #problems: ProblemFeed;
  #isSaved = false;

  constructor({ path, log, writes, problems }: { path: string; log: WatchedFile['path']; writes: WriteBack; problems: ProblemFeed }) {
    this.#files = [
      { path, name: 'database' },
      { path: `${path}-wal`, name: 'write-ahead log' },
      { path: log, name: 'log of commits' },
    ];
    this.#presence = new FilePresence(this.#files);
    this.#writes = writes;
    this.#problems = problems;
  }

  /** @throws which file is gone, and what to do, as a clause */
  require(): void {
    const gone = this.#presence.gone();
    if (gone === undefined) return;
    // What is in a database without a name goes with the process; what the logs have is saved to the database.
    const first = gone.path === this.#files[0]?.path ? 'save what it still has with shannon-dash export --all, then ' : '';
    const wayOut = `${first}stop it, and start it again`;
    if (!this.#isSaved) {
      this.#isSaved = true;
      this.#problems.tell(`${gone.path} was deleted or replaced under the server: ${wayOut}`);
      try {
        this.#writes.save();
      } catch {
        // What is left is what there is.
      }
    }
    throw new Error(`its ${gone.name} was deleted or replaced under the server; ${wayOut}`);
  }

  /** What they take on the disk. */
  sizeBytes(): number {
    return this.#files.reduce((sum, { path }) => sum + (statSync(path, { throwIfNoEntry: false })?.size ?? 0), 0);
  }
}
