import { watch, type FSWatcher } from 'node:fs';

interface WatchedFoldersOptions {
  /** A change in one of them: `name` is that of the entry, null where the system does not tell it. */
  onChange: (folder: string, name: string | null, isContentOnly: boolean) => void;
}

/** A watch on each of some folders, not on the files in them: a bounded number of them, for as long as they are asked for. */
export class WatchedFolders {
  readonly #onChange: WatchedFoldersOptions['onChange'];
  readonly #watches = new Map<string, { watch: FSWatcher; mark: string }>();

  constructor({ onChange }: WatchedFoldersOptions) {
    this.#onChange = onChange;
  }

  /**
   * Watches these folders and no others.
   * @param folders each with a mark that tells it from a later one of the same path
   * @returns whether any is watched that was not before, and why one cannot be
   */
  set(folders: ReadonlyMap<string, string>): { hasNew: boolean; error: NodeJS.ErrnoException | undefined } {
    for (const [path, { mark }] of this.#watches) if (folders.get(path) !== mark) this.#drop(path);
    let hasNew = false;
    let error: NodeJS.ErrnoException | undefined;
    for (const [path, mark] of folders) {
      if (this.#watches.has(path)) continue;
      try {
        this.#watches.set(path, { watch: this.#start(path), mark });
        hasNew = true;
      } catch (fault) {
        // One that has gone meanwhile will be noticed by the folder above.
        if ((fault as NodeJS.ErrnoException).code !== 'ENOENT') error ??= fault as NodeJS.ErrnoException;
      }
    }
    return { hasNew, error };
  }

  close(): void {
    for (const path of this.#watches.keys()) this.#drop(path);
  }

  #start(path: string): FSWatcher {
    const started = watch(path, { persistent: false }, (kind, name) => this.#onChange(path, name, kind === 'change'));
    // As when the folder is removed on Windows.
    started.on('error', () => {
      if (this.#watches.get(path)?.watch === started) this.#drop(path);
      this.#onChange(path, null, false);
    });
    return started;
  }

  #drop(path: string): void {
    this.#watches.get(path)?.watch.close();
    this.#watches.delete(path);
  }
}
