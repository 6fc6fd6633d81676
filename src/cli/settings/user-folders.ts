import { homedir } from 'node:os';
import { join } from 'node:path';
import envPaths from 'env-paths';

/** The user's folders for this program. */
export function userFolders(): { config: string; state: string; data: string; cache: string } {
  const { config, log, data, cache } = envPaths('shannon-dash', { suffix: '' });
  // What env-paths calls `log` is XDG's state folder; elsewhere that is no place for a journal.
  return { config, state: process.platform === 'linux' ? log : data, data, cache };
}

/** The folder that a variable names by the XDG Base Directory Specification, else its default below the home. */
export function xdgFolder(variable: string, ...belowHome: string[]): string {
  const given = process.env[variable];
  return given === undefined || given === '' ? join(homedir(), ...belowHome) : given;
}
