import { accessSync, constants, statSync } from 'node:fs';
import { delimiter, join } from 'node:path';

/**
 * Finds the file that a command names, as `execvp` does. A program on a pseudo-terminal is started by the launcher, which cannot
 * report a missing file as a spawn error. So the file is looked up first.
 * @throws an error like that of `spawn`: ENOENT, or EACCES when the file exists and cannot be executed
 */
export function findProgram(command: string, path: string | undefined): string {
  const candidates = command.includes('/') ? [command] : (path ?? '/usr/bin:/bin').split(delimiter).map((folder) => join(folder, command));
  let code = 'ENOENT';
  for (const candidate of command === '' ? [] : candidates) {
    try {
      if (statSync(candidate).isDirectory()) throw Object.assign(new Error(), { code: 'EACCES' });
      accessSync(candidate, constants.X_OK);
      return candidate;
    } catch (error) {
      if ((error as NodeJS.ErrnoException).code === 'EACCES') code = 'EACCES';
    }
  }
  throw Object.assign(new Error(`spawn ${command} ${code}`), { code, syscall: `spawn ${command}`, path: command });
}
