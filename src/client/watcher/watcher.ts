import { openConnection } from '../connection/connection.ts';
import { AllSessionsWatcher } from './all-sessions-watcher.ts';
import { SessionWatcher } from './session-watcher.ts';
import type { Watcher, WatchOptions } from './watcher-contract.ts';

/**
 * Connects and subscribes.
 * @throws ShannonDashError UNREACHABLE (with `retry: false`), UNAUTHENTICATED, FORBIDDEN, INVALID; or the signal's reason
 */
export async function connectWatcher(options: WatchOptions = {}): Promise<Watcher> {
  const connection = openConnection(options);
  const { session, after, eventTypes } = options;
  const watcher =
    session === undefined
      ? new AllSessionsWatcher(connection, { eventTypes, ownsConnection: true })
      : new SessionWatcher(connection, { session, after, eventTypes, ownsConnection: true });
  try {
    await watcher.joined;
    return watcher;
  } catch (error) {
    await watcher.close();
    options.signal?.throwIfAborted();
    throw error;
  }
}
