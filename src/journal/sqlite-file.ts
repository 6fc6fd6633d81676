import { chmodSync, closeSync, mkdirSync, openSync, readSync, statSync } from 'node:fs';
import { dirname } from 'node:path';

const sqliteMark = 'SQLite format 3\0';
/** Where a SQLite file holds its application id, four bytes. */
const applicationIdAt = 68;

/**
 * The journals that this process has open, by device and inode. Opening a second handle on one of them and closing it
 * would drop SQLite's lock (POSIX locks belong to the process), and another server could write to it.
 */
const held = new Set<string>();

/**
 * Makes sure that there is a file which can be a journal, readable by its owner only, and claims it for one opener in
 * this process. What is not a journal is left as it was.
 * @returns gives the claim up
 * @throws Error with the reason as a clause: "it is a folder"
 */
export function claimJournalFile(path: string, applicationId: number): () => void {
  makeFolder(dirname(path));
  // Created before SQLite does, so that there is no moment with wider rights; its -wal takes the same.
  if (statSync(path, { throwIfNoEntry: false }) === undefined) closeSync(openSync(path, 'a', 0o600));
  const stat = statSync(path, { bigint: true });
  if (stat.isDirectory()) throw new Error('it is a folder');
  if (!stat.isFile()) throw new Error('it is not a file');
  const key = `${stat.dev}:${stat.ino}`;
  if (held.has(key)) throw new Error('another server has it open');
  if (stat.size > 0n) refuseForeign(path, applicationId);
  for (const file of [path, `${path}-wal`]) if (statSync(file, { throwIfNoEntry: false }) !== undefined) chmodSync(file, 0o600);
  held.add(key);
  return () => held.delete(key);
}

/** One folder after the other: `recursive` never ends where a folder cannot be made, as in /proc. */
function makeFolder(path: string): void {
  if (isFolder(path)) return;
  const parent = dirname(path);
  if (parent !== path) makeFolder(parent);
  try {
    mkdirSync(path, { mode: 0o700 });
  } catch (cause) {
    if (isFolder(path)) return;
    const code = codeOf(cause);
    if (code === 'EEXIST' || code === 'ENOTDIR') throw new Error('a part of its path is not a folder', { cause });
    if (code === 'EACCES' || code === 'EPERM') throw cause;
    throw new Error(`its folder cannot be made (${code ?? String(cause)})`, { cause });
  }
}

function isFolder(path: string): boolean {
  return statSync(path, { throwIfNoEntry: false })?.isDirectory() ?? false;
}

function refuseForeign(path: string, applicationId: number): void {
  const head = Buffer.alloc(applicationIdAt + 4);
  const file = openSync(path, 'r');
  try {
    readSync(file, head, 0, head.length, 0);
  } finally {
    closeSync(file);
  }
  if (head.toString('latin1', 0, sqliteMark.length) !== sqliteMark) throw new Error('it is not a SQLite file, or it is damaged');
  if (head.readUInt32BE(applicationIdAt) !== applicationId) throw new Error('it is a SQLite file of another program');
}

/** The system's code of an error, as `EACCES`. */
export function codeOf(error: unknown): string | undefined {
  return error instanceof Error && 'code' in error && typeof error.code === 'string' ? error.code : undefined;
}
