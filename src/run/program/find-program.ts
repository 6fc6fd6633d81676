import { accessSync, constants, statSync } from 'node:fs';
import { delimiter, join } from 'node:path';

/**
 * Looks for the file that a command names, as `execvp` does: a terminal's child can only tell by dying that it is not there.
 * @throws an error as that of a spawn: ENOENT, or EACCES where there is a file that cannot be executed
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
