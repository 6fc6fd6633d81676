import { closeSync, constants, fstatSync, lstatSync, openSync, readSync } from 'node:fs';
import { systemReason } from '../terminal/system-reason.ts';

/** A configuration is a few lines; a larger file is something else. */
const longestBytes = 64 * 1024;

/** A configuration file as it is: its bytes, or why it is not read. */
export type ConfigurationFile = { path: string } & ({ bytes: Buffer; refused?: undefined } | { bytes?: undefined; refused: string });

/**
 * Reads a configuration file; undefined where there is none. Neither a device, nor a named pipe, nor a huge file holds up
 * whoever asks.
 * @param isOfStranger it may come from somebody else: a link is not followed, and it must belong to this user
 */
export function readConfigurationFile(path: string, isOfStranger: boolean): ConfigurationFile | undefined {
  try {
    // Looked at before it is opened: to open a pipe or a device has effects of its own.
    const fault = isOfStranger ? faultOf(lstatSync(path), isOfStranger) : undefined;
    if (fault !== undefined) return { path, refused: fault };
    // Looked at again after: it may have been replaced. Windows has neither of the two flags.
    const noFollow = isOfStranger ? (constants.O_NOFOLLOW ?? 0) : 0;
    const file = openSync(path, constants.O_RDONLY | (constants.O_NONBLOCK ?? 0) | noFollow);
    try {
      const refused = faultOf(fstatSync(file), isOfStranger);
      if (refused !== undefined) return { path, refused };
      const buffer = Buffer.alloc(longestBytes + 1);
      let length = 0;
      for (let read = -1; read !== 0 && length < buffer.length; length += read)
        read = readSync(file, buffer, length, buffer.length - length, null);
      return length > longestBytes ? { path, refused: tooLarge } : { path, bytes: buffer.subarray(0, length) };
    } finally {
      closeSync(file);
    }
  } catch (error) {
    const { code } = error as NodeJS.ErrnoException;
    if (code === 'ENOENT' || code === 'ENOTDIR') return undefined;
    return { path, refused: code === 'ELOOP' ? isLink : `it cannot be read: ${systemReason(error)}` };
  }
}

/** Whether a file with this owner is the user's own; under sudo, also one of the user that called sudo. */
export function isOwn({ uid }: { uid: number }): boolean {
  const own = process.geteuid?.();
  if (own === undefined || uid === own) return true;
  return own === 0 && String(uid) === process.env['SUDO_UID'];
}

const isLink = 'it is a link';
const tooLarge = `it is larger than ${longestBytes / 1024} KiB`;

interface Stats {
  uid: number;
  size: number;
  isFile(): boolean;
  isSymbolicLink(): boolean;
}

function faultOf(stats: Stats, isOfStranger: boolean): string | undefined {
  if (stats.isSymbolicLink()) return isLink;
  if (!stats.isFile()) return 'it is not a regular file';
  if (isOfStranger && !isOwn(stats)) return `it belongs to another user (uid ${stats.uid})`;
  return stats.size > longestBytes ? tooLarge : undefined;
}
