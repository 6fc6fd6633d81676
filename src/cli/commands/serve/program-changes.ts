import { readdirSync, statSync } from 'node:fs';
import { basename, dirname, join } from 'node:path';
import { startSkillRegistry, type SkillRegistry } from '../../../server/skills/skill-registry.ts';
import type { SkillFolder } from '../../../server/skills/skill-folder.ts';
import { WatchedFolders } from '../../../server/skills/watched-folders.ts';

/** A build writes many files; changes are reported once none has come for this long. */
const quietMs = 200;
/** The program is a handful of folders. */
const mostFolders = 200;

interface Watched {
  /** The program's folder, in which every file counts, also further below; or the program's one file. */
  program: string;
  /** Single files, which need not exist. */
  files: readonly string[];
  /** Folders of skills: only changes of skills count, not of other files in them. */
  skillFolders: readonly SkillFolder[];
}

/** Changes of the files that a server is started from, gathered until none has come for a moment. */
export class ProgramChanges {
  readonly #watched: Watched;
  readonly #folders = new WatchedFolders({ onChange: (folder, name) => this.#onChange(folder, name) });
  readonly #skills: SkillRegistry;
  #programFolders = new Set<string>();
  #waiting: ((what: string) => void) | undefined;
  #changed: string | undefined;
  #timer: ReturnType<typeof setTimeout> | undefined;

  constructor(watched: Watched) {
    this.#watched = watched;
    this.#watch();
    this.#skills = startSkillRegistry({ folders: watched.skillFolders, onChange: () => this.#soon('a skill') });
  }

  /** Resolves with the name of the file that changed since the last call. */
  next(): Promise<string> {
    return new Promise((resolve) => {
      this.#waiting = resolve;
      this.#tell();
    });
  }

  async close(): Promise<void> {
    clearTimeout(this.#timer);
    this.#folders.close();
    await this.#skills.close();
  }

  #watch(): void {
    const { program, files } = this.#watched;
    this.#programFolders = new Set(foldersIn(program));
    const marks = new Map<string, string>();
    for (const path of [...this.#programFolders, dirname(program), ...files.map((file) => dirname(file))]) {
      const stats = statSync(path, { throwIfNoEntry: false });
      if (stats?.isDirectory() === true) marks.set(path, `${stats.dev}:${stats.ino}:${stats.birthtimeMs}`);
    }
    // The server serves also where a folder cannot be watched.
    this.#folders.set(marks);
  }

  #onChange(folder: string, name: string | null): void {
    const path = name === null ? folder : join(folder, name);
    const { program, files } = this.#watched;
    if (this.#programFolders.has(folder) || path === program || files.includes(path)) this.#soon(basename(path));
  }

  #soon(what: string): void {
    clearTimeout(this.#timer);
    this.#timer = setTimeout(() => {
      this.#watch();
      this.#changed = what;
      this.#tell();
    }, quietMs);
  }

  #tell(): void {
    if (this.#changed === undefined || this.#waiting === undefined) return;
    const what = this.#changed;
    this.#changed = undefined;
    this.#waiting(what);
    this.#waiting = undefined;
  }
}

/** A folder and those below it, as many as a program has. */
function foldersIn(root: string): string[] {
  const found = [root];
  for (let index = 0; index < found.length && found.length < mostFolders; index++) {
    const folder = found[index] ?? root;
    try {
      found.push(
        ...readdirSync(folder, { withFileTypes: true }).flatMap((entry) => (entry.isDirectory() ? [join(folder, entry.name)] : [])),
      );
    } catch {
      // It is just being built anew: its folder tells when it is there.
    }
  }
  return found.slice(0, mostFolders);
}
