import { createHash } from 'node:crypto';
import { chmodSync, existsSync, renameSync, writeFileSync } from 'node:fs';
import { delimiter, join } from 'node:path';
import { makeFolder } from '../../../executable/make-folder.ts';
import { ownCommand } from '../../../executable/own-program.ts';
import { findProgram } from '../../../run/program/find-program.ts';

/**
 * The PATH on which a program finds `shannon-dash`: as it is where it is there already; else with a folder at its end that holds
 * nothing but that, for a run that was started by npx or by a path.
 */
export function withOwnCommand(path: string | undefined, stateFolder: string): string | undefined {
  if (process.platform === 'win32') return path;
  try {
    findProgram('shannon-dash', path);
    return path;
  } catch {
    // Made below.
  }
  const quoted = ownCommand()
    .flat()
    .map((word) => `'${word.replaceAll("'", `'\\''`)}'`)
    .join(' ');
  const text = `#!/bin/sh\nexec ${quoted} "$@"\n`;
  // One for each place that it was started from: another version of ours must not be taken for this one.
  const folder = join(stateFolder, 'commands', createHash('sha256').update(text).digest('hex').slice(0, 16));
  const file = join(folder, 'shannon-dash');
  try {
    if (!existsSync(file)) {
      makeFolder(folder, 0o700);
      const made = `${file}.${process.pid}`;
      writeFileSync(made, text, { mode: 0o700 });
      chmodSync(made, 0o700);
      renameSync(made, file);
    }
    return path === undefined || path === '' ? `/usr/bin:/bin${delimiter}${folder}` : `${path}${delimiter}${folder}`;
  } catch {
    // A home that cannot be written to: the program goes without.
    return path;
  }
}
