import { join } from 'node:path';
import { userFolders } from './user-folders.ts';

/** The file with the targets of notifications: the user's own, never a project's. */
export function notifyFile(): string {
  return join(userFolders().config, 'notify.json');
}
