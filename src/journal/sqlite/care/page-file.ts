import { closeSync, fstatSync, openSync, readSync } from 'node:fs';

/** SQLite's own file formats: https://sqlite.org/fileformat2.html and https://sqlite.org/walformat.html. */
const pageSizeAt = 16;
const defaultPageBytes = 16 * 1_024;
const walHeadBytes = 32;
const frameHeadBytes = 24;
/** Of the checksums: big-endian with the second one. */
const walMagics = [0x377f0682, 0x377f0683];

/**
 * The pages of a SQLite file, read without SQLite: also where it gives up. What the write-ahead log has of a page stands in the place
 * of what the file has. Its frames are read at once only by their heads.
 */
export class PageFile {
  readonly pageBytes: number;
  readonly #file: number;
  readonly #wal: number | undefined;
  /** Of pages that the write-ahead log has: where. */
  readonly #committed = new Map<number, number>();
  /** Of pages that stand behind damage in the write-ahead log: SQLite takes none of them. */
  readonly #loose = new Map<number, number>();
  readonly #count: number;

  /** @throws the system's error */
  constructor(path: string) {
    this.#file = openSync(path, 'r');
    this.#wal = openIfThere(`${path}-wal`);
    this.pageBytes = this.#pageBytes();
    this.#readWal();
    this.#count = Math.ceil(fstatSync(this.#file).size / this.pageBytes);
  }

  /** Every page as SQLite would see it; then those that only a damaged write-ahead log has. `fetch` gives the pages that one goes on in. */
  *pages(): Generator<{ number: number; bytes: Buffer; fetch: (page: number) => Buffer | undefined }> {
    const fetch = (page: number) => this.#page(page, [this.#committed]);
    const last = Math.max(this.#count, ...this.#committed.keys());
    for (let number = 1; number <= last; number++) {
      const bytes = fetch(number);
      if (bytes !== undefined) yield { number, bytes, fetch };
    }
    const fetchLoose = (page: number) => this.#page(page, [this.#loose, this.#committed]);
    for (const number of this.#loose.keys()) {
      const bytes = fetchLoose(number);
      if (bytes !== undefined) yield { number, bytes, fetch: fetchLoose };
    }
  }

  /** While SQLite of this process has the file open, this would drop its lock. */
  close(): void {
    closeSync(this.#file);
    if (this.#wal !== undefined) closeSync(this.#wal);
  }

  #pageBytes(): number {
    const size = this.#read(this.#file, pageSizeAt, 2)?.readUInt16BE() ?? 0;
    const fromWal = this.#wal === undefined ? undefined : this.#read(this.#wal, 8, 4)?.readUInt32BE();
    return (
      [size === 1 ? 65_536 : size, fromWal ?? 0].find((bytes) => bytes >= 512 && bytes <= 65_536 && Number.isInteger(Math.log2(bytes))) ??
      defaultPageBytes
    );
  }

  #page(number: number, maps: readonly ReadonlyMap<number, number>[]): Buffer | undefined {
    for (const frames of maps) {
      const at = frames.get(number);
      if (at !== undefined && this.#wal !== undefined) return this.#read(this.#wal, at, this.pageBytes);
    }
    return number < 1 ? undefined : this.#read(this.#file, (number - 1) * this.pageBytes, this.pageBytes);
  }

  /** Takes up the frames of the present round of the write-ahead log, through the last commit whose checksums are right. */
  #readWal(): void {
    const wal = this.#wal;
    const head = wal === undefined ? undefined : this.#read(wal, 0, walHeadBytes);
    if (wal === undefined || head === undefined || !walMagics.includes(head.readUInt32BE())) return;
    const sum = new WalChecksum(head.readUInt32BE() === walMagics[1]);
    sum.add(head.subarray(0, 24));
    let isSound = sum.equals(head, 24);
    let pending = new Map<number, number>();
    const frameBytes = frameHeadBytes + this.pageBytes;
    for (let at = walHeadBytes; ; at += frameBytes) {
      const frame = this.#read(wal, at, frameBytes);
      if (frame === undefined) break;
      if (!frame.subarray(8, 16).equals(head.subarray(16, 24))) break;
      if (isSound) {
        sum.add(frame.subarray(0, 8));
        sum.add(frame.subarray(frameHeadBytes));
        isSound = sum.equals(frame, 16);
      }
      const number = frame.readUInt32BE(0);
      (isSound ? pending : this.#loose).set(number, at + frameHeadBytes);
      if (isSound && frame.readUInt32BE(4) !== 0) {
        for (const [page, place] of pending) this.#committed.set(page, place);
        pending = new Map();
      }
    }
  }

  /** Exactly so many bytes; undefined where there are fewer. */
  #read(file: number, at: number, length: number): Buffer | undefined {
    const bytes = Buffer.alloc(length);
    try {
      return readSync(file, bytes, 0, length, at) === length ? bytes : undefined;
    } catch {
      // A disk that cannot read a sector.
      return undefined;
    }
  }
}

/** The running checksum of a write-ahead log. */
class WalChecksum {
  readonly #isBigEndian: boolean;
  #first = 0;
  #second = 0;

  constructor(isBigEndian: boolean) {
    this.#isBigEndian = isBigEndian;
  }

  add(bytes: Buffer): void {
    for (let at = 0; at + 8 <= bytes.length; at += 8) {
      const [a, b] = this.#isBigEndian
        ? [bytes.readUInt32BE(at), bytes.readUInt32BE(at + 4)]
        : [bytes.readUInt32LE(at), bytes.readUInt32LE(at + 4)];
      this.#first = (this.#first + a + this.#second) >>> 0;
      this.#second = (this.#second + b + this.#first) >>> 0;
    }
  }

  equals(bytes: Buffer, at: number): boolean {
    return bytes.readUInt32BE(at) === this.#first && bytes.readUInt32BE(at + 4) === this.#second;
  }
}

function openIfThere(path: string): number | undefined {
  try {
    return openSync(path, 'r');
  } catch {
    return undefined;
  }
}
