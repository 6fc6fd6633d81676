import { resolve } from 'node:path';
import { isDeepStrictEqual } from 'node:util';
import { SkillFileError } from './skill-file.ts';
import type { Skill, SkillScope } from './skill-file.ts';
import { findSkillFiles, isStarvation, readSkillText } from './skill-folder.ts';
import type { FoundSkillFile, FoundSkills, SkillFolder, SkillProblem } from './skill-folder.ts';
import { matchesSkill, withFigures } from './skill-list.ts';
import type { ListedSkill, SkillFilter, SkillUsage } from './skill-list.ts';
import { SkillParser } from './skill-parser.ts';
import { SkillWatcher } from './skill-watcher.ts';
import type { SkillRequest } from './skill-worker.ts';

export interface SkillRegistryOptions {
  folders: readonly SkillFolder[];
  /** After the skills or the problems changed; not for what was there at the start. */
  onChange?(): void;
  /** A sentence, once for each problem when it appears, also at the start. */
  onProblem?(sentence: string): void;
}

/** The skills of some folders, kept up to date while the files change. */
export interface SkillRegistry {
  /** Resolves when everything was read once. */
  readonly ready: Promise<void>;
  /** What is wrong with the files now: broken ones, and those whose skill has the name of another that comes first. */
  readonly problems: readonly SkillProblem[];
  /** The skills that match every given filter, by name. */
  /** @param usage the runs of each skill, by its name */
  list(filter?: SkillFilter, usage?: ReadonlyMap<string, SkillUsage>): ListedSkill[];
  /** By the exact name. */
  get(name: string, usage?: ReadonlyMap<string, SkillUsage>): ListedSkill | undefined;
  /** Ends the watch; the list stays as it is. */
  close(): Promise<void>;
}

interface Loaded {
  skills: ReadonlyMap<string, Skill>;
  problems: readonly SkillProblem[];
}

/** What a file gave when it was read last, so that it is parsed again only when it changed. */
interface CachedFile {
  stamp: string;
  skills: readonly Skill[];
  /** Characters that it takes: of its text, or of its skills as JSON. */
  chars: number;
  problem: SkillProblem | undefined;
}

/** Bounds of all skill files together: characters of them that are kept, and how long their reading may take at a time. */
export const skillRegistryLimits = { chars: 32 * 1024 * 1024, readMs: 15_000 } as const;

/** Of two skills with one name the one with the lower rank is listed; within a scope, the one of the earlier folder. */
const rank: Record<SkillScope, number> = { extra: 0, project: 1, user: 2 };

/** Editors write a file in several steps: read after a pause. */
const quietMs = 100;
/** When a watch, or a reading, that failed for want of descriptors is tried again. */
const againMs = 5_000;
/** How often folders are searched again at once because they changed while the watch was set up. */
const longestSearches = 5;

/** Where skills are looked for: `extra` (relative to `cwd`), then the project's folders, then the user's. */
export function defaultSkillFolders(places: { cwd: string; home: string; extra: readonly string[] }): SkillFolder[] {
  const conventional = (root: string, scope: SkillScope): SkillFolder[] =>
    ['.shannon', '.claude'].map((folder) => ({ path: resolve(root, folder, 'skills'), scope }));
  return [
    ...places.extra.map((path) => ({ path: resolve(places.cwd, path), scope: 'extra' as const })),
    ...conventional(places.cwd, 'project'),
    ...conventional(places.home, 'user'),
  ];
}

/** Begins to read the skills and to watch for changes: a missing folder or a broken file is no error. */
export function startSkillRegistry(options: SkillRegistryOptions): SkillRegistry {
  return new WatchedSkills(options);
}

class WatchedSkills implements SkillRegistry {
  readonly ready: Promise<void>;
  readonly #options: SkillRegistryOptions;
  readonly #folders: SkillFolder[];
  readonly #cache = new Map<string, CachedFile>();
  readonly #watcher: SkillWatcher;
  #loaded: Loaded = { skills: new Map(), problems: [] };
  #timer: NodeJS.Timeout | undefined;
  #again: NodeJS.Timeout | undefined;
  #isClosed = false;
  /** One at a time: a slow disk must not let an older reading overwrite a newer one. */
  #reading: Promise<void>;

