import { connectWatcher } from '../client/watcher.ts';
import { ShannonDashError } from '../core/errors.ts';
import type { SessionState } from '../core/session-state.ts';
import { connecting } from './connecting.ts';
import type { Settings } from './settings.ts';

/**
 * Watches a session until `look` finds what it looks for, over reconnects and restarts of the server.
 * @returns undefined when `timeoutMs` was over first
 * @throws ShannonDashError NOT_FOUND the session was deleted meanwhile; and as `connectWatcher`
 */
export async function awaitedState<Found>(
  { settings, session, timeoutMs }: { settings: Settings; session: string; timeoutMs: number | undefined },
  look: (state: SessionState) => Found | undefined,
): Promise<Found | undefined> {
  const watcher = await connecting(settings, (connect) => connectWatcher({ ...connect, session }));
  const found = Promise.withResolvers<Found | undefined>();
  const timer = timeoutMs === undefined ? undefined : setTimeout(() => found.resolve(undefined), timeoutMs);
  const lookAgain = () => {
    const result = watcher.state === undefined ? undefined : look(watcher.state);
    if (result !== undefined) found.resolve(result);
  };
  watcher.onUpdate((update) => {
    if (update.kind === 'deleted') found.reject(new ShannonDashError('NOT_FOUND', `Session not found: ${session}`));
    else lookAgain();
  });
  lookAgain();
  // Ends with the connection's own error when the server will not have this watcher any more.
  const ended = (async () => {
    for await (const _ of watcher);
    throw new ShannonDashError('UNREACHABLE', `the connection to ${settings.url} was closed`);
  })();
  try {
    return await Promise.race([found.promise, ended]);
  } finally {
    clearTimeout(timer);
    ended.catch(() => undefined);
    await watcher.close();
  }
}
