import type { z } from 'zod';
import { backoffMs } from '../../client/connection/backoff.ts';
import { errorFromBody, reasonOf, unreachable } from '../../client/connection/connect-failure.ts';
import { afterMs, endpoint, exchange, type HttpAnswer } from '../../client/connection/http-exchange.ts';
import { readEnvironment } from '../../client/environment.ts';
import { isErrorBody, ShannonDashError } from '../../core/protocol/errors.ts';
import { jsonText } from '../../core/json/json.ts';
import { check } from '../../core/json/parse.ts';
import { shownDuration } from '../settings/duration.ts';
import { foreignServer, noAnswer } from '../failure.ts';
import { isReloading } from '../commands/serve/reload-mark.ts';
import type { Settings } from '../settings/settings.ts';

/** How long a server that is being restarted may be away before a request gives up. */
export const patienceMs = 10_000;
const requestMs = 10_000;
/** No answer of ours is as long as that; it is below what Node can hold in one text. */
const longestAnswerChars = 256 * 1024 * 1024;

/** What else a request needs. It is made again when its answer was lost: whatever it does must happen once, by an id in its body. */
export interface RequestOptions {
  /** Given: it is posted as JSON. */
  body?: unknown;
  /** How long to wait for the answer (default: the settings' timeout, or 10 s). */
  timeoutMs?: number;
}

/**
 * Asks the server over HTTP: for commands that ask once or twice, that costs a third of a Socket.IO connection. A person
 * learns at once that nobody is there; while the server is reloading, and for a script inside a run, which must not fail
 * because the server is just being restarted, it keeps trying for a while.
 * @param path from the server's root: `api/sessions`
 * @param schema what an answer of ours looks like; any other is not one of ours
 * @throws ShannonDashError the server's error; UNREACHABLE; TIMEOUT; UNSUPPORTED it is another kind of server
 */
export async function requestJson<Answer>(
  settings: Settings,
  path: string,
  schema: z.ZodType<Answer>,
  options: RequestOptions = {},
): Promise<Answer> {
  let giveUpAt = performance.now() + patienceOf(settings);
  for (let attempt = 1; ; attempt++) {
    let isConnected = false;
    try {
      return readAnswer(settings, schema, await send(settings, path, { ...options, onConnected: () => (isConnected = true) }));
    } catch (error) {
      if (!isAway(error)) throw error;
      // The answer was lost: only the same request again tells what came of it. And a server that is reloading comes back.
      if (attempt === 1 && (isConnected || isReloading(settings.url))) giveUpAt = Math.max(giveUpAt, performance.now() + patienceMs);
      const waitMs = backoffMs(attempt);
      if (performance.now() + waitMs > giveUpAt) throw error;
      await new Promise((resolve) => setTimeout(resolve, waitMs));
    }
  }
}

/** Whether the server cannot be reached, or is just stopping. */
export function isAway(error: unknown): error is ShannonDashError {
  return error instanceof ShannonDashError && (error.code === 'UNREACHABLE' || error.code === 'UNAVAILABLE');
}

/** How long to keep trying to reach the server; 0 for a person at a terminal. */
export function patienceOf({ timeoutMs }: Settings): number {
  return readEnvironment().run === undefined ? 0 : (timeoutMs ?? patienceMs);
}

async function send(
  settings: Settings,
  path: string,
  { body, timeoutMs = settings.timeoutMs ?? requestMs, onConnected }: RequestOptions & { onConnected: () => void },
): Promise<HttpAnswer> {
  const { token, client } = settings;
  const headers = {
    accept: 'application/json',
    // A header holds Latin-1 only.
    'x-client': client.replaceAll(/[^\x20-\x7e\xa0-\xff]/g, '?'),
    ...(body === undefined ? {} : { 'content-type': 'application/json' }),
    ...(token === undefined ? {} : { authorization: `Bearer ${token}` }),
  };
  const signal = afterMs(timeoutMs);
  const answer = await exchange(endpoint(settings.url, path), {
    method: body === undefined ? 'GET' : 'POST',
    headers,
    body: body === undefined ? undefined : Buffer.from(jsonText(body, 'The request')),
    signal,
    onConnected,
    maxChars: longestAnswerChars,
  }).catch((error: unknown) => {
    throw signal.aborted ? noAnswer(settings.url, shownDuration(timeoutMs)) : unreachable(settings.url, reasonOf(error), error);
  });
  if (answer.isTooLong) throw foreignServer(settings.url, answer.status);
  return answer;
}

function readAnswer<Answer>({ url }: Settings, schema: z.ZodType<Answer>, { status, text }: { status: number; text: string }): Answer {
  let body: unknown;
  try {
    body = JSON.parse(text);
  } catch {
    throw foreignServer(url, status);
  }
  // A command that was rejected has a `status`: that is an answer, not a refusal to answer.
  if (isErrorBody(body) && !('status' in body)) throw errorFromBody(body);
  const answer = check(schema, body);
  if (!answer.success || status < 200 || status >= 500) throw foreignServer(url, status);
  return answer.data;
}
