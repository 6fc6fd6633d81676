import {
  closeSync,
  constants,
  fchmodSync,
  fstatSync,
  lstatSync,
  openSync,
  readFileSync,
  readSync,
  renameSync,
  rmSync,
  writeFileSync,
  type Stats,
} from 'node:fs';
import { OpenRefusal } from '../open-refusal.ts';

/**
 * The endings of SQLite's own files beside a database, and what each begins with where it is not empty. A rollback
 * journal that is over may begin with zeros; the index of a write-ahead log is made anew whatever is in it.
 */
const marks: ReadonlyMap<string, readonly string[] | undefined> = new Map([
  ['-wal', ['377f0682', '377f0683']],
  ['-journal', ['d9d505f9', '00000000']],
  ['-shm', undefined],
]);
/** The most of a write-ahead log that is kept in memory while a journal is opened. It is written back every 2 MiB. */
const keptBytes = 64 * 1_024 * 1_024;

/**
 * Makes sure that no file beside the database would be taken for one of its own that is not: a link, a file of another
 * user or of another program. SQLite itself would write over them, and so would we.
 * @throws OpenRefusal which file, and what is wrong with it
 */
export function refuseForeignCompanions(path: string, owner: number | undefined): void {
  for (const [ending, known] of marks) {
    const file = openCompanion(`${path}${ending}`, owner);
    if (file === undefined) continue;
    try {
      const head = Buffer.alloc(4);
      if (readSync(file, head, 0, 4, 0) > 0 && known?.includes(head.toString('hex')) === false) throw foreign(`${path}${ending}`);
      fchmodSync(file, 0o600);
    } finally {
      closeSync(file);
    }
  }
}

/** Opens one without following links; undefined if there is none and it is not to be made. @throws OpenRefusal it is none of ours */
export function openCompanion(path: string, owner: number | undefined, flags: number = constants.O_RDONLY): number | undefined {
  const before = lstatSync(path, { throwIfNoEntry: false });
  if (before === undefined && (flags & constants.O_CREAT) === 0) return undefined;
  if (before !== undefined) refuse(path, before, owner);
  // What was looked at may be another file by now: neither followed nor waited for, and looked at again.
  const file = openSync(path, flags | (constants.O_NOFOLLOW ?? 0) | (constants.O_NONBLOCK ?? 0), 0o600);
  try {
    refuse(path, fstatSync(file), owner);
    return file;
  } catch (error) {
    closeSync(file);
    throw error;
  }
}

function refuse(path: string, stat: Stats, owner: number | undefined): void {
  if (stat.isSymbolicLink()) throw new OpenRefusal('foreign', `${path} is a link: remove it, or name another journal`);
  if (!stat.isFile()) throw new OpenRefusal('foreign', `${path} is not a file: remove it, or name another journal`);
  const own = process.getuid?.();
  if (own !== undefined && stat.uid !== own && stat.uid !== owner) {
    throw new OpenRefusal('foreign', `${path} belongs to another user: remove it, or name another journal`);
  }
}

/** A file in the place of one of ours, with something else in it. */
export function foreign(path: string): OpenRefusal {
  return new OpenRefusal('foreign', `${path} is there already and is not this journal's: move it away, or name another journal`);
}

/**
 * The write-ahead log as it is before SQLite opens it, which takes what it can from it and then drops it. Whoever must
 * not go on puts it back.
 */
export class KeptWal {
  readonly #path: string;
  readonly #bytes: Buffer | undefined;
  #isMoved = false;

  constructor(path: string) {
    this.#path = `${path}-wal`;
    const size = lstatSync(this.#path, { throwIfNoEntry: false })?.size ?? 0;
    this.#bytes = size === 0 || size > keptBytes ? undefined : readFileSync(this.#path);
  }

  get isEmpty(): boolean {
    return this.#bytes === undefined;
  }

  putBack(): void {
    if (this.#bytes !== undefined && !this.#isMoved) this.copyTo(this.#path);
  }

  /** Gives it another name, under which it is as it was. @returns false where there is none, or an empty one */
  moveTo(path: string): boolean {
    this.#isMoved = true;
    const isThere = (lstatSync(this.#path, { throwIfNoEntry: false })?.size ?? 0) > 0;
    if (isThere) renameSync(this.#path, path);
    else rmSync(this.#path, { force: true });
    this.copyTo(path);
    return isThere || !this.isEmpty;
  }

  copyTo(path: string): void {
    if (this.#bytes !== undefined) writeFileSync(path, this.#bytes, { mode: 0o600 });
  }
}
