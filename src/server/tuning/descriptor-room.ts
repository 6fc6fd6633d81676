import { readFileSync } from 'node:fs';
import type { Server } from 'node:net';
import { CountedLog } from '../counted-log.ts';
import type { Tuning } from './tuning.ts';
import type { ServerLog } from '../server-log.ts';

/** Descriptors that connections leave to the journal, to folders that are watched and to the program itself. */
const reserve = 64;

/**
 * Takes no more connections than the system gives descriptors for, less a reserve, and logs each second how many it refused.
 * Otherwise connections take the last descriptors, and the next part that opens a file fails.
 */
export function leaveDescriptorRoom(server: Server, tuning: Pick<Tuning, 'descriptorRoom'>, log: ServerLog): void {
  const most = tuning.descriptorRoom ? descriptorLimit() : undefined;
  if (most === undefined) return;
  server.maxConnections = Math.max(most - reserve, Math.ceil(most / 2));
  const refusals = new CountedLog(log);
  server.on('drop', () =>
    refusals.warn('descriptors', { limit: most }, `connection refused: the limit of ${most} open files is reached; raise it: ulimit -n`),
  );
}

/** How many files this process may have open; undefined where the system does not tell. */
function descriptorLimit(): number | undefined {
  try {
    const limit = Number(/^Max open files\s+(\d+)/m.exec(readFileSync('/proc/self/limits', 'utf8'))?.[1]);
    return Number.isInteger(limit) ? limit : undefined;
  } catch {
    return undefined;
  }
}
