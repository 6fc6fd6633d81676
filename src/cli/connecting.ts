import { backoffMs } from '../client/backoff.ts';
import type { ConnectOptions } from '../client/connection.ts';
import { readEnvironment } from '../client/environment.ts';
import { getJson } from '../client/http-request.ts';
import { ShannonDashError } from '../core/errors.ts';
import { shownDuration } from './duration.ts';
import type { Settings } from './settings.ts';

const patienceMs = 10_000;
const requestMs = 10_000;

/**
 * Connects as the settings say. A person learns at once that nobody is there; a script inside a run, which must not
 * fail because the server is just being restarted, keeps trying for a while.
 * @param connect one of the client's `connect...`
 */
export async function connecting<Client>(settings: Settings, connect: (options: ConnectOptions) => Promise<Client>): Promise<Client> {
  const { url, token, client, timeoutMs } = settings;
  if (readEnvironment().run === undefined) return connect({ url, token, client, timeoutMs, retry: false });
  const giveUp = new AbortController();
  const waitMs = timeoutMs ?? patienceMs;
  const late = new ShannonDashError('UNREACHABLE', `cannot reach ${url} (no answer in ${shownDuration(waitMs)})`);
  const timer = setTimeout(() => giveUp.abort(late), waitMs);
  try {
    return await connect({ url, token, client, timeoutMs, signal: giveUp.signal });
  } finally {
    clearTimeout(timer);
  }
}

/**
 * Reads a document of the server, as `api/sessions`; inside a run with the same patience.
 * @throws ShannonDashError the server's error; UNREACHABLE; TIMEOUT
 */
export async function fetchJson<T>({ url, token, timeoutMs }: Settings, path: string): Promise<T> {
  const giveUpAt = Date.now() + (readEnvironment().run === undefined ? 0 : (timeoutMs ?? patienceMs));
  for (let attempt = 1; ; attempt++) {
    try {
      return await getJson<T>(url, path, { token, timeoutMs: timeoutMs ?? requestMs });
    } catch (error) {
      const waitMs = backoffMs(attempt);
      const isAway = error instanceof ShannonDashError && error.code === 'UNREACHABLE';
      if (!isAway || Date.now() + waitMs > giveUpAt) throw error;
      await new Promise((resolve) => setTimeout(resolve, waitMs));
    }
  }
}
