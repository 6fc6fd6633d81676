import { existsSync, lstatSync, readFileSync, statSync } from 'node:fs';
import { dirname, join, relative, resolve, sep } from 'node:path';

import ignore, { type Ignore } from 'ignore';

/** The rules by which git ignores files below a folder. */
export interface GitIgnore {
  /** Whether git ignores the path (relative to the folder, forward slashes), by itself or because a folder above it is ignored. */
  ignores(path: string, isFolder: boolean): boolean;
  /** Makes the next `ignores` read the rules again. */
  reload(): void;
}

/** The rules of one file. `folder` is the folder that they apply to, relative to the top; '' is the top. */
interface Rules {
  readonly folder: string;
  readonly patterns: string;
  readonly matcher: Ignore;
  /** By folder: the same patterns with an exception for that folder, which these rules ignore and nearer rules include again. */
  readonly broughtBack: Map<string, Ignore>;
}

/** A larger file of rules is not read. */
const rulesBytes = 1024 * 1024;

/**
 * Reads the rules of all .gitignore files, from the top of the work tree that holds `root` down to each path asked for, of
 * .git/info/exclude, and of the user's ignore file for all repositories. Works outside of a repository too.
 * @param excludesFile the user's ignore file
 */
export function openGitIgnore(root: string, excludesFile?: string): GitIgnore {
  const top = findTop(root);
  const prefix = relative(top, root).split(sep).join('/');
  const depth = prefix === '' ? 0 : prefix.split('/').length;
  let rulesOf = new Map<string, Rules | undefined>();
  let ignoredFolders = new Map<string, boolean>();
  const readCommon = () => [excludeFile(top), excludesFile].flatMap((file) => (file === undefined ? [] : (readRules(file, '') ?? [])));
  /** Rules from files outside the work tree: the repository's, then the user's. */
  let common = readCommon();

  const rulesIn = (folder: string): Rules | undefined => {
    if (!rulesOf.has(folder)) rulesOf.set(folder, readRules(join(top, folder, '.gitignore'), folder, lstatSync));
    return rulesOf.get(folder);
  };

  /** Decides about a path whose folders are not ignored. The nearest rules come first, and the first match counts. */
  const decide = (path: string, isFolder: boolean): boolean => {
    for (let folder = parentOf(path); ; folder = parentOf(folder)) {
      const verdict = match(rulesIn(folder), path, isFolder);
      if (verdict !== undefined) return verdict;
      if (folder === '') break;
    }
    for (const rules of common) {
      const verdict = match(rules, path, isFolder);
      if (verdict !== undefined) return verdict;
    }
    return false;
  };

  const ignoresFolder = (folder: string): boolean => {
    // The caller named the watched folder, so rules that would ignore the folder itself do not count.
    if (folder === '' || folder.split('/').length <= depth) return false;
    let ignored = ignoredFolders.get(folder);
    if (ignored === undefined) {
      ignored = ignoresFolder(parentOf(folder)) || decide(folder, true);
      ignoredFolders.set(folder, ignored);
    }
    return ignored;
  };

  return {
    ignores(path, isFolder) {
      const full = prefix === '' ? path : `${prefix}/${path}`;
      return isFolder ? ignoresFolder(full) : ignoresFolder(parentOf(full)) || decide(full, false);
    },
    reload() {
      rulesOf = new Map();
      ignoredFolders = new Map();
      common = readCommon();
    },
  };
}

/** true: ignored; false: a rule with `!` says it is not; undefined: no rule matches. */
function match(rules: Rules | undefined, path: string, isFolder: boolean): boolean | undefined {
  if (!rules) return undefined;
  const below = rules.folder === '' ? path : path.slice(rules.folder.length + 1);
  const above = parentOf(below);
  const matcher = above !== '' && rules.matcher.ignores(`${above}/`) ? bringBack(rules, above) : rules.matcher;
  const { ignored, unignored } = matcher.test(isFolder ? `${below}/` : below);
  return ignored ? true : unignored ? false : undefined;
}

/**
 * A matcher also checks the folders above a path. But whether those are ignored was already decided, with the rules of other files
 * included. So such a folder gets an extra rule that says it is not ignored.
 */
function bringBack(rules: Rules, folder: string): Ignore {
  let matcher = rules.broughtBack.get(folder);
  if (!matcher) {
    matcher = newMatcher().add(rules.patterns);
    for (let above = folder; above !== ''; above = parentOf(above)) matcher.add(`!/${above.replace(/[\\*?[\]!# ]/g, '\\$&')}/`);
    rules.broughtBack.set(folder, matcher);
  }
  return matcher;
}

function newMatcher(): Ignore {
  return ignore({ ignorecase: false, allowRelativePaths: true });
}

/** @param look `lstat` for a file of the work tree, which git does not read through a link */
function readRules(file: string, folder: string, look: typeof statSync = statSync): Rules | undefined {
  try {
    const stats = look(file);
    // Reading a pipe would block without end.
    if (stats === undefined || !stats.isFile() || stats.size > rulesBytes) return undefined;
    const patterns = readFileSync(file, 'utf8');
    return { folder, patterns, matcher: newMatcher().add(patterns), broughtBack: new Map() };
  } catch {
    // The file does not exist or may not be read. git ignores that too.
    return undefined;
  }
}

function findTop(root: string): string {
  for (let folder = root; ; folder = dirname(folder)) {
    if (existsSync(join(folder, '.git'))) return folder;
    if (folder === dirname(folder)) return root;
  }
}

/** info/exclude lies in the git folder that all linked work trees share. In a linked work tree `.git` is a file with the path to it. */
function excludeFile(top: string): string {
  let gitDir = join(top, '.git');
  try {
    if (statSync(gitDir).isFile())
      gitDir = resolve(
        top,
        readFileSync(gitDir, 'utf8')
          .replace(/^gitdir:/, '')
          .trim(),
      );
    const common = join(gitDir, 'commondir');
    if (existsSync(common)) gitDir = resolve(gitDir, readFileSync(common, 'utf8').trim());
  } catch {
    // There is no repository here (any more), so there are no rules to read.
  }
  return join(gitDir, 'info', 'exclude');
}

function parentOf(path: string): string {
  return path.slice(0, Math.max(path.lastIndexOf('/'), 0));
}
