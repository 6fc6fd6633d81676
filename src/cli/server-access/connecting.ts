import type { ConnectOptions } from '../../client/connection/connection.ts';
import { ShannonDashError } from '../../core/protocol/errors.ts';
import { shownDuration } from '../settings/duration.ts';
import { isReloading } from '../commands/serve/reload-mark.ts';
import { isAway, patienceMs, patienceOf } from './server-request.ts';
import type { Settings } from '../settings/settings.ts';

/**
 * Connects as the settings say, with the same patience as a request.
 * @param connect one of the client's `connect...`
 */
export async function connecting<Client>(settings: Settings, connect: (options: ConnectOptions) => Promise<Client>): Promise<Client> {
  const { url, token, client, timeoutMs } = settings;
  let waitMs = patienceOf(settings);
  if (waitMs === 0) {
    try {
      return await connect({ url, token, client, timeoutMs, retry: false });
    } catch (error) {
      if (!isAway(error) || !isReloading(url)) throw error;
      waitMs = patienceMs;
    }
  }
  const giveUp = new AbortController();
  const late = new ShannonDashError('UNREACHABLE', `cannot reach ${url} (no answer in ${shownDuration(waitMs)})`);
  const timer = setTimeout(() => giveUp.abort(late), waitMs);
  try {
    return await connect({ url, token, client, timeoutMs, signal: giveUp.signal });
  } finally {
    clearTimeout(timer);
  }
}
