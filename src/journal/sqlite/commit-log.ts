import {
  closeSync,
  constants,
  fchmodSync,
  fdatasyncSync,
  fstatSync,
  fsyncSync,
  ftruncateSync,
  lstatSync,
  openSync,
  readFileSync,
  rmSync,
  writeSync,
} from 'node:fs';
import { dirname } from 'node:path';
import { commitBytes, headerText, readLog, type LogContent, type LogHeader } from './commit-log-text.ts';
import { foreign, openCompanion } from './files/companion-files.ts';

/** How much must fit on the disk for it not to be full. */
const probeBytes = 64 * 1_024;

/**
 * The commits that the database does not hold yet: a file of the JSON of their events, one a line, each commit closed by
 * a line with its checksum. A commit here is one system call and a transaction of the database some ten: this is what
 * makes it cheap to acknowledge a single event.
 */
export class CommitLog {
  readonly path: string;
  /**
   * Whether it was not there. One that is empty is another matter: a sudden end comes between its being emptied, when the database
   * has everything, and its being begun anew.
   */
  readonly wasMissing: boolean;
  /** What a former server left. */
  readonly content: LogContent;
  /** The same, byte for byte. */
  readonly bytes: Buffer;
  readonly #file: number;
  readonly #fsync: boolean;
  /** Everything before this is whole commits. */
  #sizeBytes: number;
  /** Something may stand behind them that does not count. */
  #isTorn: boolean;
  #header = '';
  /** Whether commits are in the file. */
  #hasCommits: boolean;

  /**
   * Opens the file, or makes it, readable by its owner only.
   * @throws OpenRefusal it is no log, and is left as it was; the system's error
   */
  constructor(path: string, { fsync, owner }: { fsync: boolean; owner?: number | undefined }) {
    this.path = path;
    this.#fsync = fsync;
    this.wasMissing = lstatSync(path, { throwIfNoEntry: false }) === undefined;
    const flags = constants.O_RDWR | constants.O_APPEND | constants.O_CREAT;
    this.#file = openCompanion(path, owner, flags) ?? openSync(path, flags, 0o600);
    try {
      this.bytes = readFileSync(this.#file);
      this.content = readLog(this.bytes);
      if (this.bytes.length > 0 && !this.content.isLog) throw foreign(path);
      fchmodSync(this.#file, 0o600);
      this.#sizeBytes = this.content.bytes;
      this.#isTorn = fstatSync(this.#file).size !== this.#sizeBytes;
      this.#hasCommits = this.content.commits.length > 0 || this.content.damagedAtEnd > 0;
      if (fsync) syncFolder(dirname(path));
    } catch (error) {
      closeSync(this.#file);
      throw error;
    }
  }

  /** Keeps the lines as one commit, all of them or none. @throws the system's error */
  append(lines: readonly string[], number: number): void {
    this.#cut();
    const commit = commitBytes(lines, number);
    this.#write(this.#sizeBytes === 0 ? Buffer.concat([Buffer.from(this.#header), commit]) : commit);
    this.#hasCommits = true;
  }

  /**
   * Forgets everything: the database has it. The next one to open the file reads there where the database stood. What the
   * disk refuses of this is done before the next commit.
   */
  clear(header: LogHeader): void {
    const text = headerText(header);
    if (text === this.#header && !this.#hasCommits && this.#sizeBytes > 0 && !this.#isTorn) return;
    this.#header = text;
    this.#hasCommits = false;
    this.#sizeBytes = 0;
    this.#isTorn = true;
    try {
      this.#cut();
      this.#write(Buffer.from(text));
    } catch {
      // It goes with the next commit.
    }
  }

  /** Makes sure that there is room for more. @throws the system's error */
  probe(): void {
    this.#cut();
    try {
      this.#isTorn = true;
      writeWhole(this.#file, Buffer.alloc(probeBytes));
    } finally {
      this.#tryToCut();
    }
  }

  /** @param isDone it is not needed any more: leaves no file behind where there is nothing to keep */
  close(isDone = true): void {
    closeSync(this.#file);
    if (!isDone || this.#hasCommits) return;
    try {
      rmSync(this.path, { force: true });
    } catch {
      // Its folder was made read-only. Without commits it says nothing that the database does not.
    }
  }

  #write(bytes: Buffer): void {
    this.#isTorn = true;
    try {
      writeWhole(this.#file, bytes);
      if (this.#fsync) fdatasyncSync(this.#file);
    } catch (error) {
      // At once, if it can be: a full disk gets its space back. Else before the next commit.
      this.#tryToCut();
      throw error;
    }
    this.#isTorn = false;
    this.#sizeBytes += bytes.length;
  }

  #tryToCut(): void {
    try {
      this.#cut();
    } catch {
      // It stays torn.
    }
  }

  /** Takes away what a failed write left, before anything could be written behind it. */
  #cut(): void {
    if (!this.#isTorn) return;
    ftruncateSync(this.#file, this.#sizeBytes);
    this.#isTorn = false;
  }
}

function writeWhole(file: number, bytes: Buffer): void {
  for (let written = 0; written < bytes.length;) written += writeSync(file, bytes, written);
}

/** A file that was just made is there after a power failure only if its folder was written too. */
function syncFolder(path: string): void {
  const folder = openSync(path, 'r');
  try {
    fsyncSync(folder);
  } finally {
    closeSync(folder);
  }
}
