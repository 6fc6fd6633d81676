import type { ConnectOptions } from '../client/connection.ts';
import { ShannonDashError } from '../core/errors.ts';
import { shownDuration } from './duration.ts';
import { patienceOf } from './server-request.ts';
import type { Settings } from './settings.ts';

/**
 * Connects as the settings say, with the same patience as a request.
 * @param connect one of the client's `connect...`
 */
export async function connecting<Client>(settings: Settings, connect: (options: ConnectOptions) => Promise<Client>): Promise<Client> {
  const { url, token, client, timeoutMs } = settings;
  const patienceMs = patienceOf(settings);
  if (patienceMs === 0) return connect({ url, token, client, timeoutMs, retry: false });
  const giveUp = new AbortController();
  const late = new ShannonDashError('UNREACHABLE', `cannot reach ${url} (no answer in ${shownDuration(patienceMs)})`);
  const timer = setTimeout(() => giveUp.abort(late), patienceMs);
  try {
    return await connect({ url, token, client, timeoutMs, signal: giveUp.signal });
  } finally {
    clearTimeout(timer);
  }
}
