import { appendFileSync, readFileSync, writeFileSync } from 'node:fs';
import { dirname } from 'node:path';
import { makeFolder } from '../../../executable/make-folder.ts';
import { Failure } from '../../failure.ts';
import { missingFolders, removeWithFolders } from '../../installed-file.ts';

/** A line in a profile, with what has to go with it. */
export interface ProfileChange {
  path: string;
  /** The line, and a line break before it where the profile did not end with one. */
  text: string;
  isNew: boolean;
  folders: string[];
}

/** What a line would change in a profile; undefined where it stands there already. @throws Failure the profile is no UTF-8 */
export function profileChange(path: string, line: string): ProfileChange | undefined {
  const bytes = bytesOf(path);
  if (bytes?.includes(0) === true) {
    throw new Failure('CONFLICT', `${path} is not in UTF-8: it is left as it is`, { hints: [`add to it: ${line}`] });
  }
  if (bytes?.toString().split(/\r?\n/).includes(line) === true) return undefined;
  const needsBreak = bytes !== undefined && bytes.length > 0 && bytes.at(-1) !== '\n'.charCodeAt(0);
  return { path, text: `${needsBreak ? '\n' : ''}${line}\n`, isNew: bytes === undefined, folders: missingFolders(path) };
}

/** Adds the line. @throws the system's error */
export function applyToProfile({ path, text }: ProfileChange): void {
  makeFolder(dirname(path));
  appendFileSync(path, text);
}

/** Takes the line away again, and the profile with it if nothing else was ever in it. @throws the system's error */
export function removeFromProfile({ path, text, isNew, folders }: ProfileChange): void {
  const bytes = bytesOf(path);
  // Without the line break before it where somebody has changed what stood there.
  const found = [text, text.trimStart()].find((each) => bytes?.includes(each));
  if (bytes === undefined || found === undefined) return;
  const at = bytes.indexOf(found);
  const rest = Buffer.concat([bytes.subarray(0, at), bytes.subarray(at + Buffer.byteLength(found))]);
  if (isNew && rest.length === 0) removeWithFolders(path, folders);
  else writeFileSync(path, rest);
}

function bytesOf(path: string): Buffer | undefined {
  try {
    return readFileSync(path);
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code === 'ENOENT') return undefined;
    throw error;
  }
}
