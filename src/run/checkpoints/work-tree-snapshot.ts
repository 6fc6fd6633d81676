import { type BigIntStats, readlinkSync } from 'node:fs';
import { stat, writeFile } from 'node:fs/promises';
import { join } from 'node:path';

import { hashFiles } from '../git/git-blobs.ts';
import { type Git, GitError, type GitRepository, withTempFolder } from '../git/git-command.ts';
import { type KeptEntry, type TreeEntry, readTree } from '../git/git-tree.ts';
import { type RawPath, absolutePath, parentOf } from '../files/raw-path.ts';
import { listFiles, listFolders, listIgnored, lstatOf, permissionsOf, statAll } from './work-tree-listing.ts';
import type { FolderListing, IgnoredListing } from './work-tree-listing.ts';

/** A file of the work tree at one moment. `stamp` changes whenever its bytes or mode may have changed. */
export interface SnapshotEntry extends KeptEntry {
  readonly stamp: string;
}

/** The work tree at one moment: tracked files and untracked ones that are not ignored. */
export interface WorkTreeSnapshot {
  readonly entries: ReadonlyMap<RawPath, SnapshotEntry>;
  /** Entries of the work tree that are not kept, with the reason. */
  readonly uncovered: ReadonlyMap<RawPath, string>;
  /** Digest of the staged files. */
  readonly indexDigest: string;
  /** The commit of HEAD, or null before the first one. */
  readonly head: string | null;
}

/** A snapshot that can become a checkpoint: the contents are stored, and folders and ignored files are listed. */
export interface StoredSnapshot extends WorkTreeSnapshot {
  readonly folders: FolderListing;
  readonly ignored: IgnoredListing;
}

/** The moment from which the program changes files that are still being read. */
export interface Moment {
  /** The file system's time at that moment, set when it has passed. */
  passed?: bigint;
  /** The number of files to read, set when they are counted. */
  files?: number;
}

/** Takes snapshots of one work tree. It remembers the ids of files, so that unchanged files are not read again. */
export interface Snapshotter {
  /** Takes a snapshot without storing contents. */
  look(): Promise<WorkTreeSnapshot>;
  /** Takes a snapshot and stores the contents. A file that changed after `goesOn` before it was read is listed as not kept. */
  store(goesOn?: Moment): Promise<StoredSnapshot>;
}

interface Known {
  readonly stamp: string;
  readonly oid: string;
}

/** How much older than the snapshot a file's times must be for its stamp to be trusted: two ticks of a 100 Hz kernel clock. */
const clockTickNs = 20_000_000n;
/** The same on file systems whose times are whole seconds (two seconds on FAT). */
const coarseTickNs = 2_000_000_000n;
const secondNs = 1_000_000_000n;
/** A larger file is kept only when the last commit holds its contents. */
const fileBytes = 50 * 1024 * 1024;
/** The most bytes that one checkpoint may add. The smallest files come first. */
const addedBytes = 256 * 1024 * 1024;

/** Creates a snapshotter. Nothing is read before the first call, and left-out files are never read. */
export function createSnapshotter(git: Git, store: GitRepository, leftOut: readonly RawPath[]): Snapshotter {
  const memory = new Memory(store);

  const take = async (isStored: boolean, goesOn: Moment): Promise<WorkTreeSnapshot> => {
    const now = await fileSystemTime(git, store);
    const listing = await listFiles(git, leftOut);
    goesOn.files = listing.paths.size;
    const found = await statAll(git.root, listing.paths);
    const committed = await memory.committed(listing.head);
    const uncovered = new Map(listing.uncovered);
    const oids = new Map<RawPath, string>();
    const toRead: RawPath[] = [];
    for (const [path, stats] of found) {
      const oid = memory.oidOf(path, stampOf(stats));
      if (oid !== undefined && (!isStored || memory.isKept(oid, committed))) oids.set(path, oid);
      else if (stats.isFile() || stats.isSymbolicLink()) toRead.push(path);
      else uncovered.set(path, 'is neither a file nor a link; it is not part of checkpoints');
    }
    const reading = { git, store, found, tracked: listing.tracked, committed, memory, uncovered };
    for (const [path, oid] of await readFiles(toRead, isStored, reading)) oids.set(path, oid);
    if (goesOn.passed !== undefined) leaveOutChanged(git.root, found, oids, goesOn.passed, uncovered);
    const entries = new Map<RawPath, SnapshotEntry>();
    for (const [path, stats] of found) {
      const oid = oids.get(path);
      const mode = modeOf(stats);
      if (oid !== undefined && mode !== undefined)
        entries.set(path, { mode, oid, stamp: stampOf(stats), permissions: permissionsOf(stats) });
      else if (!uncovered.has(path) && lstatOf(git.root, path) !== undefined)
        uncovered.set(path, 'cannot be read; it is not part of checkpoints');
    }
    for (const path of goesOn.passed === undefined ? [] : listing.tracked) {
      if (!found.has(path) && isChanged(git.root, parentOf(path), goesOn.passed ?? 0n))
        uncovered.set(path, 'may have been removed before it was read; it is not part of this checkpoint');
    }
    memory.remember(entries, found, now);
    return { entries, uncovered, indexDigest: listing.indexDigest, head: listing.head };
  };

  return {
    look: () => take(false, {}),
    async store(goesOn = {}) {
      const surroundings = async () => {
        const ignored = await listIgnored(git);
        return { ignored, folders: await listFolders(git.root, ignored.paths, leftOut) };
      };
      const [files, around] = await Promise.all([take(true, goesOn), surroundings()]);
      return { ...files, ...around };
    },
  };
}

