import { statSync } from 'node:fs';
import { homedir } from 'node:os';
import { dirname, join } from 'node:path';
import { isOwn, readConfigurationFile, type ConfigurationFile } from './configuration-file.ts';

/** The project's configuration. It came with the project: until the user trusts it, it is data of a stranger. */
export const projectFileName = '.shannon-dash.json';

/**
 * The project's file in the folder or in the nearest one above it: as far as the folders belong to this user, and not above
 * the home folder.
 */
export function findProjectFile(from: string): ConfigurationFile | undefined {
  const home = homedir();
  for (let folder = from; ; folder = dirname(folder)) {
    const found = readConfigurationFile(join(folder, projectFileName), true);
    if (found !== undefined) return found;
    if (folder === home || folder === dirname(folder) || !isOwnFolder(dirname(folder))) return undefined;
  }
}

function isOwnFolder(path: string): boolean {
  const stats = statSync(path, { throwIfNoEntry: false });
  return stats !== undefined && isOwn(stats);
}
