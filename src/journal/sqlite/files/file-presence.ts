import { statSync } from 'node:fs';

/** How often the files are looked at, at most: a look at each commit would cost a tenth of it. */
const lookAgainMs = 1_000;

/** A file that a journal holds open. */
export interface WatchedFile {
  path: string;
  /** What it is, in a sentence. */
  name: string;
}

/** Notices that files which are held open were deleted or replaced: what is written to them then is kept by nobody. */
export class FilePresence {
  readonly #files: (WatchedFile & { id: string | undefined })[];
  #lookAgainAt = 0;
  #gone: WatchedFile | undefined;

  constructor(files: readonly WatchedFile[]) {
    this.#files = files.map((file) => ({ ...file, id: idOf(file.path) }));
  }

  /** The first of them that is not there any more. Once gone, gone for good: what is put in its place is another one. */
  gone(): WatchedFile | undefined {
    if (this.#gone !== undefined || performance.now() < this.#lookAgainAt) return this.#gone;
    for (const file of this.#files) {
      const id = idOf(file.path);
      // One that was not there yet was not held open either.
      file.id ??= id;
      if (file.id !== id) this.#gone ??= file;
    }
    this.#lookAgainAt = performance.now() + lookAgainMs;
    return this.#gone;
  }
}

function idOf(path: string): string | undefined {
  const stat = statSync(path, { throwIfNoEntry: false });
  return stat === undefined ? undefined : `${stat.dev}:${stat.ino}`;
}
