import { constants } from 'node:fs';
import type { Dirent } from 'node:fs';
import { open, readdir, stat } from 'node:fs/promises';
import { join } from 'node:path';
import { skillFileLimits, SkillFileError, tooLarge } from './skill-file.ts';
import type { SkillScope } from './skill-file.ts';

/** A folder that holds skills, and whose they are. It need not exist. */
export interface SkillFolder {
  path: string;
  scope: SkillScope;
}

/** Why a file or folder is not, or not wholly, in the list of skills: a sentence that names it. */
export interface SkillProblem {
  path: string;
  error: string;
}

/** How far folders are searched: levels of subfolders, skill files of all folders together, entries looked at. */
export const skillFolderLimits = { depth: 3, files: 1_000, entries: 20_000 } as const;

/**
 * Whether a file counts as a skill by its place below a skills folder: any YAML file or a `SKILL.md` at the top,
 * only `SKILL.md` and `skill.yaml` in subfolders, where other YAML files are a skill's own material.
 */
export function isSkillFile(segments: readonly string[]): boolean {
  const file = segments.at(-1) ?? '';
  if (!isSearched(segments.slice(0, -1)) || file.startsWith('.')) return false;
  return segments.length === 1 ? /(?:^skill\.md|\.ya?ml)$/i.test(file) : /^skill\.(?:md|ya?ml)$/i.test(file);
}

/** Whether a subfolder of a skills folder is searched: not too deep, not hidden, not installed packages. */
export function isSearched(segments: readonly string[]): boolean {
  return segments.length <= skillFolderLimits.depth && segments.every((each) => !each.startsWith('.') && each !== 'node_modules');
}

/** Finds the skill files of all folders, in the folders' order and by path in each. Never throws: faults are problems. */
export async function findSkillFiles(folders: readonly SkillFolder[]): Promise<{ files: SkillFolder[]; problems: SkillProblem[] }> {
  const files: SkillFolder[] = [];
  const problems: SkillProblem[] = [];
  let entries = 0;
  let leftOut: string | undefined;

  async function search(folder: SkillFolder, segments: readonly string[]): Promise<void> {
    const here = join(folder.path, ...segments);
    if (leftOut !== undefined) return;
    const below: string[] = [];
    const found: string[] = [];
    for (const entry of await list(here, problems)) {
      if (entries === skillFolderLimits.entries) {
        leftOut = join(here, entry.name);
        break;
      }
      entries += 1;
      const kind = await kindOf(here, entry);
      if (kind === 'file' && isSkillFile([...segments, entry.name])) found.push(join(here, entry.name));
      if (kind === 'folder' && isSearched([...segments, entry.name])) below.push(entry.name);
    }
    files.push(...found.map((path) => ({ path, scope: folder.scope })));
    // A subfolder with a skill in it is that skill; what lies deeper belongs to it.
    if (segments.length > 0 && found.length > 0) return;
    for (const name of below) await search(folder, [...segments, name]);
  }

  for (const folder of folders) await search(folder, []);
  leftOut = files[skillFolderLimits.files]?.path ?? leftOut;
  if (leftOut !== undefined) {
    const bounds = `${skillFolderLimits.files} skill files or ${skillFolderLimits.entries} entries`;
    problems.push({ path: leftOut, error: `Skill folders hold more than ${bounds}: nothing is read from ${leftOut} on` });
  }
  return { files: files.slice(0, skillFolderLimits.files), problems };
}

/** What reading a file gave: `stamp` changes with its content, `identity` is one for all paths to it. */
export interface SkillText {
  stamp: string;
  identity: string;
  /** Undefined if the stamp is still the known one. */
  text: string | undefined;
}

/** Reads a file unless it still has the known stamp. Throws SkillFileError, or the system's error (`ENOENT`). */
export async function readSkillText(path: string, knownStamp: string | undefined): Promise<SkillText> {
  // Without O_NONBLOCK, a named pipe put there would block the open for ever. Windows has neither.
  const file = await open(path, constants.O_RDONLY | (constants.O_NONBLOCK ?? 0));
  try {
    const stats = await file.stat({ bigint: true });
    if (!stats.isFile()) throw new SkillFileError(path, 'is not a file');
    const identity = `${stats.dev}:${stats.ino}`;
    // The change time too: some tools put a new content under the old modification time.
    const stamp = `${identity}:${stats.size}:${stats.mtimeNs}:${stats.ctimeNs}`;
    if (stamp === knownStamp) return { stamp, identity, text: undefined };
    if (stats.size > skillFileLimits.bytes) throw new SkillFileError(path, tooLarge);
    return { stamp, identity, text: decode(path, await file.readFile()) };
  } finally {
    await file.close();
  }
}

function decode(path: string, bytes: Uint8Array): string {
  try {
    return new TextDecoder('utf-8', { fatal: true }).decode(bytes);
  } catch {
    throw new SkillFileError(path, 'is not a text in UTF-8');
  }
}

/** Entries by name. A folder that does not exist is no problem: it may come later. */
async function list(path: string, problems: SkillProblem[]): Promise<Dirent[]> {
  try {
    const entries = await readdir(path, { withFileTypes: true });
    return entries.sort((a, b) => (a.name < b.name ? -1 : 1));
  } catch (error) {
    const code = error instanceof Error && 'code' in error ? error.code : undefined;
    if (code !== 'ENOENT') problems.push({ path, error: `Skill folder ${path} cannot be read: ${String(code ?? error)}` });
    return [];
  }
}

async function kindOf(folder: string, entry: Dirent): Promise<'file' | 'folder' | undefined> {
  // A link counts as what it leads to; one that leads nowhere is nothing.
  const target = entry.isSymbolicLink() ? await stat(join(folder, entry.name)).catch(() => undefined) : entry;
  if (target?.isFile()) return 'file';
  return target?.isDirectory() ? 'folder' : undefined;
}
