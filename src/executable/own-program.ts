import { readFileSync } from 'node:fs';
import { resolve } from 'node:path';
import { fileURLToPath } from 'node:url';
import { oneFile } from './one-file.ts';

/** The version of this program: in the executable itself, or else in package.json. */
export const version: string =
  oneFile?.version ?? (JSON.parse(readFileSync(inPackage('package.json'), 'utf8')) as { version: string }).version;

/** The command that starts this program once more, with other arguments. */
export function ownCommand(...args: readonly string[]): [file: string, args: string[]] {
  return [process.execPath, oneFile === undefined ? [inPackage('bin/shannon-dash.js'), ...args] : [...args]];
}

/** What changes when this program is built anew: the folder of its files, or its executable. */
export function ownPath(): string {
  return oneFile === undefined ? resolve(fileURLToPath(new URL('..', import.meta.url))) : process.execPath;
}

/** A path of the package. Sources and built files alike lie two folders below the package's. */
export function inPackage(path: string): string {
  return fileURLToPath(new URL(`../../${path}`, import.meta.url));
}
