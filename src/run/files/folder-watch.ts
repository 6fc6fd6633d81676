import { setImmediate as nextTurn } from 'node:timers/promises';
import { lstatSync, watch, type FSWatcher } from 'node:fs';
import { readdir } from 'node:fs/promises';
import { absolutePath, nameOf, parentOf, type RawPath } from './raw-path.ts';

/** How many folders are read at the same time. */
const readsAtOnce = 8;
/** After this long a file found by the first reading may be new, because programs work in the tree meanwhile. */
const quietMs = 200;
/** So many notifications may have overflowed the system's queue, which then drops some silently. */
const burstNotifications = 4_000;
/** How long after such a burst the folders are read again. */
const readAgainMs = 500;

/** Options of a watch. Every path is relative to the root. */
export interface FolderWatchOptions {
  /** The absolute path of the folder that is watched, with everything below it. */
  readonly root: string;
  /** The most files and folders that are watched. */
  readonly maxPaths: number;
  /** Whether a path is not watched. A folder that is left out is not read either. */
  readonly isLeftOut: (path: RawPath, isFolder: boolean) => boolean;
  /** Called when the file may have changed. */
  readonly onTouched: (path: RawPath) => void;
  /** Called when a folder cannot be watched or read. */
  readonly onError: (error: NodeJS.ErrnoException) => void;
  /** Called when there are more than `maxPaths`. */
  readonly onFull: () => void;
}

interface Folder {
  readonly watcher: FSWatcher;
  /** Distinguishes the folder from a new one at the same path. */
  readonly inode: number;
  readonly files: Set<string>;
  readonly folders: Set<string>;
}

/**
 * Watches a folder and everything below it, with one system watch per folder. The system reports changes of a folder's files by
 * name, so files need no watch of their own. Symbolic links count as files and are not followed.
 */
export class FolderWatch {
  readonly #options: FolderWatchOptions;
  readonly #folders = new Map<RawPath, Folder>();
  /** Files whose folder was deleted, until `isFile` was called for them. */
  readonly #vanished = new Set<RawPath>();
  readonly #startedAt = { time: Date.now(), monotonic: performance.now() };
  #paths = 0;
  #reading = 0;
  #toRead: (() => Promise<void>)[] = [];
  #isIdle: () => void = () => undefined;
  #notifications = 0;
  #readAgain: NodeJS.Timeout | undefined;
  #isClosed = false;

  constructor(options: FolderWatchOptions) {
    this.#options = options;
  }

