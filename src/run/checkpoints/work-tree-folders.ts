import { chmodSync, closeSync, constants, existsSync, mkdirSync, openSync, readdirSync, readlinkSync, rmdirSync } from 'node:fs';

import { type RawPath, absolutePath, displayPath, nameOf, parentOf } from '../files/raw-path.ts';
import { lstatAt } from './work-tree-listing.ts';

/** O_PATH: opens a folder only as a starting point for paths, without the right to list it. Linux only; Node has no name for it. */
const onlyAsPlace = 0o10000000;

/**
 * Opens folders of a work tree for writing. It never follows a symbolic link, even when another program replaces a folder with one. On
 * Linux each folder is kept open and paths start from its file descriptor. Elsewhere each path is checked again before it is used.
 */
export class WorkTreeFolders {
  readonly #root: string;
  readonly #held: boolean;
  /** The open folder and the folders above it, the top first. */
  #open: { path: RawPath; fd: number }[] = [];

  constructor(root: string) {
    this.#root = root;
    this.#held = process.platform === 'linux' && existsSync('/proc/self/fd');
  }

  /** Opens the folder of a path and returns a path for `node:fs`. @throws Error when the folder does not exist or is outside the work tree */
  placeOf(path: RawPath): Buffer {
    return Buffer.concat([this.#reach(parentOf(path)), Buffer.from('/'), Buffer.from(nameOf(path), 'latin1')]);
  }

  /** Creates the folder and those above it. @returns the folders that it created, which only the owner may enter so far */
  make(folder: RawPath): RawPath[] {
    const missing: RawPath[] = [];
    for (let each = folder; each !== '' && !this.#isFolder(each); each = parentOf(each)) missing.unshift(each);
    for (const each of missing) mkdirSync(this.placeOf(each), { mode: 0o700 });
    return missing;
  }

  /** Removes the folder, which must be empty. */
  remove(folder: RawPath): void {
    const place = this.placeOf(folder);
    rmdirSync(place);
  }

  namesIn(folder: RawPath): RawPath[] {
    return readdirSync(this.#reach(folder), { encoding: 'buffer' }).map((name) => name.toString('latin1'));
  }

  setPermissions(folder: RawPath, permissions: number): void {
    chmodSync(this.#reach(folder), permissions);
  }

  close(): void {
    for (const { fd } of this.#open.splice(0)) closeSync(fd);
  }

  #isFolder(folder: RawPath): boolean {
    try {
      const stats = lstatAt(this.placeOf(folder));
      if (stats && !stats.isDirectory()) throw new NotAFolderError(folder);
      return stats !== undefined;
    } catch (error) {
      if (error instanceof NotAFolderError) throw error;
      return false;
    }
  }

  #reach(folder: RawPath): Buffer {
    return this.#held ? this.#hold(folder) : this.#look(folder);
  }

  #hold(folder: RawPath): Buffer {
    const isAt = ({ path }: { path: RawPath }) => path === '' || path === folder || folder.startsWith(`${path}/`);
    while (this.#open.length > 0 && !this.#open.every(isAt)) this.#letGo();
    // Close open folders that were moved or removed meanwhile.
    while (this.#open.length > 0 && !this.#isInPlace()) this.#letGo();
    for (let top = this.#open.at(-1); top === undefined || top.path !== folder; top = this.#open.at(-1)) {
      const path = top === undefined ? '' : nextBelow(top.path, folder);
      const place = top === undefined ? Buffer.from(this.#root) : Buffer.from(`/proc/self/fd/${top.fd}/${nameOf(path)}`, 'latin1');
      try {
        const fd = openSync(place, constants.O_DIRECTORY | constants.O_NOFOLLOW | onlyAsPlace);
        this.#open.push({ path, fd });
      } catch (error) {
        throw notReached(path, error);
      }
      if (!this.#isInPlace()) throw new Error(`${displayPath(path)} was moved meanwhile`);
    }
    return Buffer.from(`/proc/self/fd/${this.#open.at(-1)?.fd}`);
  }

  #isInPlace(): boolean {
    const { path, fd } = this.#open.at(-1) ?? { path: '', fd: -1 };
    const place = path === '' ? Buffer.from(this.#root) : absolutePath(this.#root, path);
    return readlinkSync(`/proc/self/fd/${fd}`, { encoding: 'buffer' }).equals(place);
  }

  #letGo(): void {
    const gone = this.#open.pop();
    if (gone) closeSync(gone.fd);
  }

  #look(folder: RawPath): Buffer {
    if (folder === '') return Buffer.from(this.#root);
    this.#look(parentOf(folder));
    const place = absolutePath(this.#root, folder);
    const stats = lstatAt(place);
    if (!stats?.isDirectory()) throw notReached(folder, { code: stats === undefined ? 'ENOENT' : 'ENOTDIR' });
    return place;
  }
}

class NotAFolderError extends Error {
  constructor(folder: RawPath) {
    super(`${displayPath(folder)} is not a folder`);
  }
}

function notReached(folder: RawPath, error: unknown): Error {
  const { code, message } = error as NodeJS.ErrnoException;
  if (code === 'ENOENT') return new Error(`${displayPath(folder)} is gone`, { cause: error });
  if (code === 'ENOTDIR' || code === 'ELOOP') return new NotAFolderError(folder);
  return new Error(`${displayPath(folder)} cannot be entered: ${message}`, { cause: error });
}

/** The first folder on the path from one folder down to another. */
function nextBelow(from: RawPath, to: RawPath): RawPath {
  const start = from === '' ? 0 : from.length + 1;
  const end = to.indexOf('/', start);
  return end === -1 ? to : to.slice(0, end);
}
