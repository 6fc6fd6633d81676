import { constants } from 'node:fs';
import type { Dirent } from 'node:fs';
import { open, opendir, realpath, stat } from 'node:fs/promises';
import { dirname, isAbsolute, join, relative, sep } from 'node:path';
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

/** What belongs to package managers, whoever has them beside skills. */
const otherFiles = /^(?:package|package-lock|composer|tsconfig)\.json$/i;

/** Whether a file in a skills folder, or below it, can be a skill by its name. */
export function isSkillFile(name: string): boolean {
  return !name.startsWith('.') && !otherFiles.test(name) && /(?:^skill\.md|\.ya?ml|\.json)$/i.test(name);
}

/** Whether a file makes its folder one skill: what else lies there is that skill's own material. */
function isOnlySkillOfFolder(name: string): boolean {
  return /^skill\.(?:md|ya?ml|json)$/i.test(name);
}

/** Whether a subfolder of a skills folder is searched: not too deep, not hidden, not installed packages. */
function isSearched(segments: readonly string[]): boolean {
  return segments.length <= skillFolderLimits.depth && segments.every((each) => !each.startsWith('.') && each !== 'node_modules');
}

/** A skill file: whose it is, and whether it lies in a skills folder itself. */
export interface FoundSkillFile extends SkillFolder {
  isAtTop: boolean;
}

/** What a search has found. Folders are those that were looked into, to be watched. */
export interface FoundSkills {
  files: FoundSkillFile[];
  folders: string[];
  problems: SkillProblem[];
  /** Whether the process had no descriptors left: it is worth another try. */
  isStarved: boolean;
}

/** Finds the skill files of all folders, in the folders' order and by path in each. Never throws: faults are problems. */
export async function findSkillFiles(folders: readonly SkillFolder[]): Promise<FoundSkills> {
  const search = new SkillSearch();
  for (const folder of folders) await search.in(folder);
  return search.found();
}

class SkillSearch {
  readonly #files: FoundSkillFile[] = [];
  readonly #folders: string[] = [];
  readonly #problems: SkillProblem[] = [];
  #entries = 0;
  #isStarved = false;
  #leftOut: string | undefined;

  async in(folder: SkillFolder): Promise<void> {
    const root = await realpath(folder.path).catch((error: unknown) => this.#missing(folder, error));
    if (root === undefined) return;
    // A project's folder came with the project; whoever made a link in his home, or names a folder, knows where it leads.
    const project = folder.scope === 'project' ? await realpath(dirname(dirname(folder.path))).catch(() => undefined) : undefined;
    if (project !== undefined && !isBelow(project, root))
      this.#tell(folder.path, `Skill folder ${folder.path} leads outside of the project: it is not read`);
    else await this.#search(folder, root, []);
  }

  found(): FoundSkills {
    this.#leftOut = this.#files[skillFolderLimits.files]?.path ?? this.#leftOut;
    if (this.#leftOut !== undefined) {
      const bounds = `${skillFolderLimits.files} skill files or ${skillFolderLimits.entries} entries`;
      this.#tell(this.#leftOut, `Skill folders hold more than ${bounds}: nothing is read from ${this.#leftOut} on`);
    }
    return {
      files: this.#files.slice(0, skillFolderLimits.files),
      folders: this.#folders,
      problems: this.#problems,
      isStarved: this.#isStarved,
    };
  }

  async #search(folder: SkillFolder, root: string, segments: readonly string[]): Promise<void> {
    if (this.#leftOut !== undefined || this.#files.length > skillFolderLimits.files) return;
    const here = join(folder.path, ...segments);
    this.#folders.push(here);
    const below: string[] = [];
    const names: string[] = [];
    for (const entry of await this.#list(here)) {
      const kind = await this.#kindOf(here, entry, root);
      if (kind === 'file' && isSkillFile(entry.name)) names.push(entry.name);
      if (kind === 'folder' && isSearched([...segments, entry.name])) below.push(entry.name);
    }
    const only = segments.length === 0 ? [] : names.filter(isOnlySkillOfFolder);
    const isAtTop = segments.length === 0;
    for (const name of only.length > 0 ? only : names) this.#files.push({ path: join(here, name), scope: folder.scope, isAtTop });
    // A subfolder with a skill in it is that skill; what lies deeper belongs to it.
    if (only.length === 0) for (const name of below) await this.#search(folder, root, [...segments, name]);
  }

  /** Entries by name, as many as may still be looked at. */
  async #list(path: string): Promise<Dirent[]> {
    const entries: Dirent[] = [];
    try {
      for await (const entry of await opendir(path, { bufferSize: 256 })) {
        if (this.#entries === skillFolderLimits.entries) {
          this.#leftOut = join(path, entry.name);
          break;
        }
        this.#entries++;
        entries.push(entry);
      }
    } catch (error) {
      this.#unreadable(path, error);
    }
    return entries.sort((a, b) => (a.name < b.name ? -1 : 1));
  }

  async #kindOf(folder: string, entry: Dirent, root: string): Promise<'file' | 'folder' | undefined> {
    if (entry.isFile()) return 'file';
    if (entry.isDirectory()) return 'folder';
    if (!entry.isSymbolicLink()) return undefined;
    const path = join(folder, entry.name);
    // One that leads nowhere is nothing.
    const target = await realpath(path).catch(() => undefined);
    const stats = target === undefined ? undefined : await stat(target).catch(() => undefined);
    if (target === undefined || stats === undefined) return undefined;
    if (!stats.isDirectory() && !(stats.isFile() && isSkillFile(entry.name))) return undefined;
    if (!isBelow(root, target)) {
      this.#tell(path, `Skill link ${path} leads outside of its skills folder: it is not followed`);
      return undefined;
    }
    const segments = relative(root, target).split(sep);
    // What is found by its own path is not found by a link again: a loop ends here.
    const isFoundItself = target === root || isSearched(stats.isFile() ? segments.slice(0, -1) : segments);
    if (isFoundItself && (stats.isDirectory() || isSkillFile(segments.at(-1) ?? ''))) return undefined;
    return stats.isFile() ? 'file' : 'folder';
  }

  /** A folder that does not exist may come later; of one that somebody named, that is told. */
  #missing(folder: SkillFolder, error: unknown): undefined {
    if (codeOf(error) !== 'ENOENT') this.#unreadable(folder.path, error);
    else if (folder.scope === 'extra') this.#tell(folder.path, `Skill folder ${folder.path} does not exist (yet)`);
  }

  #unreadable(path: string, error: unknown): void {
    const code = codeOf(error);
    this.#isStarved ||= isStarvation(code);
    if (code !== 'ENOENT') this.#tell(path, `Skill folder ${path} cannot be read: ${code ?? String(error)}`);
  }

  #tell(path: string, error: string): void {
    this.#problems.push({ path, error });
  }
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

function codeOf(error: unknown): string | undefined {
  return error instanceof Error && 'code' in error && typeof error.code === 'string' ? error.code : undefined;
}

/** Whether an error's code says that the process, or the system, has no descriptors left. */
export function isStarvation(code: string | undefined): boolean {
  return code === 'EMFILE' || code === 'ENFILE';
}

function isBelow(folder: string, path: string): boolean {
  const way = relative(folder, path);
  return !isAbsolute(way) && way !== '..' && !way.startsWith(`..${sep}`);
}
