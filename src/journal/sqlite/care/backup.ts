import { closeSync, openSync, read, rmSync, statSync } from 'node:fs';
import { open, type FileHandle } from 'node:fs/promises';
import { promisify } from 'node:util';
import { ShannonDashError } from '../../../core/protocol/errors.ts';
import type { SqliteDatabase } from '../database/sqlite-database.ts';
import type { WriteBack } from '../write-back.ts';
import { openDatabase } from './open-database.ts';

const readFrom = promisify(read);

/** What is copied at a time; the event loop is free meanwhile. */
const pieceBytes = 1024 * 1024;
/** While a copy is made, what is committed gathers in the write-ahead log. With more than this the backup is given up. */
const mostWaitingBytes = 512 * 1024 * 1024;

/** The ending of a backup that is being written beside a journal. What a sudden end leaves of one is deleted at the next start. */
const unfinishedEnding = '-backup-unfinished';

interface BackupParts {
  path: string;
  database: SqliteDatabase;
  writes: WriteBack;
}

/**
 * Copies the journal while it is written. At the cut everything that was acknowledged is brought into the database's own file; until
 * that is copied, what follows stays in the write-ahead log. So the copy is the journal at one moment, whatever happens meanwhile.
 */
export class Backups {
  readonly #parts: BackupParts;
  /** Open for reading from the first backup on: to close it would drop SQLite's lock on the file, which belongs to the process. */
  #source: number | undefined;
  #running: Promise<void> | undefined;
  #isClosed = false;

  constructor(parts: BackupParts) {
    this.#parts = parts;
    // Of a process that ended in the middle.
    rmSync(parts.path + unfinishedEnding, { force: true });
  }

  /**
   * Writes a backup: a journal in one file that can be opened as it is.
   * @param target a file that is not there yet; without it one beside the journal, that whoever asks for it deletes
   * @throws ShannonDashError CONFLICT one is being written; the system's and SQLite's errors. Nothing is left of the file
   */
  async write(target?: string): Promise<string> {
    if (this.#running !== undefined) throw new ShannonDashError('CONFLICT', 'A backup is being written already; wait until it is done');
    const path = target ?? this.#parts.path + unfinishedEnding;
    const done = this.#write(path);
    const settled = done.catch(() => undefined);
    this.#running = settled;
    try {
      await done;
    } finally {
      this.#running = undefined;
    }
    return path;
  }

  get isRunning(): boolean {
    return this.#running !== undefined;
  }

  /** Gives up the one that is being written. */
  async end(): Promise<void> {
    this.#isClosed = true;
    await this.#running;
  }

  /** Only when the database is closed. */
  close(): void {
    if (this.#source !== undefined) closeSync(this.#source);
    this.#source = undefined;
  }

  async #write(path: string): Promise<void> {
    const { database, writes } = this.#parts;
    // Never another's file: it must not be there.
    const copy = await open(path, 'wx', 0o600);
    try {
      try {
        writes.moveToDatabase();
        const release = database.pages.holdFile();
        try {
          await this.#copyTo(copy);
        } finally {
          release();
          writes.moveLater();
        }
      } finally {
        await copy.close();
      }
      await finish(path);
    } catch (error) {
      rmSync(path, { force: true });
      throw error;
    }
  }

  async #copyTo(copy: FileHandle): Promise<void> {
    const { path } = this.#parts;
    this.#source ??= openSync(path, 'r');
    const { size } = statSync(path);
    const piece = Buffer.allocUnsafe(Math.min(pieceBytes, size));
    for (let at = 0; at < size;) {
      const { bytesRead } = await readFrom(this.#source, piece, 0, Math.min(piece.length, size - at), at);
      if (bytesRead === 0) throw new Error('the journal became shorter while it was copied');
      await copy.write(piece, 0, bytesRead, at);
      at += bytesRead;
      if (this.#isClosed) throw new ShannonDashError('UNAVAILABLE', 'The server is stopping; the backup was given up');
      if ((statSync(`${path}-wal`, { throwIfNoEntry: false })?.size ?? 0) > mostWaitingBytes)
        throw new Error('more is written to the journal than the backup can follow; write it to a faster disk');
    }
    await copy.sync();
  }
}

/** Makes of the copy of a journal that is open one that was closed, in a single file. */
async function finish(path: string): Promise<void> {
  const database = await openDatabase(path);
  try {
    database.exec(`PRAGMA locking_mode = EXCLUSIVE; PRAGMA journal_mode = DELETE; UPDATE meta SET value = '0' WHERE key = 'open'`);
  } finally {
    database.close();
  }
}
