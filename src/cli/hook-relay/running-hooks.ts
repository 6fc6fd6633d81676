import { readdirSync, rmSync, statSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { makeFolder } from '../../executable/make-folder.ts';
import { userFolders } from '../settings/user-folders.ts';

/** More processes than this do not wait at the same time, whatever their agents do. */
export const mostRunning = 32;
/** A mark that is older was left behind, whatever process has its number now: no hook is held for so long. */
const mostAgeMs = 2 * 3_600_000;

/**
 * Counts this process among the hooks of this user that run now, until it ends. Where no marks can be kept, as on a read-only disk,
 * nothing is counted.
 * @returns whether there is room for it
 */
export function joinRunningHooks(): boolean {
  const folder = join(userFolders().state, 'running-hooks');
  const own = join(folder, String(process.pid));
  try {
    makeFolder(folder, 0o700);
    writeFileSync(own, '', { mode: 0o600 });
    process.once('exit', () => rmSync(own, { force: true }));
    // Each is counted before it counts, so that of many that begin at once not one too many goes on.
    return readdirSync(folder).filter((name) => isRunning(folder, name)).length <= mostRunning;
  } catch {
    return true;
  }
}

function isRunning(folder: string, name: string): boolean {
  const path = join(folder, name);
  try {
    if (Date.now() - statSync(path).mtimeMs <= mostAgeMs) {
      process.kill(Number(name), 0);
      return true;
    }
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code === 'EPERM') return true;
  }
  rmSync(path, { force: true });
  return false;
}
