import { statfsSync } from 'node:fs';
import { limits } from '../../../core/protocol/limits.ts';
import type { JournalConcern, JournalVitals } from '../../journal.ts';
import type { WriteBack } from '../write-back.ts';

/** How a journal at this path is. */
export function vitalsOf(path: string, { waitingChars, failure }: WriteBack): JournalVitals {
  const freeBytes = freeBytesAt(path);
  const concerns: JournalConcern[] = [];
  if (freeBytes !== undefined && freeBytes < limits.lowDiskBytes) {
    const megabytes = Math.floor(freeBytes / 1e6);
    concerns.push({
      code: 'disk_nearly_full',
      reason: `Only ${megabytes} MB are free on the disk of the journal; make room before it is full`,
    });
  }
  if (failure !== undefined) {
    const reason = `The newest events are in the log of the journal only, and cannot be moved to its database: ${failure}`;
    concerns.push({ code: 'write_back_behind', reason });
  }
  return { waitingChars, freeBytes, concerns };
}

/** What the owner of the process can still write where a file is; undefined where the system does not say. */
function freeBytesAt(path: string): number | undefined {
  try {
    const { bavail, bsize } = statfsSync(path);
    return bavail * bsize;
  } catch {
    return undefined;
  }
}
