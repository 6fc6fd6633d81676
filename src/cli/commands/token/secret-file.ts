import { closeSync, openSync, rmSync, writeSync } from 'node:fs';
import { exitCodes } from '../../exit-codes.ts';
import { Failure } from '../../failure.ts';
import { systemReason } from '../../terminal/system-reason.ts';

/**
 * Writes a secret to a new file that only this user can read. The file is made first: a secret that has no place is not made.
 * @param make makes the secret and what else there is to say of it
 * @throws Failure the file is there already, or cannot be written; what `make` throws
 */
export function writeSecret<Made extends { text: string }>(path: string, make: () => Made): Made {
  let descriptor: number;
  try {
    descriptor = openSync(path, 'wx', 0o600);
  } catch (cause) {
    throw new Failure('CONFLICT', `${path} cannot be made: ${systemReason(cause)}`, {
      hints: ['name a new file; nothing was changed'],
      exitCode: exitCodes.refused,
      cause,
    });
  }
  try {
    const made = make();
    writeSync(descriptor, `${made.text}\n`);
    return made;
  } catch (error) {
    rmSync(path, { force: true });
    throw error;
  } finally {
    closeSync(descriptor);
  }
}
