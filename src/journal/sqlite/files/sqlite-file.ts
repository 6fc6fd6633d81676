import { chmodSync, closeSync, openSync, readFileSync, readSync, statSync } from 'node:fs';
import { dirname } from 'node:path';
import { makeFolder } from '../../../executable/make-folder.ts';
import { readLog } from '../commit-log-text.ts';
import { refuseForeignCompanions } from './companion-files.ts';
import { OpenRefusal } from '../open-refusal.ts';

const sqliteHeadBytes = 100;
const sqliteMark = 'SQLite format 3\0';
/** Where a SQLite file holds its application id, four bytes. */
const applicationIdAt = 68;
/** What the head of a journal has behind the header that SQLite knows: how its tables were made. */
const tableMark = 'CREATE TABLE chunks (place INTEGER PRIMARY KEY';
const headBytes = 16 * 1_024;
/** Where the head says how the file is written: 2 with a write-ahead log, as a journal is from its first moment on, but not a backup. */
const writeVersionAt = 18;

/**
 * The journals that this process has open, by device and inode. Opening a second handle on one of them and closing it
 * would drop SQLite's lock (POSIX locks belong to the process), and another server could write to it.
 */
const held = new Set<string>();

/** A file that may be opened as a journal. */
export interface ClaimedFile {
  /** It was empty, or not there. */
  isNew: boolean;
  /** The user whose file it is. */
  owner: number;
  /** @throws OpenRefusal a repair has put another file in its place since: what is written to this one is kept by nobody */
  requireInPlace: () => void;
  /** Gives the claim up. */
  release: () => void;
}

/**
 * Makes sure that there is a file which can be a journal, readable by its owner only, and claims it for one opener in
 * this process. What is not a journal is left as it was.
 * @throws OpenRefusal
 */
export function claimJournalFile(path: string, applicationId: number): ClaimedFile {
  makeFolderOf(path);
  refuseForeignCompanions(path, statSync(path, { throwIfNoEntry: false })?.uid);
  // Created before SQLite does, so that there is no moment with wider rights; its -wal takes the same.
  if (statSync(path, { throwIfNoEntry: false }) === undefined) closeSync(openSync(path, 'a', 0o600));
  const stat = statSync(path, { bigint: true });
  if (stat.isDirectory()) throw new OpenRefusal('foreign', 'it is a folder');
  if (!stat.isFile()) throw new OpenRefusal('foreign', 'it is not a file');
  const key = `${stat.dev}:${stat.ino}`;
  if (held.has(key)) throw takenBy(path);
  if (stat.size > 0n) refuseForeign(path, applicationId);
  chmodSync(path, 0o600);
  held.add(key);
  const requireInPlace = () => {
    const now = statSync(path, { bigint: true, throwIfNoEntry: false });
    if (now?.dev !== stat.dev || now.ino !== stat.ino)
      throw new OpenRefusal('in_use', 'another file was put in its place while it was opened: try again');
  };
  return { isNew: stat.size === 0n, owner: Number(stat.uid), requireInPlace, release: () => held.delete(key) };
}

/** Another server has the journal: whose it is stands at the head of its log. */
export function takenBy(path: string, cause?: unknown): OpenRefusal {
  const { pid, url } = holderOf(path) ?? {};
  const who = pid === undefined ? '' : ` (process ${pid}${url === undefined ? '' : `, ${url}`})`;
  return new OpenRefusal('in_use', `another server has it open${who}`, {
    cause,
    ...(pid === undefined ? {} : { pid }),
    ...(url === undefined ? {} : { url }),
  });
}

function holderOf(path: string): { pid: number; url?: string | undefined } | undefined {
  try {
    return readLog(readFileSync(`${path}-log`)).header;
  } catch {
    return undefined;
  }
}

/** @throws OpenRefusal, or the system's error where this user may not */
function makeFolderOf(path: string): void {
  try {
    makeFolder(dirname(path), 0o700);
  } catch (cause) {
    const code = codeOf(cause);
    if (code === 'EEXIST' || code === 'ENOTDIR') throw new OpenRefusal('foreign', 'a part of its path is not a folder', { cause });
    if (code === 'EACCES' || code === 'EPERM') throw cause;
    throw new OpenRefusal('failed', `its folder cannot be made (${code ?? String(cause)})`, { cause });
  }
}

function refuseForeign(path: string, applicationId: number): void {
  const head = Buffer.alloc(headBytes);
  const file = openSync(path, 'r');
  try {
    if (readSync(file, head, 0, head.length, 0) < sqliteHeadBytes && head.toString('latin1', 0, sqliteMark.length) === sqliteMark)
      throw new OpenRefusal('damaged', 'it was cut off within its header');
  } finally {
    closeSync(file);
  }
  const isSqlite = head.toString('latin1', 0, sqliteMark.length) === sqliteMark;
  if (isSqlite && head.readUInt32BE(applicationIdAt) === applicationId) {
    // SQLite would mix the two.
    if (head[writeVersionAt] === 1 && (statSync(`${path}-wal`, { throwIfNoEntry: false })?.size ?? 0) > 0)
      throw new OpenRefusal(
        'foreign',
        `it was put in the place of another one, whose write-ahead log is still there: move ${path}-wal and ${path}-log away`,
      );
    return;
  }
  if (head.includes(tableMark)) throw new OpenRefusal('damaged', 'its header is damaged');
  if (!isSqlite) throw new OpenRefusal('foreign', 'it is not a SQLite file, or it is damaged');
  throw new OpenRefusal('foreign', 'it is a SQLite file of another program');
}

/** The system's code of an error, as `EACCES`. */
export function codeOf(error: unknown): string | undefined {
  return error instanceof Error && 'code' in error && typeof error.code === 'string' ? error.code : undefined;
}
