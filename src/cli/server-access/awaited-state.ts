import { connectWatcher } from '../../client/watcher/watcher.ts';
import type { Watcher } from '../../client/watcher/watcher-contract.ts';
import { ShannonDashError } from '../../core/protocol/errors.ts';
import type { SessionState } from '../../core/protocol/session-state.ts';
import type { Settings } from '../settings/settings.ts';

/**
 * Watches a session until `look` finds something in its state. The server answered a moment ago: when it goes away, this waits
 * for it to come back.
 * @returns undefined when `timeoutMs` was over first
 * @throws ShannonDashError NOT_FOUND the session was deleted meanwhile; UNAUTHENTICATED, FORBIDDEN
 */
export async function awaitedState<Found>(
  { settings, session, timeoutMs }: { settings: Settings; session: string; timeoutMs: number | undefined },
  look: (state: SessionState) => Found | undefined,
): Promise<Found | undefined> {
  const { url, token, client } = settings;
  const late = new AbortController();
  const timer = timeoutMs === undefined ? undefined : setTimeout(() => late.abort(), timeoutMs);
  try {
    const watcher = await connectWatcher({ url, token, client, session, signal: late.signal });
    try {
      return await firstFound(watcher, session, look);
    } finally {
      await watcher.close();
    }
  } catch (error) {
    if (late.signal.aborted) return undefined;
    throw error;
  } finally {
    clearTimeout(timer);
  }
}

async function firstFound<Found>(
  watcher: Watcher,
  session: string,
  look: (state: SessionState) => Found | undefined,
): Promise<Found | undefined> {
  const found = Promise.withResolvers<Found | undefined>();
  const lookAgain = () => {
    const result = watcher.state === undefined ? undefined : look(watcher.state);
    if (result !== undefined) found.resolve(result);
  };
  watcher.onUpdate((update) => {
    if (update.kind === 'deleted') found.reject(new ShannonDashError('NOT_FOUND', `Session not found: ${session}`));
    else lookAgain();
  });
  lookAgain();
  return Promise.race([found.promise, ended(watcher)]);
}

/** Resolves when the watcher is closed. @throws ShannonDashError why the server will not have it any more */
async function ended(watcher: Watcher): Promise<undefined> {
  for await (const _ of watcher);
}
