import { join } from 'node:path';

import type { Git } from './git-command.ts';
import { type RawPath, splitNul } from './raw-path.ts';

/** A file as git's trees hold it: plain, executable, or a symbolic link whose contents are its target. */
export interface TreeEntry {
  readonly mode: '100644' | '100755' | '120000';
  readonly oid: string;
}

/** Stores the files as a tree object, through an index of its own in `tempFolder`, and gives the tree's id. */
export async function writeTree(git: Git, entries: ReadonlyMap<RawPath, TreeEntry>, tempFolder: string): Promise<string> {
  const env = { GIT_INDEX_FILE: join(tempFolder, 'index') };
  const records = Array.from(entries, ([path, { mode, oid }]) => `${mode} ${oid}\t${path}\0`);
  await git.run(['update-index', '-z', '--index-info'], { input: Buffer.from(records.join(''), 'latin1'), env });
  return (await git.run(['write-tree'], { env })).toString('latin1').trim();
}

/** All files of a stored tree or commit. */
export async function readTree(git: Git, tree: string): Promise<Map<RawPath, TreeEntry>> {
  const entries = new Map<RawPath, TreeEntry>();
  for (const record of splitNul(await git.run(['ls-tree', '-r', '-z', '--full-tree', tree]))) {
    const tab = record.indexOf('\t');
    const [mode, , oid] = record.slice(0, tab).split(' ');
    if (oid && (mode === '100644' || mode === '100755' || mode === '120000')) entries.set(record.slice(tab + 1), { mode, oid });
  }
  return entries;
}

/** The paths in which two stored trees differ. */
export async function changedPaths(git: Git, before: string, after: string): Promise<RawPath[]> {
  return before === after ? [] : splitNul(await git.run(['diff-tree', '-r', '-z', '--name-only', '--no-renames', before, after]));
}