  constructor(options: SkillRegistryOptions) {
    this.#options = options;
    this.#folders = inOrder(options.folders);
    this.#watcher = new SkillWatcher(this.#folders, () => this.#soon());
    this.#reading = this.#guarded(async () => void (await this.#read()));
    this.ready = this.#reading;
  }

  get problems(): readonly SkillProblem[] {
    return this.#loaded.problems;
  }

  list(filter: SkillFilter = {}, usage?: ReadonlyMap<string, SkillUsage>): ListedSkill[] {
    return [...this.#loaded.skills.values()].filter((skill) => matchesSkill(skill, filter)).map((skill) => withFigures(skill, usage));
  }

  get(name: string, usage?: ReadonlyMap<string, SkillUsage>): ListedSkill | undefined {
    const skill = this.#loaded.skills.get(name);
    return skill && withFigures(skill, usage);
  }

  async close(): Promise<void> {
    this.#isClosed = true;
    clearTimeout(this.#timer);
    clearTimeout(this.#again);
    this.#watcher.close();
    await this.#reading;
  }

  #soon(): void {
    if (this.#isClosed) return;
    clearTimeout(this.#timer);
    this.#timer = setTimeout(() => this.#refresh(), quietMs);
    this.#timer.unref();
  }

  #refresh(): void {
    this.#reading = this.#reading.then(() =>
      this.#guarded(async () => {
        if (!this.#isClosed && (await this.#read()) && !this.#isClosed) this.#options.onChange?.();
      }),
    );
  }

  async #guarded(read: () => Promise<void>): Promise<void> {
    try {
      await read();
    } catch (error) {
      this.#options.onProblem?.(`Skills could not be read: ${String(error)}`);
    }
  }

