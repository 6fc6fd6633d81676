import { createHash } from 'node:crypto';
import { readFileSync, renameSync, rmSync, writeFileSync } from 'node:fs';
import { dirname, join } from 'node:path';
import { makeFolder } from '../../../../executable/make-folder.ts';
import { z } from 'zod';
import { check } from '../../../../core/json/parse.ts';
import { guarded } from '../../../installed-file.ts';
import { userFolders } from '../../../settings/user-folders.ts';

/**
 * What an installation has changed in a file of settings, so that it can be undone byte for byte. It holds only what was taken out, and
 * that is hardly ever more than white space: of what else stands in the file, which may be secret, there is no second copy.
 */
const installRecord = z.object({
  path: z.string(),
  /** Whether the file was not there before. */
  isNew: z.boolean(),
  /** The folders that were made for it, the innermost first. */
  folders: z.array(z.string()),
  /** Of the whole text that was written. */
  sha256: z.string(),
  /** Where the change begins, in characters; how many were put in; and the text in whose place they came. */
  at: z.number().int().nonnegative(),
  added: z.number().int().nonnegative(),
  removed: z.string(),
});

export interface InstallRecord extends z.output<typeof installRecord> {}

/** The record of a file; undefined where there is none, or none that can be read. */
export function readInstallRecord(path: string): InstallRecord | undefined {
  try {
    const { data } = check(installRecord, JSON.parse(readFileSync(recordPath(path), 'utf8')) as unknown);
    return data?.path === path ? data : undefined;
  } catch {
    return undefined;
  }
}

/**
 * Keeps a record of a change that `change` makes. It is written before, so that nothing is changed that could not be undone, and counts
 * only once the change is made.
 * @throws Failure it cannot be kept, and nothing was changed; or what `change` throws
 */
export function withInstallRecord(record: InstallRecord, change: () => void): void {
  const path = recordPath(record.path);
  const draft = `${path}.${process.pid}`;
  guarded(path, () => {
    makeFolder(dirname(path), 0o700);
    writeFileSync(draft, `${JSON.stringify(record)}\n`, { mode: 0o600, flag: 'wx' });
  });
  try {
    change();
    guarded(path, () => renameSync(draft, path));
  } catch (error) {
    rmSync(draft, { force: true });
    throw error;
  }
}

export function removeInstallRecord(path: string): void {
  rmSync(recordPath(path), { force: true });
}

/** The record of a change from one text to another. */
export function recordOf(
  { path, isNew, folders }: Pick<InstallRecord, 'path' | 'isNew' | 'folders'>,
  before: string,
  after: string,
): InstallRecord {
  let start = 0;
  while (start < before.length && before[start] === after[start]) start++;
  let end = 0;
  while (end < Math.min(before.length, after.length) - start && before.at(-1 - end) === after.at(-1 - end)) end++;
  const added = after.length - end - start;
  return { path, isNew, folders, sha256: hashOf(after), at: start, added, removed: before.slice(start, before.length - end) };
}

/** The text as it was before the installation; undefined where somebody has changed it since. */
export function undone(text: string, { sha256, at, added, removed }: InstallRecord): string | undefined {
  return hashOf(text) === sha256 ? text.slice(0, at) + removed + text.slice(at + added) : undefined;
}

function recordPath(path: string): string {
  return join(userFolders().state, 'hooks', `${hashOf(path).slice(0, 32)}.json`);
}

function hashOf(text: string): string {
  return createHash('sha256').update(text).digest('hex');
}
