import { isLoopback } from '../../core/loopback.ts';

/** The most that a timer takes: 24 days. */
const longestTimerMs = 2 ** 31 - 1;

export interface HttpExchange {
  method?: 'GET' | 'POST' | 'DELETE';
  headers?: Record<string, string>;
  /** As bytes: with a text Node writes the headers in its encoding. */
  body?: Uint8Array<ArrayBuffer> | undefined;
  /** Ends it. */
  signal: AbortSignal;
  /** Called once the server can be reached. Not in a browser, which does not tell. */
  onConnected?: () => void;
  /** More than this is not read: whatever answers is none of ours. */
  maxChars?: number;
}

/** What answered. `isTooLong`: more came than was to be read. */
export interface HttpAnswer {
  status: number;
  text: string;
  isTooLong: boolean;
}

/**
 * One request over HTTP and its whole answer. What goes to this machine never goes by way of a proxy, whatever the
 * environment says: there is none that could reach it.
 * @throws the reason of the signal, or the system's error
 */
export async function exchange(url: URL, options: HttpExchange): Promise<HttpAnswer> {
  // Not imported, since a browser has none; and an import touches every export, one of which loads a WebSocket client, at 30 ms.
  const node = (globalThis as { process?: Partial<NodeJS.Process> }).process?.getBuiltinModule;
  if (node === undefined) return fetchAnswer(url, options);
  const { request } = node(url.protocol === 'https:' ? 'node:https' : 'node:http');
  const { method = 'GET', headers = {}, body, signal, onConnected, maxChars = Infinity } = options;
  return new Promise((resolve, reject) => {
    const fail = (error: unknown) => reject(signal.aborted ? (signal.reason as Error) : (error as Error));
    // `false` is an agent of its own, which knows of no proxy.
    const asked = request(url, { method, headers, signal, ...(isLoopback(url.hostname) ? { agent: false } : {}) }, (response) => {
      let text = '';
      response.setEncoding('utf8');
      response.on('data', (chunk: string) => {
        text += chunk;
        if (text.length <= maxChars) return;
        resolve({ status: response.statusCode ?? 0, text, isTooLong: true });
        response.destroy();
      });
      response.on('end', () => resolve({ status: response.statusCode ?? 0, text, isTooLong: false }));
      response.on('error', fail);
    });
    asked.on('error', fail);
    asked.on('socket', (socket) => {
      if (socket.connecting) socket.once('connect', () => onConnected?.());
      else onConnected?.();
    });
    asked.end(body);
  });
}

async function fetchAnswer(
  url: URL,
  { method = 'GET', headers = {}, body, signal, maxChars = Infinity }: HttpExchange,
): Promise<HttpAnswer> {
  const response = await fetch(url, { method, headers, signal, ...(body === undefined ? {} : { body }) });
  const text = await response.text();
  return { status: response.status, text, isTooLong: text.length > maxChars };
}

/** A signal that comes after a time, which need not be one that a timer takes as it is. */
export function afterMs(timeoutMs: number): AbortSignal {
  return AbortSignal.timeout(Math.min(Math.ceil(timeoutMs), longestTimerMs));
}

/** The URL of a path below the server's own. */
export function endpoint(url: string, path: string): URL {
  return new URL(path, url.endsWith('/') ? url : `${url}/`);
}