  /** Reads everything that is new. @returns whether the list or the problems changed */
  async #read(): Promise<boolean> {
    const before = this.#loaded;
    for (let search = 1; ; search++) {
      const found = await findSkillFiles(this.#folders);
      const { hasNew, problem } = this.#isClosed ? { hasNew: false, problem: undefined } : await this.#watcher.watch(found.folders);
      // What changed before it was watched would never be heard of.
      if (hasNew && search < longestSearches) continue;
      const { skills, problems, isStarved } = await loadSkills(found, this.#cache, () => this.#isClosed);
      // What could not be looked at for want of descriptors has not gone for that.
      const known = isStarved && skills.size < before.skills.size ? before.skills : skills;
      this.#loaded = { skills: known, problems: problem === undefined ? problems : [problem, ...problems] };
      if (isStarved || problem !== undefined) this.#tryAgain();
      break;
    }
    if (this.#isClosed) this.#watcher.close();
    const told = new Set(before.problems.map((each) => each.error));
    for (const { error } of this.#loaded.problems) if (!told.has(error)) this.#options.onProblem?.(error);
    return !isDeepStrictEqual(this.#loaded, before);
  }

  #tryAgain(): void {
    if (this.#isClosed) return;
    clearTimeout(this.#again);
    this.#again = setTimeout(() => this.#refresh(), againMs);
    this.#again.unref();
  }
}

/** Each folder once, at its highest rank: started in the home folder, the project's folders are the user's too. */
function inOrder(folders: readonly SkillFolder[]): SkillFolder[] {
  const ranked = folders.map(({ path, scope }) => ({ path: resolve(path), scope })).sort((a, b) => rank[a.scope] - rank[b.scope]);
  return ranked.filter((folder, index) => ranked.findIndex((other) => other.path === folder.path) === index);
}

/** Reads what changed since `cache`, which it brings up to date, and settles names that occur twice. */
async function loadSkills(
  found: FoundSkills,
  cache: Map<string, CachedFile>,
  isEnough: () => boolean,
): Promise<Loaded & { isStarved: boolean }> {
  const { files } = found;
  const problems = [...found.problems];
  const winners = new Map<string, Skill>();
  const reader = new SkillReader(cache);
  for (const each of files) {
    const { path } = each;
    if (isEnough()) break;
    const file = await reader.read(each);
    if (file === undefined) continue;
    if (file.problem !== undefined) problems.push(file.problem);
    for (const skill of file.skills) {
      const winner = winners.get(skill.name);
      if (winner === undefined) winners.set(skill.name, skill);
      else
        problems.push({ path, error: `Skill "${skill.name}" of ${path} is not listed: ${winner.path} has the same name and comes first` });
    }
  }
  await reader.close();
  const paths = new Set(files.map((file) => file.path));
  for (const path of cache.keys()) if (!paths.has(path)) cache.delete(path);
  const skills = new Map([...winners].sort(([a], [b]) => (a < b ? -1 : 1)));
  return { skills, problems, isStarved: found.isStarved || reader.isStarved };
}

/** Reads the files of one search, as many as the bounds of all of them allow. */
class SkillReader {
  readonly #cache: Map<string, CachedFile>;
  readonly #parser = new SkillParser();
  readonly #seen = new Set<string>();
  #chars = 0;
  #spentMs = 0;
  isStarved = false;

  constructor(cache: Map<string, CachedFile>) {
    this.#cache = cache;
  }

  close(): Promise<void> {
    return this.#parser.close();
  }

  /** Undefined for a file that vanished meanwhile, and for one seen already by another path, as linked folders give. */
  async read({ path, scope, isAtTop }: FoundSkillFile): Promise<CachedFile | undefined> {
    const cached = this.#cache.get(path);
    let stamp = '';
    let file: CachedFile;
    try {
      const read = await readSkillText(path, cached?.stamp);
      if (this.#seen.has(read.identity)) return undefined;
      this.#seen.add(read.identity);
      ({ stamp } = read);
      file =
        read.text === undefined && cached !== undefined
          ? cached
          : await this.#parsed({ path, scope, isAtTop, text: read.text ?? '' }, stamp);
      this.#chars += file.chars;
      if (this.#chars > skillRegistryLimits.chars) throw new SkillFileError(path, beyondChars);
    } catch (error) {
      const code = error instanceof Error && 'code' in error ? String(error.code) : undefined;
      if (code === 'ENOENT') return undefined;
      this.isStarved ||= isStarvation(code);
      const sentence = error instanceof SkillFileError ? error.message : `Skill file ${path} cannot be read: ${String(error)}`;
      // What is beyond a bound of all files is read once there is room; what is wrong with the file itself stays.
      file = {
        stamp: error instanceof SkillFileError && !isBeyond(error) ? stamp : '',
        skills: [],
        chars: 0,
        problem: { path, error: sentence },
      };
    }
    this.#cache.set(path, file);
    return file;
  }

  async #parsed(request: SkillRequest, stamp: string): Promise<CachedFile> {
    const { path, text } = request;
    if (this.#spentMs > skillRegistryLimits.readMs) throw new SkillFileError(path, beyondTime);
    if (this.#chars + text.length > skillRegistryLimits.chars) throw new SkillFileError(path, beyondChars);
    const startedAt = performance.now();
    try {
      const { skills, chars } = await this.#parser.parse(request);
      return { stamp, skills, chars: Math.max(chars, text.length), problem: undefined };
    } finally {
      this.#spentMs += performance.now() - startedAt;
    }
  }
}

const beyondTime = `is not read: all skill files together take longer than ${skillRegistryLimits.readMs / 1_000} s`;
const beyondChars = `is not read: all skill files together are larger than ${skillRegistryLimits.chars / 1024 / 1024} MiB`;

function isBeyond({ fault }: SkillFileError): boolean {
  return fault === beyondTime || fault === beyondChars;
}