  /** Resolves when the whole tree has been read. */
  async start(): Promise<void> {
    const isIdle = new Promise<void>((resolve) => (this.#isIdle = resolve));
    this.#add('', true);
    await isIdle;
  }

  /** Whether the path was a file at the last check. */
  wasFile(path: RawPath): boolean {
    return this.#vanished.has(path) || this.#folders.get(parentOf(path))?.files.has(nameOf(path)) === true;
  }

  /** Checks whether the path is a file, and remembers the answer. */
  isFile(path: RawPath): boolean {
    const isThere = this.#kindOf(path) === 'file';
    const files = this.#folders.get(parentOf(path))?.files;
    this.#vanished.delete(path);
    if (isThere) this.#addFile(files, path);
    else if (files?.delete(nameOf(path)) === true) this.#paths--;
    return isThere;
  }

  /** Resolves when what has changed by now is touched, also what a burst may have hidden. */
  async settle(): Promise<void> {
    // What the system has noted by now is heard by the next turn of the event loop but one.
    for (let turn = 0; turn < 2; turn++) await nextTurn();
    if (this.#readAgain !== undefined) await this.#readAll();
  }

  /** Ends the watch, which then knows no file any more. */
  close(): void {
    clearTimeout(this.#readAgain);
    this.#isClosed = true;
    for (const { watcher } of this.#folders.values()) watcher.close();
    this.#folders.clear();
    this.#toRead = [];
    this.#isIdle();
  }

  /** Watches a folder, then reads it. @param isFirst whether this is the first reading of the tree */
  #add(path: RawPath, isFirst: boolean): void {
    if (this.#isFull()) return;
    try {
      const place = absolutePath(this.#options.root, path);
      const inode = lstatSync(place).ino;
      const watcher = watch(place, { encoding: 'buffer' }, (event, name) => this.#notice(path, event, name));
      watcher.on('error', (error) => this.#options.onError(error));
      this.#folders.set(path, { watcher, inode, files: new Set(), folders: new Set() });
      if (path !== '') this.#folders.get(parentOf(path))?.folders.add(nameOf(path));
      this.#paths++;
    } catch (error) {
      this.#failed(error);
    }
    this.#enqueue(() => this.#read(path, isFirst));
  }

  #enqueue(read: () => Promise<void>): void {
    this.#toRead.push(read);
    this.#readOn();
  }

  #readOn(): void {
    while (this.#reading < readsAtOnce) {
      const read = this.#toRead.pop();
      if (read === undefined) break;
      this.#reading++;
      void read().finally(() => {
        this.#reading--;
        this.#readOn();
      });
    }
    if (this.#reading === 0) this.#isIdle();
  }

  async #read(path: RawPath, isFirst: boolean): Promise<void> {
    const folder = this.#folders.get(path);
    if (folder === undefined) return;
    try {
      const entries = await readdir(absolutePath(this.#options.root, path), { withFileTypes: true, encoding: 'buffer' });
      if (this.#isClosed || this.#folders.get(path) !== folder) return;
      for (const entry of entries) {
        const name = entry.name.toString('latin1');
        const below = path === '' ? name : `${path}/${name}`;
        if (entry.isDirectory()) {
          if (!this.#options.isLeftOut(below, true) && !folder.folders.has(name)) this.#add(below, isFirst);
        } else if (!folder.files.has(name) && !this.#options.isLeftOut(below, false)) {
          if (isFirst && !this.#isNew(below)) this.#addFile(folder.files, below);
          else this.#options.onTouched(below);
        }
      }
    } catch (error) {
      this.#failed(error);
    }
  }

  /** Whether a file that the first reading finds was created after the reading began. */
  #isNew(path: RawPath): boolean {
    if (performance.now() - this.#startedAt.monotonic < quietMs) return false;
    try {
      return lstatSync(absolutePath(this.#options.root, path)).birthtimeMs >= this.#startedAt.time;
    } catch {
      return false;
    }
  }

  /** Handles a notification about a name in a folder. Node's `rename` means that it was created, deleted or replaced. */
  #notice(path: RawPath, event: string, name: Buffer | null): void {
    const folder = this.#folders.get(path);
    if (this.#isClosed || folder === undefined) return;
    if (++this.#notifications === burstNotifications) {
      this.#notifications = 0;
      clearTimeout(this.#readAgain);
      this.#readAgain = setTimeout(() => void this.#readAll(), readAgainMs);
    }
    if (name === null) return;
    const last = name.toString('latin1');
    const below = path === '' ? last : `${path}/${last}`;
    const known = folder.folders.has(last) ? this.#folders.get(below) : undefined;
    if (event === 'rename') {
      const { kind, inode } = this.#look(below);
      if (kind === 'folder') {
        if (known?.inode === inode || this.#options.isLeftOut(below, true)) return;
        if (known !== undefined) this.#drop(below);
        this.#add(below, false);
        return;
      }
      if (known !== undefined) this.#drop(below);
    } else if (known !== undefined) return;
    if (!this.#options.isLeftOut(below, false)) this.#options.onTouched(below);
  }

  /** Removes a folder that was deleted, with everything below it. */
  #drop(path: RawPath): void {
    const folder = this.#folders.get(path);
    if (folder === undefined) return;
    folder.watcher.close();
    this.#folders.delete(path);
    this.#folders.get(parentOf(path))?.folders.delete(nameOf(path));
    this.#paths -= 1 + folder.files.size;
    for (const name of folder.folders) this.#drop(`${path}/${name}`);
    for (const name of folder.files) {
      this.#vanished.add(`${path}/${name}`);
      this.#options.onTouched(`${path}/${name}`);
    }
  }

  /** Reads every folder again to find changes without a notification. */
  async #readAll(): Promise<void> {
    clearTimeout(this.#readAgain);
    this.#readAgain = undefined;
    const isIdle = new Promise<void>((resolve) => (this.#isIdle = resolve));
    for (const [path, { files }] of this.#folders) {
      this.#enqueue(async () => {
        for (const name of files) {
          const below = path === '' ? name : `${path}/${name}`;
          if (this.#kindOf(below) !== 'file') this.#options.onTouched(below);
        }
        await this.#read(path, false);
      });
    }
    await isIdle;
  }

  #addFile(files: Set<string> | undefined, path: RawPath): void {
    const name = nameOf(path);
    if (files === undefined || files.has(name) || this.#isFull()) return;
    files.add(name);
    this.#paths++;
  }

  #isFull(): boolean {
    if (this.#paths < this.#options.maxPaths) return false;
    this.#options.onFull();
    return true;
  }

  #kindOf(path: RawPath): 'file' | 'folder' | undefined {
    return this.#look(path).kind;
  }

  #look(path: RawPath): { kind: 'file' | 'folder' | undefined; inode: number } {
    try {
      const stat = lstatSync(absolutePath(this.#options.root, path));
      return { kind: stat.isDirectory() ? 'folder' : 'file', inode: stat.ino };
    } catch {
      return { kind: undefined, inode: 0 };
    }
  }

  /** Reports an error, unless the folder was just deleted. */
  #failed(error: unknown): void {
    const { code } = error as NodeJS.ErrnoException;
    if (code !== 'ENOENT' && code !== 'ENOTDIR') this.#options.onError(error as NodeJS.ErrnoException);
  }
}
