import { readFileSync, rmSync, writeFileSync } from 'node:fs';
import { dirname, join } from 'node:path';
import { makeFolder } from '../../../executable/make-folder.ts';
import { isLoopback } from '../../../core/loopback.ts';
import { serverUrls } from '../../../core/text/server-urls.ts';
import { userFolders } from '../../settings/user-folders.ts';

/** Marks the server on a port of this machine as one that is started again whenever it is away, so that clients wait for it. */
export function markReloading(port: number): void {
  try {
    const path = markPath(port);
    makeFolder(dirname(path), 0o700);
    writeFileSync(path, String(process.pid), { mode: 0o600 });
  } catch {
    // Without it clients only do not wait.
  }
}

/** Removes the mark. */
export function unmarkReloading(port: number): void {
  if (processOf(port) === process.pid) rmSync(markPath(port), { force: true });
}

/** Whether a process restarts the server at this URL, or one of them, when it is away. */
export function isReloading(url: string): boolean {
  return serverUrls(url).some(isOneReloading);
}

function isOneReloading(url: string): boolean {
  const { hostname, port, protocol } = new URL(url);
  if (!isLoopback(hostname)) return false;
  const pid = processOf(Number(port || (protocol === 'https:' ? 443 : 80)));
  if (pid === undefined) return false;
  try {
    process.kill(pid, 0);
    return true;
  } catch (error) {
    return (error as NodeJS.ErrnoException).code === 'EPERM';
  }
}

function processOf(port: number): number | undefined {
  try {
    const pid = Number(readFileSync(markPath(port), 'utf8'));
    return Number.isInteger(pid) && pid > 0 ? pid : undefined;
  } catch {
    return undefined;
  }
}

function markPath(port: number): string {
  return join(userFolders().state, 'reloading', String(port));
}
