import { chmodSync, readFileSync, renameSync, rmSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { makeFolder } from '../../../executable/make-folder.ts';
import { ownServersFolder, type OwnServerFile } from '../../../client/connection/own-server.ts';

/**
 * Leaves the token of a server that asks everybody where only the programs of its own user find it. A server that asks nobody
 * takes away what one that was killed has left at its port.
 * @param content absent: there is none to leave
 * @returns what takes the file away again
 * @throws the system's error
 */
export function leaveOwnServerFile(port: number, content: OwnServerFile | undefined): () => void {
  const folder = ownServersFolder();
  if (folder === undefined) return () => undefined;
  const path = join(folder, `${port}.json`);
  if (content === undefined) {
    rmSync(path, { force: true });
    return () => undefined;
  }
  makeFolder(folder, 0o700);
  chmodSync(folder, 0o700);
  const text = `${JSON.stringify(content)}\n`;
  const next = `${path}.${process.pid}`;
  writeFileSync(next, text, { mode: 0o600, flag: 'wx' });
  renameSync(next, path);
  const remove = () => {
    try {
      // Another server may have the port, and the file, by now.
      if (readFileSync(path, 'utf8') === text) rmSync(path);
    } catch {
      // It is gone.
    }
  };
  process.once('exit', remove);
  return remove;
}
