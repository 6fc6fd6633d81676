import { stat } from 'node:fs/promises';
import { basename, dirname, resolve } from 'node:path';
import { isSkillFile } from './skill-folder.ts';
import type { SkillFolder, SkillProblem } from './skill-folder.ts';
import { WatchedFolders } from './watched-folders.ts';

/** How many folders are watched at most, of those that are searched. */
const longestWatch = 2_000;

/** What in a watched folder is news: everything in one that is searched, the way down in one above. */
type Interest = 'all' | Set<string>;

/** Says that something may have changed in skills folders, which may not exist yet; what changed is found by reading them. */
export class SkillWatcher {
  readonly #folders: readonly SkillFolder[];
  readonly #onEvent: () => void;
  readonly #watched = new WatchedFolders({ onChange: (folder, name, isContentOnly) => this.#onChange(folder, name, isContentOnly) });
  #interests = new Map<string, Interest>();

  constructor(folders: readonly SkillFolder[], onEvent: () => void) {
    this.#folders = folders;
    this.#onEvent = onEvent;
  }

  /**
   * Watches the folders that were searched and the ways down to those that were asked for.
   * @returns whether to search again, since some are watched only from now on; and what goes unnoticed
   */
  async watch(searched: readonly string[]): Promise<{ hasNew: boolean; problem: SkillProblem | undefined }> {
    const interests = new Map<string, Interest>();
    for (const folder of this.#folders) for (const [path, names] of await waysDown(folder)) addTo(interests, path, names);
    for (const path of searched.slice(0, longestWatch)) interests.set(path, 'all');
    this.#interests = interests;
    const { hasNew, error } = this.#watched.set(await marksOf([...interests.keys()]));
    const first = this.#folders[0]?.path ?? '';
    const unnoticed = error === undefined ? undefined : `${error.code ?? error.message}; it is tried again`;
    const why = unnoticed ?? (searched.length > longestWatch ? `there are more than ${longestWatch} of them` : undefined);
    const problem =
      why === undefined ? undefined : { path: first, error: `Skill folders are not all watched, changes may go unnoticed: ${why}` };
    return { hasNew, problem };
  }

  close(): void {
    this.#watched.close();
  }

  #onChange(folder: string, name: string | null, isContentOnly: boolean): void {
    const interest = this.#interests.get(folder);
    if (interest === undefined) return;
    // Its own name: the folder itself has gone.
    const isNews =
      name === null || name === basename(folder) || (interest === 'all' ? !isContentOnly || isSkillFile(name) : interest.has(name));
    if (isNews) this.#onEvent();
  }
}

/**
 * The folders above a skills folder that exist, with the name of the next one down: for `.shannon/skills` from the folder
 * above `.shannon`, which comes and goes with its skills.
 */
async function waysDown(folder: SkillFolder): Promise<[path: string, next: string][]> {
  const ways: [string, string][] = [];
  const top = folder.scope === 'extra' ? dirname(resolve(folder.path)) : dirname(dirname(resolve(folder.path)));
  for (let path = resolve(folder.path); path !== dirname(path); path = dirname(path)) {
    const above = dirname(path);
    if (!(await isFolder(above))) continue;
    ways.push([above, basename(path)]);
    if (top === above || top.startsWith(above)) break;
  }
  return ways;
}

function addTo(interests: Map<string, Interest>, path: string, name: string): void {
  const known = interests.get(path);
  if (known === undefined) interests.set(path, new Set([name]));
  else if (known !== 'all') known.add(name);
}

async function marksOf(paths: readonly string[]): Promise<Map<string, string>> {
  const marks = new Map<string, string>();
  for (const path of paths) {
    const stats = await stat(path).catch(() => undefined);
    // Some file systems give a number away again at once: the birth time tells the two apart.
    if (stats?.isDirectory() === true) marks.set(path, `${stats.dev}:${stats.ino}:${stats.birthtimeMs}`);
  }
  return marks;
}

async function isFolder(path: string): Promise<boolean> {
  return (await stat(path).catch(() => undefined))?.isDirectory() === true;
}
