import { createHash } from 'node:crypto';
import { type BigIntStats, lstatSync, readlinkSync } from 'node:fs';
import { stat, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { setImmediate as nextTurn } from 'node:timers/promises';

import { hashFiles } from './git-blobs.ts';
import type { Git } from './git-command.ts';
import type { TreeEntry } from './git-tree.ts';
import { type RawPath, absolutePath, displayPath, parentOf, splitNul } from './raw-path.ts';

/** A file of the work tree at one moment. `stamp` changes whenever its bytes or mode may have changed. */
export interface SnapshotEntry extends TreeEntry {
  readonly stamp: string;
}

/** The work tree at one moment: tracked files and untracked ones that are not ignored, contents already stored as git objects. */
export interface WorkTreeSnapshot {
  readonly entries: ReadonlyMap<RawPath, SnapshotEntry>;
  /** What lies in the work tree and cannot be kept, a sentence each: submodules, repositories inside, unreadable files. */
  readonly uncovered: readonly string[];
  /** Digest of what is staged: modes, ids and paths, so that git's own refreshing of the index does not change it. */
  readonly indexDigest: string;
  /** The commit of HEAD, or null before the first one. */
  readonly head: string | null;
}

/** Takes snapshots of one work tree, remembering the ids of files that did not change since. */
export interface Snapshotter {
  take(): Promise<WorkTreeSnapshot>;
  /** Forgets what was remembered: every file is read again by the next `take`. */
  forget(): void;
}

interface Known {
  readonly stamp: string;
  readonly oid: string;
}

/** How much older than the snapshot a file's times must be for its stamp to be trusted: two ticks of a 100 Hz kernel clock. */
const CLOCK_TICK_NS = 20_000_000n;
/** The same on file systems that keep whole seconds only (two on FAT). */
const COARSE_TICK_NS = 2_000_000_000n;
const SECOND_NS = 1_000_000_000n;
/** lstat is quicker called synchronously, but the event loop must breathe in a large tree. */
const STATS_PER_TURN = 500;

/** Opens a snapshotter; nothing is read before the first `take`, and of files left out nothing ever. */
export function createSnapshotter(git: Git, leftOut: ReadonlySet<RawPath>): Snapshotter {
  let known = new Map<RawPath, Known>();
  return {
    forget: () => known.clear(),
    take: () =>
      git.withTempFolder(async (tempFolder) => {
        // The folder was made just now: its time is the file system's own clock, which on a network drive is not ours.
        const now = (await stat(tempFolder, { bigint: true })).mtimeNs;
        const listing = await listWorkTree(git, leftOut);
        const found = await statAll(git.root, listing.paths);
        const fresh = await hashChanged(git, found, known, tempFolder);
        const entries = new Map<RawPath, SnapshotEntry>();
        const nextKnown = new Map<RawPath, Known>();
        const uncovered = [...listing.uncovered];
        for (const [path, stats] of found) {
          const stamp = stampOf(stats);
          const mode = modeOf(stats);
          const remembered = known.get(path);
          const oid = fresh.get(path) ?? (remembered?.stamp === stamp ? remembered.oid : undefined);
          if (!mode) uncovered.push(`${displayPath(path)} is neither a file nor a link; it is not part of checkpoints`);
          else if (oid) {
            entries.set(path, { mode, oid, stamp });
            if (isSettled(stats, now)) nextKnown.set(path, { stamp, oid });
          } else if (exists(git.root, path)) uncovered.push(`${displayPath(path)} cannot be read; it is not part of checkpoints`);
        }
        known = nextKnown;
        return { entries, uncovered, indexDigest: listing.indexDigest, head: listing.head };
      }),
  };
}

async function listWorkTree(
  git: Git,
  leftOut: ReadonlySet<RawPath>,
): Promise<{ paths: Set<RawPath>; uncovered: string[]; indexDigest: string; head: string | null }> {
  const [staged, others, head] = await Promise.all([
    git.run(['ls-files', '--stage', '-z']),
    git.run(['ls-files', '--others', '--exclude-standard', '-z']),
    git.run(['rev-parse', '--verify', '--quiet', 'HEAD^{commit}'], { allowedExitCodes: [1] }),
  ]);
  const paths = new Set<RawPath>();
  const uncovered: string[] = [];
  for (const record of splitNul(staged)) {
    const path = record.slice(record.indexOf('\t') + 1);
    if (record.startsWith('160000')) uncovered.push(`${displayPath(path)} is a submodule; its files are not part of checkpoints`);
    else paths.add(path);
  }
  for (const path of splitNul(others)) {
    // git ends a name in a slash for a repository inside this one, into which it does not look.
    if (path.endsWith('/')) uncovered.push(`${displayPath(path)} is a repository of its own; its files are not part of checkpoints`);
    else paths.add(path);
  }
  for (const path of leftOut) paths.delete(path);
  const indexDigest = createHash('sha256').update(staged).digest('hex');
  return { paths, uncovered, indexDigest, head: head.toString('latin1').trim() || null };
}

/** Stats of all that is there. Tracked files that were deleted, or whose folder became a link or a file, are not. */
async function statAll(root: string, paths: Iterable<RawPath>): Promise<Map<RawPath, BigIntStats>> {
  const folders = new Map<RawPath, boolean>([['', true]]);
  const isRealFolder = (folder: RawPath): boolean => {
    let real = folders.get(folder);
    if (real === undefined) {
      real = isRealFolder(parentOf(folder)) && lstatOf(root, folder)?.isDirectory() === true;
      folders.set(folder, real);
    }
    return real;
  };
  const found = new Map<RawPath, BigIntStats>();
  let count = 0;
  for (const path of paths) {
    if (++count % STATS_PER_TURN === 0) await nextTurn();
    // Through a linked folder lstat would find files outside of the work tree.
    const stats = isRealFolder(parentOf(path)) ? lstatOf(root, path) : undefined;
    if (stats && !stats.isDirectory()) found.set(path, stats);
  }
  return found;
}

/** Stores the contents of all files that are not known with their present stamp. */
async function hashChanged(
  git: Git,
  found: ReadonlyMap<RawPath, BigIntStats>,
  known: ReadonlyMap<RawPath, Known>,
  tempFolder: string,
): Promise<Map<RawPath, string>> {
  const files: RawPath[] = [];
  const links = new Map<RawPath, RawPath>();
  for (const [path, stats] of found) {
    if (known.get(path)?.stamp === stampOf(stats)) continue;
    if (stats.isFile()) files.push(path);
    else if (stats.isSymbolicLink()) {
      // A link's contents are its target: put into a file each, all are stored by one process.
      const holder = join(tempFolder, `link-${links.size}`);
      try {
        await writeFile(holder, readlinkSync(absolutePath(git.root, path), { encoding: 'buffer' }));
      } catch {
        continue;
      }
      links.set(Buffer.from(holder).toString('latin1'), path);
    }
  }
  const oids = await hashFiles(git, files, { write: true });
  for (const [holder, oid] of await hashFiles(git, [...links.keys()], { write: true })) oids.set(links.get(holder) ?? '', oid);
  return oids;
}

/**
 * git's rule for "racily clean" files: one that was changed in the same tick of the clock in which it was read may change again without
 * a new time. Such a file is read again next time.
 */
function isSettled({ mtimeNs, ctimeNs }: BigIntStats, now: bigint): boolean {
  const coarse = mtimeNs % SECOND_NS === 0n && ctimeNs % SECOND_NS === 0n;
  return (mtimeNs > ctimeNs ? mtimeNs : ctimeNs) + (coarse ? COARSE_TICK_NS : CLOCK_TICK_NS) < now;
}

/** The stamp that `SnapshotEntry` carries, of a file's stats now. */
export function stampOf({ size, mtimeNs, ctimeNs, ino, mode }: BigIntStats): string {
  return `${size} ${mtimeNs} ${ctimeNs} ${ino} ${mode}`;
}

/** git's mode of a file; undefined for what git cannot hold (pipes, sockets, devices). */
export function modeOf(stats: BigIntStats): TreeEntry['mode'] | undefined {
  if (stats.isSymbolicLink()) return '120000';
  if (!stats.isFile()) return undefined;
  return (stats.mode & 0o100n) === 0n ? '100644' : '100755';
}

/** Stats of a path itself, links not followed; undefined when there is nothing, or nothing that may be looked at. */
export function lstatOf(root: string, path: RawPath): BigIntStats | undefined {
  try {
    return lstatSync(absolutePath(root, path), { bigint: true, throwIfNoEntry: false });
  } catch {
    return undefined;
  }
}

function exists(root: string, path: RawPath): boolean {
  return lstatOf(root, path) !== undefined;
}
