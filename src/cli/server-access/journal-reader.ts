import { connect } from 'node:net';
import { readEnvironment } from '../../client/environment.ts';
import { isReloading } from '../commands/serve/reload-mark.ts';
import type { Settings } from '../settings/settings.ts';
import type { Output } from '../terminal/output.ts';
import { isHere, LocalServer } from './local-server.ts';

/**
 * For commands that read: where no server listens at a URL of this machine, one is started that keeps this user's journal and ends
 * when nobody uses it any more, as `run` starts one. So what has ended can be read, and what begins is seen. Where another server has
 * the journal, that one is asked.
 * A token that was given counts there too: this user's own server knows the tokens that this user has made.
 * @returns the settings with which the command goes on
 * @throws Failure why the journal cannot be opened
 */
export async function withReachedJournal(settings: Settings, output: Output): Promise<Settings> {
  const { url, journal } = settings;
  // Within a run its own server comes back; a server that reloads does too.
  if (journal === 'memory' || !isHere(url) || readEnvironment().run !== undefined || isReloading(url)) return settings;
  if (!(await isRefused(url))) return settings;
  const server = new LocalServer(settings, (sentence) => output.warn(sentence));
  try {
    await server.reach();
    return settings;
  } catch (error) {
    if (server.holder === undefined) throw error;
    output.note(`the server at ${server.holder} has the journal`);
    return { ...settings, url: server.holder };
  }
}

/** Whether nobody listens at a URL. */
function isRefused(url: string): Promise<boolean> {
  const { hostname, port } = new URL(url);
  return new Promise((resolve) => {
    const socket = connect({ host: hostname.replaceAll(/[[\]]/g, ''), port: Number(port || 80) });
    // Ended in order, and not waited for: whatever answers there may have something to say.
    socket.once('connect', () => {
      socket.resume().unref().end();
      resolve(false);
    });
    socket.on('error', ({ code }: NodeJS.ErrnoException) => resolve(code === 'ECONNREFUSED'));
  });
}
