import { z } from 'zod';

import type { GitRepository } from '../git/git-command.ts';
import { type KeptEntry, readTree, writeBlob } from '../git/git-tree.ts';
import type { RawPath } from '../files/raw-path.ts';
import { isWritablePath } from '../files/writable-path.ts';
import type { StoredSnapshot } from './work-tree-snapshot.ts';

/** The contents of a checkpoint: its files, and facts that git's trees cannot hold. */
export interface CheckpointContents {
  readonly entries: ReadonlyMap<RawPath, KeptEntry>;
  /** Folders that existed, with their permissions. */
  readonly folders: ReadonlyMap<RawPath, number>;
  /** Whether `folders` is complete. */
  readonly hasAllFolders: boolean;
  /** Files and, ending in a slash, folders that git ignored. */
  readonly ignored: readonly RawPath[];
  /** The ignore rules from outside the work tree. */
  readonly rules: string;
  /** Files that existed and are not in the checkpoint, with the reason. */
  readonly uncovered: ReadonlyMap<RawPath, string>;
  /** Names in the stored tree that are never written, because git would refuse them too. */
  readonly refused: readonly RawPath[];
}

const permissions = z.int().min(0).max(0o777);
const path = z.string();
const storedDetail = z.object({
  /** Only of files and folders with unusual permissions. */
  permissions: z.array(z.tuple([path, permissions])),
  folders: z.array(path),
  has_all_folders: z.boolean(),
  ignored: z.array(path),
  rules: z.string(),
  uncovered: z.array(z.tuple([path, z.string()])),
});

const usualFolder = 0o755;

/** Stores what the tree of a checkpoint cannot hold. Checkpoints with equal details share one object. @returns its id */
export async function writeDetail(store: GitRepository, { entries, folders, ignored, uncovered }: StoredSnapshot): Promise<string> {
  const unusual: [RawPath, number][] = [];
  for (const [path, entry] of entries) if (entry.permissions !== usualOf(entry.mode)) unusual.push([path, entry.permissions]);
  for (const [path, mode] of folders.permissions) if (mode !== usualFolder) unusual.push([`${path}/`, mode]);
  const detail: z.input<typeof storedDetail> = {
    permissions: unusual,
    folders: [...folders.permissions.keys()],
    has_all_folders: folders.isWhole,
    ignored: [...ignored.paths],
    rules: ignored.rules,
    uncovered: [...uncovered],
  };
  return await writeBlob(store, JSON.stringify(detail));
}

/** Reads a checkpoint. Entries that this program could not have written are skipped or refused. */
export async function readContents(store: GitRepository, { tree, detail }: { tree: string; detail: string }): Promise<CheckpointContents> {
  const [files, text] = await Promise.all([readTree(store, tree), store.run(['cat-file', 'blob', detail])]);
  const told = storedDetail.parse(JSON.parse(text.toString('utf8')));
  const unusual = new Map(told.permissions);
  const entries = new Map<RawPath, KeptEntry>();
  const refused: RawPath[] = [];
  for (const [path, entry] of files) {
    if (isWritablePath(path)) entries.set(path, { ...entry, permissions: unusual.get(path) ?? usualOf(entry.mode) });
    else refused.push(path);
  }
  const folders = told.folders.filter(isWritablePath).map((path) => [path, unusual.get(`${path}/`) ?? usualFolder] as const);
  return {
    entries,
    folders: new Map(folders),
    hasAllFolders: told.has_all_folders,
    ignored: told.ignored,
    rules: told.rules,
    uncovered: new Map(told.uncovered),
    refused,
  };
}

function usualOf(mode: KeptEntry['mode']): number {
  return mode === '100755' ? 0o755 : mode === '120000' ? 0o777 : 0o644;
}
