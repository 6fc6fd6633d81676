import {
  closeSync,
  fchmodSync,
  fdatasyncSync,
  fstatSync,
  fsyncSync,
  ftruncateSync,
  openSync,
  readFileSync,
  rmSync,
  writeSync,
} from 'node:fs';
import { dirname } from 'node:path';
import { crc32 } from 'node:zlib';

/**
 * The commits that the database does not hold yet: a file of the JSON of their events, one a line, each commit closed by
 * a line with its checksum. A commit here is one system call and a transaction of the database some ten: this is what
 * makes it cheap to acknowledge a single event.
 */
export class CommitLog {
  readonly path: string;
  readonly #file: number;
  readonly #fsync: boolean;
  /** Everything before this is whole commits. */
  #sizeBytes: number;
  /** Something may stand behind them that does not count. */
  #isTorn = false;

  /** Opens the file, or makes it, readable by its owner only. @throws the system's error */
  constructor(path: string, { fsync }: { fsync: boolean }) {
    this.path = path;
    this.#fsync = fsync;
    this.#file = openSync(path, 'a', 0o600);
    fchmodSync(this.#file, 0o600);
    this.#sizeBytes = fstatSync(this.#file).size;
    if (fsync) syncFolder(dirname(path));
  }

  /**
   * The lines of the whole commits, in order. What a sudden end left half written behind them was acknowledged to nobody;
   * the next commit takes its place. @throws the system's error
   */
  read(): string[] {
    const whole: string[] = [];
    let commit: string[] = [];
    let bytes = 0;
    let wholeBytes = 0;
    // Behind the last line feed is nothing, or a line that is not whole.
    for (const line of readFileSync(this.path, 'utf8').split('\n').slice(0, -1)) {
      bytes += Buffer.byteLength(line) + 1;
      if (!line.startsWith('#')) {
        commit.push(line);
        continue;
      }
      if (line !== mark(textOf(commit))) break;
      for (const each of commit) whole.push(each);
      commit = [];
      wholeBytes = bytes;
    }
    this.#isTorn = wholeBytes !== this.#sizeBytes;
    this.#sizeBytes = wholeBytes;
    return whole;
  }

  /** Keeps the lines as one commit, all of them or none. @throws the system's error */
  append(lines: readonly string[]): void {
    this.#cut();
    const text = Buffer.from(textOf(lines));
    const bytes = Buffer.concat([text, Buffer.from(`${mark(text)}\n`)]);
    this.#isTorn = true;
    try {
      for (let written = 0; written < bytes.length;) written += writeSync(this.#file, bytes, written);
      if (this.#fsync) fdatasyncSync(this.#file);
    } catch (error) {
      // At once, if it can be: a full disk gets its space back. Else before the next commit.
      this.#tryToCut();
      throw error;
    }
    this.#isTorn = false;
    this.#sizeBytes += bytes.length;
  }

  /** Forgets everything: the database has it. @throws the system's error */
  clear(): void {
    if (this.#sizeBytes === 0 && !this.#isTorn) return;
    this.#sizeBytes = 0;
    this.#isTorn = true;
    this.#cut();
  }

  /** Leaves no file behind where there is nothing to keep. */
  close(): void {
    closeSync(this.#file);
    if (this.#sizeBytes === 0 && !this.#isTorn) rmSync(this.path, { force: true });
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

/** A file that was just made is there after a power failure only if its folder was written too. */
function syncFolder(path: string): void {
  const folder = openSync(path, 'r');
  try {
    fsyncSync(folder);
  } finally {
    closeSync(folder);
  }
}

function textOf(lines: readonly string[]): string {
  return `${lines.join('\n')}\n`;
}

/** The closing line of a commit. JSON of an event never begins like it. */
function mark(text: string | Buffer): string {
  return `#${crc32(text).toString(16)}`;
}
