import { join } from 'node:path';

import { type GitRepository, ownObjectsOnly } from './git-command.ts';
import { type RawPath, splitNul } from '../files/raw-path.ts';

/** A file in a git tree: plain, executable, or a symbolic link whose contents are its target. */
export interface TreeEntry {
  readonly mode: '100644' | '100755' | '120000';
  readonly oid: string;
}

/** A file in a checkpoint. Unlike a git tree, a checkpoint also keeps the permissions. */
export interface KeptEntry extends TreeEntry {
  /** The nine permission bits of the file's mode. */
  readonly permissions: number;
}

/** Stores the files as a tree object, through a temporary index in `tempFolder`. @returns the tree's id */
export async function writeTree(git: GitRepository, entries: ReadonlyMap<RawPath, TreeEntry>, tempFolder: string): Promise<string> {
  const env = { GIT_INDEX_FILE: join(tempFolder, 'index'), ...ownObjectsOnly };
  const records = Array.from(entries, ([path, { mode, oid }]) => `${mode} ${oid}\t${path}\0`);
  await git.run(['update-index', '-z', '--index-info'], { input: Buffer.from(records.join(''), 'latin1'), env });
  // The contents of files from the last commit are in another repository, so git must not look for them.
  return (await git.run(['write-tree', '--missing-ok'], { env })).toString('latin1').trim();
}

/** Stores a text. @returns its object id */
export async function writeBlob(git: GitRepository, text: string): Promise<string> {
  const args = ['hash-object', '-w', '--stdin', '--no-filters'];
  return (await git.run(args, { input: text, env: ownObjectsOnly })).toString('latin1').trim();
}

/** All files of a stored tree or commit. */
export async function readTree(git: GitRepository, tree: string): Promise<Map<RawPath, TreeEntry>> {
  const entries = new Map<RawPath, TreeEntry>();
  for (const record of splitNul(await git.run(['ls-tree', '-r', '-z', '--full-tree', tree]))) {
    const tab = record.indexOf('\t');
    const [mode, , oid] = record.slice(0, tab).split(' ');
    if (oid && (mode === '100644' || mode === '100755' || mode === '120000')) entries.set(record.slice(tab + 1), { mode, oid });
  }
  return entries;
}
