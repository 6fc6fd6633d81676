import { resolve } from 'node:path';
import { isDeepStrictEqual } from 'node:util';
import { SkillFileError, parseSkillFile } from './skill-file.ts';
import type { Skill, SkillScope } from './skill-file.ts';
import { findSkillFiles, readSkillText } from './skill-folder.ts';
import type { SkillFolder, SkillProblem } from './skill-folder.ts';
import { matchesSkill, withFigures } from './skill-list.ts';
import type { ListedSkill, SkillFilter, SkillUsage } from './skill-list.ts';
import { watchSkillFolders } from './skill-watcher.ts';
import type { SkillWatcher } from './skill-watcher.ts';

export interface SkillRegistryOptions {
  folders: readonly SkillFolder[];
  /** Runs of each skill by its name; asked for at every `list` and `get`. */
  usage?(): ReadonlyMap<string, SkillUsage>;
  /** After the skills or the problems changed; not for what was there at the start. */
  onChange?(): void;
  /** A sentence, once for each problem when it appears, also at the start. */
  onProblem?(sentence: string): void;
}

/** The skills of some folders, kept up to date while the files change. */
export interface SkillRegistry {
  /** What is wrong with the files now: broken ones, and those whose skill has the name of another that comes first. */
  readonly problems: readonly SkillProblem[];
  /** The skills that match every given filter, by name. */
  list(filter?: SkillFilter): ListedSkill[];
  /** By the exact name. */
  get(name: string): ListedSkill | undefined;
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
  problem: SkillProblem | undefined;
}

/** Of two skills with one name the one with the lower rank is listed; within a scope, the one of the earlier folder. */
const rank: Record<SkillScope, number> = { extra: 0, project: 1, user: 2 };

/** Editors write a file in several steps, and chokidar drops a change within 50 ms of the last: read after a pause. */
const quietMs = 100;

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

/** Reads the skills and watches for changes. Resolves when both are done; a missing folder or a broken file is no error. */
export async function openSkillRegistry(options: SkillRegistryOptions): Promise<SkillRegistry> {
  const folders = inOrder(options.folders);
  const cache = new Map<string, CachedFile>();
  let loaded: Loaded = { skills: new Map(), problems: [] };
  let watchFault: SkillProblem | undefined;
  let timer: NodeJS.Timeout | undefined;
  let closed = false;
  let watcher: SkillWatcher | undefined;

  async function load(): Promise<boolean> {
    const before = loaded;
    const { skills, problems } = await loadSkills(folders, cache);
    loaded = { skills, problems: watchFault === undefined ? problems : [watchFault, ...problems] };
    const known = new Set(before.problems.map((problem) => problem.error));
    for (const { error } of loaded.problems) if (!known.has(error)) options.onProblem?.(error);
    return !isDeepStrictEqual(loaded, before);
  }

  async function refresh(): Promise<void> {
    if (closed) return;
    await watcher?.renew();
    if ((await load()) && !closed) options.onChange?.();
  }

  // One at a time: a slow disk must not let an older reading overwrite a newer one.
  let refreshing: Promise<unknown> = Promise.resolve();
  const onEvent = (): void => {
    // What is found before the watch stands is in the first reading, which comes after.
    if (closed || watcher === undefined) return;
    clearTimeout(timer);
    timer = setTimeout(() => {
      refreshing = refreshing.then(refresh).catch((error: unknown) => options.onProblem?.(`Skills could not be read: ${String(error)}`));
    }, quietMs);
  };
  const onError = (error: unknown): void => {
    const path = folders.map((folder) => folder.path).join(', ');
    watchFault = { path, error: `Skill folders are not fully watched, changes may go unnoticed: ${String(error)}` };
    onEvent();
  };

  // The watch comes first, so that what changes during the first reading is noticed.
  watcher = await watchSkillFolders({ folders, onEvent, onError });
  refreshing = load();
  await refreshing;
  return {
    get problems() {
      return loaded.problems;
    },
    list(filter = {}) {
      const usage = options.usage?.();
      return [...loaded.skills.values()].filter((skill) => matchesSkill(skill, filter)).map((skill) => withFigures(skill, usage));
    },
    get(name) {
      const skill = loaded.skills.get(name);
      return skill && withFigures(skill, options.usage?.());
    },
    async close() {
      closed = true;
      clearTimeout(timer);
      await refreshing;
      await watcher?.close();
    },
  };
}

/** Each folder once, at its highest rank: started in the home folder, the project's folders are the user's too. */
function inOrder(folders: readonly SkillFolder[]): SkillFolder[] {
  const ranked = folders.map(({ path, scope }) => ({ path: resolve(path), scope })).sort((a, b) => rank[a.scope] - rank[b.scope]);
  return ranked.filter((folder, index) => ranked.findIndex((other) => other.path === folder.path) === index);
}

/** Reads what changed since `cache`, which it brings up to date, and settles names that occur twice. */
async function loadSkills(folders: readonly SkillFolder[], cache: Map<string, CachedFile>): Promise<Loaded> {
  const { files, problems } = await findSkillFiles(folders);
  const winners = new Map<string, Skill>();
  const seen = new Set<string>();
  for (const { path, scope } of files) {
    const file = await readCached(path, scope, cache.get(path), seen);
    if (file === undefined) continue;
    cache.set(path, file);
    if (file.problem !== undefined) problems.push(file.problem);
    for (const skill of file.skills) {
      const winner = winners.get(skill.name);
      if (winner === undefined) winners.set(skill.name, skill);
      else
        problems.push({ path, error: `Skill "${skill.name}" of ${path} is not listed: ${winner.path} has the same name and comes first` });
    }
  }
  const paths = new Set(files.map((file) => file.path));
  for (const path of cache.keys()) if (!paths.has(path)) cache.delete(path);
  return { skills: new Map([...winners].sort(([a], [b]) => (a < b ? -1 : 1))), problems };
}

/** Undefined for a file that vanished meanwhile, and for one `seen` already by another path, as linked folders give. */
async function readCached(
  path: string,
  scope: SkillScope,
  cached: CachedFile | undefined,
  seen: Set<string>,
): Promise<CachedFile | undefined> {
  let stamp = '';
  try {
    const read = await readSkillText(path, cached?.stamp);
    if (seen.has(read.identity)) return undefined;
    seen.add(read.identity);
    stamp = read.stamp;
    if (read.text === undefined) return cached;
    return { stamp, skills: parseSkillFile(path, read.text, scope), problem: undefined };
  } catch (error) {
    if (error instanceof Error && 'code' in error && error.code === 'ENOENT') return undefined;
    const sentence = error instanceof SkillFileError ? error.message : `Skill file ${path} cannot be read: ${String(error)}`;
    return { stamp, skills: [], problem: { path, error: sentence } };
  }
}
