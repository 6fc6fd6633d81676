import { createHash } from 'node:crypto';
import { lstatSync, mkdirSync, readFileSync, renameSync, rmdirSync, rmSync, writeFileSync } from 'node:fs';
import { dirname } from 'node:path';

/** What an installed script says of itself in its last line, so that it can be told from any other file and removed without a trace. */
interface Mark {
  /** Of all that stands before this line: who has changed the file by hand has made it theirs. */
  sha256: string;
  /** The folders that had to be made for it, the innermost first. */
  folders: string[];
  /** What was written into the shell's profile. */
  profile?: ProfileChange | undefined;
}

/** A line in a profile, with what has to go with it. */
export interface ProfileChange {
  path: string;
  /** The line, and a line break before it where the profile did not end with one. */
  text: string;
  isNew: boolean;
  folders: string[];
}

const markStart = '# shannon-dash completion --install: ';
const longestBytes = 64 * 1024;

/** A place in the file system where an installed script can be: nothing, one of ours, or something else. */
export type Occupant = { kind: 'none' } | { kind: 'ours'; mark: Mark } | { kind: 'foreign' };

/** Looks at what is there. A link is not ours, wherever it leads. */
export function occupantOf(path: string): Occupant {
  const stats = lstatSync(path, { throwIfNoEntry: false });
  if (stats === undefined) return { kind: 'none' };
  if (!stats.isFile() || stats.size > longestBytes) return { kind: 'foreign' };
  const text = readFileSync(path, 'utf8');
  const at = text.lastIndexOf(markStart);
  try {
    const mark = JSON.parse(text.slice(at + markStart.length)) as Mark;
    return at >= 0 && mark.sha256 === hashOf(text.slice(0, at)) ? { kind: 'ours', mark } : { kind: 'foreign' };
  } catch {
    return { kind: 'foreign' };
  }
}

/** Writes a script, over an older one of ours or where nothing is. @throws the system's error */
export function writeInstalled(path: string, script: string, mark: Omit<Mark, 'sha256'>, isUpdate: boolean): void {
  mkdirSync(dirname(path), { recursive: true });
  const text = `${script}${markStart}${JSON.stringify({ sha256: hashOf(script), ...mark })}\n`;
  if (!isUpdate) {
    // What has come there since it was looked at stays.
    writeFileSync(path, text, { flag: 'wx' });
    return;
  }
  const draft = `${path}.${process.pid}`;
  writeFileSync(draft, text, { flag: 'wx' });
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

function hashOf(text: string): string {
  return createHash('sha256').update(text).digest('hex');
}
