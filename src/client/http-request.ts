import { isErrorBody, ShannonDashError } from '../core/errors.ts';
import { errorFromBody, reasonOf, unreachable } from './connect-failure.ts';

/**
 * Reads a JSON document from the server's HTTP side.
 * @param path from the server's root, as `api/sessions`
 * @throws ShannonDashError the server's error; UNREACHABLE; TIMEOUT
 */
export async function getJson<T>(
  url: string,
  path: string,
  { token, timeoutMs, signal }: { token?: string | undefined; timeoutMs: number; signal?: AbortSignal | undefined },
): Promise<T> {
  const timeout = AbortSignal.timeout(timeoutMs);
  try {
    const response = await fetch(new URL(path, url.endsWith('/') ? url : `${url}/`), {
      headers: { accept: 'application/json', ...(token === undefined ? {} : { authorization: `Bearer ${token}` }) },
      signal: signal === undefined ? timeout : AbortSignal.any([timeout, signal]),
    });
    const body: unknown = await response.json();
    if (response.ok) return body as T;
    if (isErrorBody(body)) throw errorFromBody(body);
    throw unreachable(url, `it answered with status ${response.status}`);
  } catch (error) {
    if (error instanceof ShannonDashError) throw error;
    if (timeout.aborted) throw new ShannonDashError('TIMEOUT', `no answer from ${url} in ${timeoutMs} ms`, undefined, { cause: error });
    signal?.throwIfAborted();
    throw unreachable(url, reasonOf(error), error);
  }
}
