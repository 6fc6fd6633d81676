import { readFileSync, rmSync, statSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { makeFolder } from '../../executable/make-folder.ts';
import { userFolders } from '../settings/user-folders.ts';

/** A lock that is older was left behind, whatever process has its number now. */
const mostAgeMs = 30_000;

/** Held by the process that is starting a server at a URL, so that of several only one does. */
export class ServerStartLock {
  readonly #path: string | undefined;

  private constructor(path: string | undefined) {
    this.#path = path;
  }

  /** @returns undefined while another process holds it. Where no lock can be kept, as on a read-only disk, every process gets one. */
  static take(url: string): ServerStartLock | undefined {
    const { state } = userFolders();
    const path = join(state, `starting-${new URL(url).host.replaceAll(/[^\w.-]/g, '_')}`);
    try {
      makeFolder(state, 0o700);
      if (!isHeld(path)) rmSync(path, { force: true });
      writeFileSync(path, String(process.pid), { flag: 'wx', mode: 0o600 });
      return new ServerStartLock(path);
    } catch (error) {
      return (error as NodeJS.ErrnoException).code === 'EEXIST' ? undefined : new ServerStartLock(undefined);
    }
  }

  release(): void {
    if (this.#path !== undefined) rmSync(this.#path, { force: true });
  }
}

/** Whether the process is alive that a lock names. */
function isHeld(path: string): boolean {
  try {
    if (Date.now() - statSync(path).mtimeMs > mostAgeMs) return false;
    process.kill(Number(readFileSync(path, 'utf8')), 0);
    return true;
  } catch (error) {
    return (error as NodeJS.ErrnoException).code === 'EPERM';
  }
}
