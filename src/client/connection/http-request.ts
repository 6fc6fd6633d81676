import { isErrorBody, ShannonDashError } from '../../core/protocol/errors.ts';
import { backoffMs, pauseFor } from './backoff.ts';
import { afterMs, endpoint, exchange } from './http-exchange.ts';
import { errorFromBody, reasonOf, unreachable } from './connect-failure.ts';

/**
 * Reads a JSON document from the server's HTTP side.
 * @param path from the server's root, as `api/sessions`
 * @throws ShannonDashError the server's error; UNREACHABLE it was away the whole time; TIMEOUT
 */
export async function getJson<T>(url: string, path: string, options: GetOptions): Promise<T> {
  const giveUpAt = performance.now() + options.timeoutMs;
  for (let attempt = 1; ; attempt++) {
    const leftMs = giveUpAt - performance.now();
    try {
      return await getOnce<T>(url, path, { ...options, timeoutMs: leftMs });
    } catch (error) {
      // It is being restarted, perhaps; to read again does no harm.
      const waitMs = backoffMs(attempt);
      if (!(error instanceof ShannonDashError) || error.code !== 'UNREACHABLE' || leftMs < waitMs * 2) throw error;
      await pauseFor(waitMs, options.signal);
      options.signal?.throwIfAborted();
    }
  }
}

interface GetOptions {
  token?: string | undefined;
  timeoutMs: number;
  signal?: AbortSignal | undefined;
}

async function getOnce<T>(url: string, path: string, { token, timeoutMs, signal }: GetOptions): Promise<T> {
  const timeout = afterMs(timeoutMs);
  try {
    const { status, text } = await exchange(endpoint(url, path), {
      headers: { accept: 'application/json', ...(token === undefined ? {} : { authorization: `Bearer ${token}` }) },
      signal: signal === undefined ? timeout : AbortSignal.any([timeout, signal]),
    });
    const body: unknown = JSON.parse(text);
    if (status >= 200 && status < 300) return body as T;
    if (isErrorBody(body)) throw errorFromBody(body);
    throw unreachable(url, `it answered with status ${status}`);
  } catch (error) {
    if (error instanceof ShannonDashError) throw error;
    if (timeout.aborted) throw new ShannonDashError('TIMEOUT', `no answer from ${url} in ${timeoutMs} ms`, undefined, { cause: error });
    signal?.throwIfAborted();
    throw unreachable(url, reasonOf(error), error);
  }
}
