import { closeSync, constants, fstatSync, openSync, readFileSync, statSync, type Stats } from 'node:fs';
import { ShannonDashError } from '../../core/protocol/errors.ts';
import { limits } from '../../core/protocol/limits.ts';

/** A text of a file that is this user's alone; undefined where there is none. @throws ShannonDashError FORBIDDEN */
export function readOwnFile(path: string): string | undefined {
  let descriptor: number;
  try {
    descriptor = openSync(path, constants.O_RDONLY | constants.O_NOFOLLOW | constants.O_NONBLOCK);
  } catch (error) {
    const { code } = error as NodeJS.ErrnoException;
    if (code === 'ENOENT') return undefined;
    throw new ShannonDashError('FORBIDDEN', `${path} is not read: ${code === 'ELOOP' ? 'it is a link' : String(code)}`, undefined, {
      cause: error,
    });
  }
  try {
    const reason = strangeness(fstatSync(descriptor));
    if (reason !== undefined) throw new ShannonDashError('FORBIDDEN', `${path} is not read: ${reason}`);
    return readFileSync(descriptor, 'utf8');
  } finally {
    closeSync(descriptor);
  }
}

function strangeness(file: Stats): string | undefined {
  if (!file.isFile()) return 'it is not a regular file';
  if (process.getuid !== undefined && file.uid !== process.getuid()) return 'it is the file of another user';
  // Windows has no such bits.
  if (process.platform !== 'win32' && (file.mode & 0o077) !== 0) return 'others can read it or write it; take that away: chmod 600';
  return file.size > limits.tokenFileBytes ? `it is larger than ${limits.tokenFileBytes} bytes` : undefined;
}

/** Changes with each change of the file; empty where there is none. */
export function versionOf(path: string): string {
  try {
    const { ino, mtimeMs, size, mode, uid } = statSync(path);
    return [ino, mtimeMs, size, mode, uid].join(' ');
  } catch {
    return '';
  }
}