/** Remembers the ids of files by their stamps, and which contents are stored already. */
class Memory {
  readonly #store: GitRepository;
  #known = new Map<RawPath, Known>();
  readonly #stored = new Set<string>();
  #head: string | null = null;
  #committed: ReadonlySet<string> = new Set();

  constructor(store: GitRepository) {
    this.#store = store;
  }

  /** The object ids of the last commit. Their contents need not be stored, because the repository holds them. */
  async committed(head: string | null): Promise<ReadonlySet<string>> {
    if (head === this.#head) return this.#committed;
    try {
      this.#committed = head === null ? new Set() : new Set(Array.from((await readTree(this.#store, head)).values(), ({ oid }) => oid));
      this.#head = head;
    } catch (error) {
      if (!(error instanceof GitError)) throw error;
      // Objects are missing, as in a partial clone. All contents are stored then.
      this.#committed = new Set();
    }
    return this.#committed;
  }

  oidOf(path: RawPath, stamp: string): string | undefined {
    const known = this.#known.get(path);
    return known?.stamp === stamp ? known.oid : undefined;
  }

  isKept(oid: string, committed: ReadonlySet<string>): boolean {
    return committed.has(oid) || this.#stored.has(oid);
  }

  stored(oid: string): void {
    this.#stored.add(oid);
  }

  remember(entries: ReadonlyMap<RawPath, SnapshotEntry>, found: ReadonlyMap<RawPath, BigIntStats>, now: bigint): void {
    this.#known = new Map();
    for (const [path, { stamp, oid }] of entries) {
      const stats = found.get(path);
      if (stats && isSettled(stats, now)) this.#known.set(path, { stamp, oid });
    }
  }
}

interface Reading {
  readonly git: Git;
  readonly store: GitRepository;
  readonly found: ReadonlyMap<RawPath, BigIntStats>;
  readonly tracked: ReadonlySet<RawPath>;
  readonly committed: ReadonlySet<string>;
  readonly memory: Memory;
  readonly uncovered: Map<RawPath, string>;
}

/** Returns the ids of files and links; with `isStored` only of those whose contents are stored. */
async function readFiles(paths: readonly RawPath[], isStored: boolean, reading: Reading): Promise<Map<RawPath, string>> {
  const { found, tracked, committed, memory, uncovered } = reading;
  const sizeOf = (path: RawPath) => Number(found.get(path)?.size ?? 0n);
  const isLarge = (path: RawPath) => sizeOf(path) > fileBytes;
  const oids = new Map<RawPath, string>();
  const fresh: RawPath[] = [];
  // The last commit may hold the contents of a tracked file. Nothing need be stored then, however large it is.
  const first = isStored ? paths.filter((path) => tracked.has(path)) : paths.filter((path) => tracked.has(path) || !isLarge(path));
  for (const [path, oid] of await hashAll(first, false, reading)) {
    if (memory.isKept(oid, committed) || (!isStored && !isLarge(path))) oids.set(path, oid);
    else fresh.push(path);
  }
  if (isStored) fresh.push(...paths.filter((path) => !tracked.has(path)));
  else for (const path of paths.filter((each) => !tracked.has(each) && isLarge(each))) uncovered.set(path, tooLarge(sizeOf(path)));
  let left = addedBytes;
  const added: RawPath[] = [];
  for (const path of fresh.sort((a, b) => sizeOf(a) - sizeOf(b))) {
    if (isLarge(path)) uncovered.set(path, tooLarge(sizeOf(path)));
    else if (sizeOf(path) > left) uncovered.set(path, `is not kept: ${shownMb(addedBytes)} were added to this checkpoint already`);
    else {
      left -= sizeOf(path);
      added.push(path);
    }
  }
  for (const [path, oid] of await hashAll(added, true, reading)) {
    memory.stored(oid);
    oids.set(path, oid);
  }
  return oids;
}

/** The contents of a symbolic link are its target. Each target is written to a temporary file, so that one process hashes all. */
async function hashAll(paths: readonly RawPath[], write: boolean, { git, store, found }: Reading): Promise<Map<RawPath, string>> {
  const links = paths.filter((path) => found.get(path)?.isSymbolicLink() === true);
  const oids = await hashFiles(
    store,
    paths.filter((path) => found.get(path)?.isFile() === true),
    { write },
  );
  if (links.length === 0) return oids;
  return await withTempFolder(store.gitDir, async (folder) => {
    const holders = new Map<RawPath, RawPath>();
    for (const [at, path] of links.entries()) {
      const holder = join(folder, `link-${at}`);
      try {
        await writeFile(holder, readlinkSync(absolutePath(git.root, path), { encoding: 'buffer' }));
        holders.set(Buffer.from(holder).toString('latin1'), path);
      } catch {
        // The path is not a link any more.
      }
    }
    for (const [holder, oid] of await hashFiles(store, [...holders.keys()], { write })) oids.set(holders.get(holder) ?? '', oid);
    return oids;
  });
}

/** Leaves out files that changed since, because their contents may be newer or half-written. */
function leaveOutChanged(
  root: string,
  found: ReadonlyMap<RawPath, BigIntStats>,
  oids: Map<RawPath, string>,
  since: bigint,
  uncovered: Map<RawPath, string>,
): void {
  for (const [path, stats] of found) {
    const now = lstatOf(root, path);
    if (stats.ctimeNs < since && now && stampOf(now) === stampOf(stats)) continue;
    oids.delete(path);
    uncovered.set(path, 'was changed before it was read; it is not part of this checkpoint');
  }
}

function isChanged(root: string, folder: RawPath, since: bigint): boolean {
  const stats = lstatOf(root, folder === '' ? '.' : folder);
  return stats === undefined || stats.ctimeNs >= since;
}

function tooLarge(bytes: number): string {
  return `is not kept: ${shownMb(bytes)} are more than the ${shownMb(fileBytes)} of a file in checkpoints`;
}

function shownMb(bytes: number): string {
  return `${Math.ceil(bytes / (1024 * 1024))} MB`;
}

/** The time by the clock of the file system, which on a network drive is the clock of another machine. */
export async function fileSystemTime(git: Git, store: GitRepository): Promise<bigint> {
  const timeOf = async (folder: string) => (await stat(folder, { bigint: true })).mtimeNs;
  // A new folder has the current time. If the repository is read-only, the folder is created in the checkpoint repository.
  return await withTempFolder(git.gitDir, timeOf).catch(() => withTempFolder(store.gitDir, timeOf));
}

/**
 * git's rule for "racily clean" files: a file that changed in the same clock tick in which it was read may change again without a new
 * time. Such a file is read again next time.
 */
function isSettled({ mtimeNs, ctimeNs }: BigIntStats, now: bigint): boolean {
  const coarse = mtimeNs % secondNs === 0n && ctimeNs % secondNs === 0n;
  return (mtimeNs > ctimeNs ? mtimeNs : ctimeNs) + (coarse ? coarseTickNs : clockTickNs) < now;
}

/** Computes the stamp of `SnapshotEntry` from the stats of a file. */
export function stampOf({ size, mtimeNs, ctimeNs, ino, mode }: BigIntStats): string {
  return `${size} ${mtimeNs} ${ctimeNs} ${ino} ${mode}`;
}

/** git's mode of a file; undefined for a file that git cannot store (pipe, socket, device). */
export function modeOf(stats: BigIntStats): TreeEntry['mode'] | undefined {
  if (stats.isSymbolicLink()) return '120000';
  if (!stats.isFile()) return undefined;
  return (stats.mode & 0o100n) === 0n ? '100644' : '100755';
}
