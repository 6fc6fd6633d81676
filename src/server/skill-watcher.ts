import { once } from 'node:events';
import { stat } from 'node:fs/promises';
import { dirname, isAbsolute, parse, relative, resolve, sep } from 'node:path';
import { setImmediate } from 'node:timers/promises';
import { watch } from 'chokidar';
import type { FSWatcher, MatchFunction } from 'chokidar';
import { isSearched, isSkillFile, skillFolderLimits } from './skill-folder.ts';
import type { SkillFolder } from './skill-folder.ts';

/** Says that something may have changed in skills folders; what changed is found by reading them. */
export interface SkillWatcher {
  /** Watches anew if a folder that the watch hangs on was replaced or a nearer one appeared; true if so: read again then. */
  renew(): Promise<boolean>;
  close(): Promise<void>;
}

interface SkillWatcherOptions {
  folders: readonly SkillFolder[];
  /** After each change; also for each file found at the start. */
  onEvent: () => void;
  onError: (error: unknown) => void;
}

/** A watch that is not ready by then (a network disk, say) must not keep the server from starting. */
const readyTimeoutMs = 5_000;

/** Watches folders that may not exist yet. Resolves when changes are noticed from then on. */
export async function watchSkillFolders(options: SkillWatcherOptions): Promise<SkillWatcher> {
  let anchors = await anchorsOf(options.folders);
  let watcher = await start(options, anchors);
  return {
    async renew() {
      const now = await anchorsOf(options.folders);
      if (sameAnchors(now, anchors)) return false;
      // Closed first: chokidar shares one system watch per path, and would hand the one on the vanished folder on.
      await watcher.close();
      anchors = now;
      watcher = await start(options, anchors);
      return true;
    },
    async close() {
      await watcher.close();
      // The system's handles are let go at the end of this turn of the event loop.
      await setImmediate();
    },
  };
}

/** A folder that exists, with a mark that tells it from a later one of the same path. */
type Anchors = ReadonlyMap<string, string>;

async function start(options: SkillWatcherOptions, anchors: Anchors): Promise<FSWatcher> {
  const watcher = watch([...anchors.keys()], {
    ignored: ignoring(options.folders),
    // Its grouping of unlink and add is not needed: any event makes the folders be read again.
    atomic: false,
    ignorePermissionErrors: true,
  });
  watcher.on('error', options.onError);
  watcher.on('all', options.onEvent);
  // An error before it is ready was reported by the listener above; one folder's fault leaves the others watched.
  await once(watcher, 'ready', { signal: AbortSignal.timeout(readyTimeoutMs) }).catch(() => undefined);
  return watcher;
}

async function anchorsOf(folders: readonly SkillFolder[]): Promise<Anchors> {
  return new Map(await Promise.all(folders.map(anchorOf)));
}

/**
 * The folder to hang the watch on: chokidar follows nothing that does not exist, so it is told of one that does and
 * led down from there. For `.shannon/skills` that is the folder above `.shannon`, which comes and goes with its skills.
 */
async function anchorOf(folder: SkillFolder): Promise<[path: string, mark: string]> {
  const above = dirname(resolve(folder.path));
  let path = folder.scope === 'extra' ? above : dirname(above);
  for (;;) {
    const stats = await stat(path).catch(() => undefined);
    // Some file systems give a number away again at once: the birth time tells the two apart.
    if (stats?.isDirectory()) return [path, `${stats.dev}:${stats.ino}:${stats.birthtimeMs}`];
    if (path === parse(path).root) return [path, ''];
    path = dirname(path);
  }
}

function sameAnchors(a: Anchors, b: Anchors): boolean {
  return a.size === b.size && [...a].every(([path, mark]) => b.get(path) === mark);
}

/** Keeps the watch to the way down to each skills folder and to what counts in it: the anchor may be a whole home. */
function ignoring(folders: readonly SkillFolder[]): MatchFunction {
  const roots = folders.map((folder) => resolve(folder.path));
  const wayDown = new Set(roots.flatMap(withAncestors));
  return (watched, stats) => {
    const path = resolve(watched);
    if (wayDown.has(path)) return false;
    return !roots.some((root) => {
      const below = relative(root, path);
      if (below === '' || below.startsWith('..') || isAbsolute(below)) return false;
      const segments = below.split(sep);
      if (stats?.isFile()) return isSkillFile(segments);
      if (stats?.isDirectory()) return isSearched(segments);
      // A link, or asked before it was looked at: as if it were either.
      return isSearched(segments.slice(0, -1)) && segments.length <= skillFolderLimits.depth + 1;
    });
  };
}

function withAncestors(path: string): string[] {
  const above = dirname(path);
  return above === path ? [path] : [path, ...withAncestors(above)];
}
