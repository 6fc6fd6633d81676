import {
  closeSync,
  fchmodSync,
  fsyncSync,
  lstatSync,
  openSync,
  readFileSync,
  readlinkSync,
  realpathSync,
  renameSync,
  rmSync,
  statSync,
  writeFileSync,
} from 'node:fs';
import { dirname, isAbsolute, relative, resolve, sep } from 'node:path';
import { makeFolder } from '../../../../executable/make-folder.ts';
import { exitCodes } from '../../../exit-codes.ts';
import { Failure } from '../../../failure.ts';
import { guarded, missingFolders, removeWithFolders } from '../../../installed-file.ts';

const longestBytes = 4 * 1024 * 1024;
const mostLinks = 40;
const byteOrderMark = '\uFEFF';

/** A file of settings as it was read. */
export interface SettingsFile {
  /** As its agent names it. */
  path: string;
  /** Where it lies: behind links, which stay. */
  target: string;
  /** Undefined: there is none. A byte order mark is a part of it. */
  text: string | undefined;
  mode: number;
}

/** @throws Failure it cannot be read, or is none that a person can have written */
export function readSettingsFile(path: string): SettingsFile {
  const target = targetOf(path);
  let stats;
  let bytes: Buffer | undefined;
  guarded(path, () => {
    stats = statSync(target, { throwIfNoEntry: false });
    if (stats === undefined) return;
    if (!stats.isFile()) throw new Failure('INVALID', `${path} is no file`);
    if (stats.size > longestBytes) throw new Failure('INVALID', `${path} is longer than ${longestBytes} bytes`);
    bytes = readFileSync(target);
  });
  if (stats === undefined || bytes === undefined) return { path, target, text: undefined, mode: 0o600 };
  const text = bytes.toString();
  if (!Buffer.from(text).equals(bytes)) throw new Failure('INVALID', `${path} is not in UTF-8: it is left as it is`);
  return { path, target, text, mode: (stats as { mode: number }).mode & 0o7777 };
}

/**
 * Puts a text in the place of what was read, in one step.
 * @throws Failure somebody has written to the file since it was read; or what the system refused
 */
export function writeSettingsFile(file: SettingsFile, text: string): void {
  const { path, target, mode } = file;
  const draft = `${target}.${process.pid}.tmp`;
  guarded(path, () => {
    makeFolder(dirname(target));
    try {
      const descriptor = openSync(draft, 'wx', 0o600);
      try {
        writeFileSync(descriptor, text);
        fchmodSync(descriptor, mode);
        fsyncSync(descriptor);
      } finally {
        closeSync(descriptor);
      }
      checkUnchanged(file);
      renameSync(draft, target);
    } catch (error) {
      rmSync(draft, { force: true });
      throw error;
    }
  });
}

/** Removes the file, and those of the folders that are empty then. @throws Failure as writing does */
export function removeSettingsFile(file: SettingsFile, folders: readonly string[]): void {
  guarded(file.path, () => {
    checkUnchanged(file);
    removeWithFolders(file.target, folders);
  });
}

/**
 * Checks that a file of a project lies in the project: whoever made the folder may have made a link of the file, or of a folder above it.
 * @param path a file that need not be there, below the working folder
 * @throws Failure it leads elsewhere
 */
export function checkIsInProject(path: string): void {
  const project = realpathSync('.');
  let folder = dirname(targetOf(path));
  while (lstatSync(folder, { throwIfNoEntry: false }) === undefined) folder = dirname(folder);
  guarded(path, () => {
    const way = relative(project, realpathSync(folder));
    if (way !== '..' && !way.startsWith(`..${sep}`) && !isAbsolute(way)) return;
    throw new Failure('FORBIDDEN', `${path} leads out of this project, to ${targetOf(path)}: it is left as it is`, {
      hints: ["leave --project out, to use the agent's settings of this user"],
      exitCode: exitCodes.refused,
    });
  });
}

/** The folders that would have to be made for the file, the innermost first. */
export function foldersFor({ target }: SettingsFile): string[] {
  return missingFolders(target);
}

/** A text without its byte order mark, and what of it comes before. */
export function divided(text: string): [mark: string, rest: string] {
  return text.startsWith(byteOrderMark) ? [byteOrderMark, text.slice(1)] : ['', text];
}

/** The agent itself writes to its settings too. */
function checkUnchanged({ path, target, text }: SettingsFile): void {
  const stats = statSync(target, { throwIfNoEntry: false });
  const now = stats === undefined ? undefined : readFileSync(target, 'utf8');
  if (now !== text) throw new Failure('CONFLICT', `${path} has just been changed by somebody else`, { hints: ['try again'] });
}

/** Where a path leads, also where nothing is there yet. @throws Failure links that go in a circle */
function targetOf(path: string): string {
  let target = path;
  for (let links = 0; links < mostLinks; links++) {
    let next: string;
    try {
      next = readlinkSync(target);
    } catch {
      return target;
    }
    target = resolve(dirname(target), next);
  }
  throw new Failure('INVALID', `${path} is a link that leads in a circle`);
}
