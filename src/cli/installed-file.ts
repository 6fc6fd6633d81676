import { createHash } from 'node:crypto';
import { lstatSync, readFileSync, renameSync, rmdirSync, rmSync, writeFileSync } from 'node:fs';
import { dirname } from 'node:path';
import { makeFolder } from '../executable/make-folder.ts';
import { exitCodes } from './exit-codes.ts';
import { Failure } from './failure.ts';
import { systemReason } from './terminal/system-reason.ts';

/** How files of one kind begin and end the line, their last one, that says that this program wrote them: a comment in their language. */
export interface MarkComment {
  start: string;
  end?: string;
}

/** What an installed file says of itself in its mark, so that it can be told from any other file and removed without a trace. */
type Mark<Facts> = Facts & {
  /** Of all that stands before this line: who has changed the file by hand has made it theirs. */
  sha256: string;
  /** The folders that had to be made for it, the innermost first. */
  folders: string[];
};

const longestBytes = 64 * 1024;

/** A place in the file system where an installed file can be: nothing, one of ours, or something else. */
export type Occupant<Facts = unknown> = { kind: 'none' } | { kind: 'ours'; mark: Mark<Facts> } | { kind: 'foreign' };

/** Looks at what is there. A link is not ours, wherever it leads. */
export function occupantOf<Facts>(path: string, { start, end = '' }: MarkComment): Occupant<Facts> {
  const stats = lstatSync(path, { throwIfNoEntry: false });
  if (stats === undefined) return { kind: 'none' };
  if (!stats.isFile() || stats.size > longestBytes) return { kind: 'foreign' };
  const text = readFileSync(path, 'utf8');
  const at = text.lastIndexOf(start);
  const close = `${end}\n`;
  if (at === -1 || !text.endsWith(close)) return { kind: 'foreign' };
  try {
    const mark = JSON.parse(text.slice(at + start.length, -close.length)) as Mark<Facts>;
    return mark.sha256 === hashOf(text.slice(0, at)) ? { kind: 'ours', mark } : { kind: 'foreign' };
  } catch {
    return { kind: 'foreign' };
  }
}

/** A file to be written: what it is to hold, and what is to be known of it later. */
export interface FileToInstall {
  path: string;
  text: string;
  comment: MarkComment;
  facts?: object;
}

/** Writes a file, over an older one of ours or where nothing is. @throws the system's error */
export function writeInstalled({ path, text, comment, facts }: FileToInstall, before: Occupant): void {
  const folders = before.kind === 'ours' ? before.mark.folders : missingFolders(path);
  makeFolder(dirname(path));
  // No two hyphens side by side: XML allows none in a comment.
  const mark = JSON.stringify({ sha256: hashOf(text), folders, ...facts }).replaceAll('--', String.raw`-\u002d`);
  const marked = `${text}${comment.start}${mark}${comment.end ?? ''}\n`;
  if (before.kind !== 'ours') {
    // What has come there since it was looked at stays.
    writeFileSync(path, marked, { flag: 'wx' });
    return;
  }
  const draft = `${path}.${process.pid}`;
  writeFileSync(draft, marked, { flag: 'wx' });
  renameSync(draft, path);
}

/** Removes a file, and those of the folders that are empty then. @throws the system's error */
export function removeWithFolders(path: string, folders: readonly string[]): void {
  rmSync(path);
  for (const folder of folders) {
    try {
      rmdirSync(folder);
    } catch {
      // Something else has come into it, so it stays with all those above it.
      return;
    }
  }
}

/** The folders that would have to be made for a file, the innermost first. */
export function missingFolders(path: string): string[] {
  const folders: string[] = [];
  for (let folder = dirname(path); lstatSync(folder, { throwIfNoEntry: false }) === undefined; folder = dirname(folder))
    folders.push(folder);
  return folders;
}

/** Does something to an installed file. @throws Failure what the system refused */
export function guarded(path: string, work: () => void): void {
  try {
    work();
  } catch (cause) {
    if (cause instanceof Failure) throw cause;
    throw new Failure('FORBIDDEN', `${path}: ${systemReason(cause)}`, { exitCode: exitCodes.refused, cause });
  }
}

function hashOf(text: string): string {
  return createHash('sha256').update(text).digest('hex');
}
