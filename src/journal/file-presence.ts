import { statSync } from 'node:fs';

/** How often the files are looked at, at most: a look at each commit would cost a tenth of it. */
const lookAgainMs = 1_000;

/** Notices that files which are held open were deleted or replaced: what is written to them then is kept by nobody. */
export class FilePresence {
  readonly #files: readonly { path: string; id: string | undefined }[];
  #lookAgainAt = 0;

  constructor(paths: readonly string[]) {
    this.#files = paths.map((path) => ({ path, id: idOf(path) }));
  }

  /** @throws Error which file is gone, and what to do, as a clause */
  check(): void {
    if (performance.now() < this.#lookAgainAt) return;
    const gone = this.#files.find(({ path, id }) => idOf(path) !== id);
    if (gone !== undefined) throw new Error(`${gone.path} was deleted or replaced under the server; stop it, and start it again`);
    this.#lookAgainAt = performance.now() + lookAgainMs;
  }
}

function idOf(path: string): string | undefined {
  const stat = statSync(path, { throwIfNoEntry: false });
  return stat === undefined ? undefined : `${stat.dev}:${stat.ino}`;
}
