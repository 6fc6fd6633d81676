import { connectWatcher } from '../../../client/watcher/watcher.ts';
import type { CommandResult } from '../../../core/protocol/command.ts';
import { Pulse } from '../../../mcp/pulse.ts';
import type { ServerCalls } from '../../../mcp/server-calls.ts';
import { request } from '../../server-access/server-request.ts';
import type { Settings } from '../../settings/settings.ts';

/** How much longer than a command may take its answer is waited for. */
const graceMs = 2_000;

/** What the tools ask, of the server that the settings name. */
export function httpCalls(settings: Settings): ServerCalls {
  const { url, token, client } = settings;
  return {
    sessions: async () => (await request(settings, 'sessions', {})).sessions,
    session: (id) => request(settings, 'session', { path: { id } }),
    history: (id, { types, ...range }) =>
      request(settings, 'history', { path: { id }, query: { ...range, ...(types.length === 0 ? {} : { types: types.join(',') }) } }),
    decision: (id, decision) => request(settings, 'decision', { path: { id, decision } }),
    publish: (id, body) => request(settings, 'publish', { path: { id }, body }),
    command: async ({ session_id: id, ...body }) => {
      const timeoutMs = (body.timeout_ms ?? 0) + graceMs;
      // It names one session, so one result comes.
      return (await request(settings, 'command', { path: { id }, body }, { timeoutMs })) as CommandResult;
    },
    async *changes(session, types, signal) {
      const connecting = connectWatcher({ url, token, client, session, eventTypes: types.length === 0 ? ['*'] : [...types], signal });
      const watcher = await connecting.catch((error: unknown) => {
        if (signal.aborted) return undefined;
        throw error;
      });
      if (watcher === undefined) return;
      try {
        const pulse = new Pulse();
        watcher.onUpdate(() => pulse.beat());
        ended(watcher).then(
          () => pulse.end(),
          (error: unknown) => pulse.end(error),
        );
        pulse.beat();
        yield* pulse.beats(signal);
      } finally {
        await watcher.close();
      }
    },
  };
}

/** Resolves when the watcher is closed. @throws ShannonDashError why the server will not have it any more */
async function ended(watcher: AsyncIterable<unknown>): Promise<void> {
  for await (const _ of watcher);
}
