import type { DatabaseSync } from 'node:sqlite';
import { checkpointPages } from './sqlite-schema.ts';

/** Pages given back to the disk at a time: 512 KiB. */
const givenBackPages = 32;

/** The pages of a journal's file, and those of them that wait in its write-ahead log. */
export class DatabasePages {
  readonly #database: DatabaseSync;
  #isFileHeld = false;

  constructor(database: DatabaseSync) {
    this.#database = database;
  }

  /** Whether nothing is written to the file itself now. */
  get isFileHeld(): boolean {
    return this.#isFileHeld;
  }

  /**
   * From here on nothing is written to the file itself, which has everything: what follows gathers in the write-ahead log, until the
   * function that this gives is called.
   * @throws Error what is read at this moment keeps it from that
   */
  holdFile(): () => void {
    if (!this.emptyWal()) throw new Error('the journal is being read at this moment; try again');
    this.#isFileHeld = true;
    this.#database.exec('PRAGMA wal_autocheckpoint = 0');
    return () => {
      this.#isFileHeld = false;
      this.#database.exec(`PRAGMA wal_autocheckpoint = ${checkpointPages}`);
    };
  }

  /** Leaves nothing in the write-ahead log: what was deleted stands there still. False if it could not. */
  emptyWal(): boolean {
    if (this.#isFileHeld) return false;
    const [row] = this.#database.prepare('PRAGMA wal_checkpoint(TRUNCATE)').all();
    return row?.['busy'] === 0;
  }

  /** Gives some free pages back to the disk. @returns whether more are left; false also where the file does not know how */
  giveBack(): boolean {
    const before = this.#pragma('freelist_count');
    if (before === 0) return false;
    this.#database.exec(`PRAGMA incremental_vacuum(${givenBackPages})`);
    const left = this.#pragma('freelist_count');
    return left > 0 && left < before;
  }

  /** Bytes of the pages that hold something. */
  usedBytes(): number {
    return (this.#pragma('page_count') - this.#pragma('freelist_count')) * this.#pragma('page_size');
  }

  #pragma(name: 'freelist_count' | 'page_count' | 'page_size'): number {
    return Number(this.#database.prepare(`PRAGMA ${name}`).all()[0]?.[name]);
  }
}
