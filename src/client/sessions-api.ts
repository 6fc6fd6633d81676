import {
  endpointOf,
  type AnswerOf,
  type BodyInput,
  type EndpointName,
  type PathOf,
  type QueryInput,
  type ReadName,
} from '../core/http-api.ts';
import { jsonText } from '../core/json/json.ts';
import { check } from '../core/json/parse.ts';
import { isErrorBody } from '../core/protocol/error-answer.ts';
import { ShannonDashError } from '../core/protocol/errors.ts';
import { serverUrls } from '../core/text/server-urls.ts';
import { ClientToken } from './connection/client-token.ts';
import { backoffMs, pauseFor, waitMsAfter } from './connection/backoff.ts';
import { errorFromBody, reasonOf, unreachable } from './connection/connect-failure.ts';
import { afterMs, endpoint, exchange, type HttpAnswer } from './connection/http-exchange.ts';

/** What an endpoint is asked: the parameters of its path, its query and its body, as far as it has them. */
export type CallInput<Name extends EndpointName> = (object extends PathOf<Name> ? { path?: undefined } : { path: PathOf<Name> }) &
  (QueryInput<Name> extends undefined ? { query?: undefined } : { query?: QueryInput<Name> }) &
  (BodyInput<Name> extends undefined ? { body?: undefined } : { body: BodyInput<Name> });

/** The input of any endpoint. */
interface AnyInput {
  path?: object | undefined;
  query?: object | undefined;
  body?: unknown;
}

/** Which server is asked, as whom, and how long to wait. */
export interface CallOptions {
  /** Of the server; several with commas between are asked in turn, where one cannot be reached or takes nothing. */
  url: string;
  /** Default: as of a connection. */
  token?: string | undefined;
  /** A name shown to others. */
  client?: string | undefined;
  timeoutMs: number;
  signal?: AbortSignal | undefined;
  /** Called once the server can be reached. Not in a browser, which does not tell. */
  onConnected?: () => void;
  /** Called when the server was asked too much, before this waits and asks it again. */
  onWait?: (error: ShannonDashError, waitMs: number) => void;
  /** A longer answer is not read: no server of ours sends it. */
  maxChars?: number;
}

/**
 * Calls an endpoint of the server over HTTP and checks its answer by the table of endpoints. A request that was refused because
 * there were too many, and that did nothing, is made again when the server says, where the time is long enough.
 * @throws ShannonDashError the server's refusal; UNREACHABLE; TIMEOUT; UNSUPPORTED (what answers is no server of ours); or the
 * reason of the signal
 */
export async function callApi<Name extends EndpointName>(
  name: Name,
  input: CallInput<Name>,
  options: CallOptions,
): Promise<AnswerOf<Name>> {
  const giveUpAt = performance.now() + options.timeoutMs;
  for (let attempt = 1; ; attempt++) {
    try {
      return await callAny(name, input, { ...options, timeoutMs: attempt === 1 ? options.timeoutMs : giveUpAt - performance.now() });
    } catch (error) {
      const waitMs = waitMsAfter(error, attempt);
      if (!(error instanceof ShannonDashError) || error.retryAfterMs === undefined || performance.now() + waitMs > giveUpAt) throw error;
      options.onWait?.(error, waitMs);
      await pauseFor(waitMs, options.signal);
      options.signal?.throwIfAborted();
    }
  }
}

async function callAny<Name extends EndpointName>(name: Name, input: CallInput<Name>, options: CallOptions): Promise<AnswerOf<Name>> {
  const giveUpAt = performance.now() + options.timeoutMs;
  const [first, ...others] = serverUrls(options.url);
  let timeoutMs = options.timeoutMs;
  for (let url = first; ; timeoutMs = giveUpAt - performance.now()) {
    let isConnected = false;
    const onConnected = () => {
      isConnected = true;
      options.onConnected?.();
    };
    try {
      return await callOnce(name, input, { ...options, url, timeoutMs, onConnected });
    } catch (error) {
      const { code } = error as ShannonDashError;
      const next = (code === 'UNREACHABLE' && !isConnected) || code === 'UNAVAILABLE' ? others.shift() : undefined;
      if (next === undefined) throw error;
      url = next;
    }
  }
}

async function callOnce<Name extends EndpointName>(name: Name, input: CallInput<Name>, options: CallOptions): Promise<AnswerOf<Name>> {
  const { url, timeoutMs, signal } = options;
  const timeout = afterMs(timeoutMs);
  const ends = signal === undefined ? timeout : AbortSignal.any([timeout, signal]);
  const answer = await send(name, input as AnyInput, { ...options, signal: ends }).catch((error: unknown) => {
    if (error instanceof ShannonDashError) throw error;
    if (timeout.aborted) throw new ShannonDashError('TIMEOUT', `no answer from ${url} in ${timeoutMs} ms`, undefined, { cause: error });
    signal?.throwIfAborted();
    throw unreachable(url, reasonOf(error), error);
  });
  return readAnswer(name, url, answer) as AnswerOf<Name>;
}

/**
 * The same for what only reads: while the server is away, as during its restart, it is asked again until the time is over.
 * @throws ShannonDashError as `callApi`
 */
export async function readApi<Name extends ReadName>(name: Name, input: CallInput<Name>, options: CallOptions): Promise<AnswerOf<Name>> {
  const giveUpAt = performance.now() + options.timeoutMs;
  for (let attempt = 1; ; attempt++) {
    const leftMs = giveUpAt - performance.now();
    try {
      return await callApi(name, input, { ...options, timeoutMs: leftMs });
    } catch (error) {
      const failure = fromGateway(options.url, error);
      const waitMs = backoffMs(attempt);
      if (!(failure instanceof ShannonDashError) || failure.code !== 'UNREACHABLE' || leftMs < waitMs * 2) throw failure;
      await pauseFor(waitMs, options.signal);
      options.signal?.throwIfAborted();
    }
  }
}

/** A proxy answers with a status of its own while the server behind it is away. */
function fromGateway(url: string, error: unknown): unknown {
  if (!(error instanceof ShannonDashError) || error.code !== 'UNSUPPORTED') return error;
  const { status } = (error.details ?? {}) as { status?: unknown };
  return typeof status === 'number' && status >= 500 ? unreachable(url, `it answered with status ${status}`, error) : error;
}

/** The path and query of a call, from the server's root. */
function pathOf(name: EndpointName, { path = {}, query = {} }: AnyInput): string {
  const parameters = new Map<string, unknown>(Object.entries(path));
  const filled = endpointOf(name).path.replaceAll(/\{(\w+)\}/g, (_, each: string) => encodeURIComponent(String(parameters.get(each))));
  const given = Object.entries(query).filter(([, value]) => value !== undefined);
  const search = new URLSearchParams(given.map(([field, value]): [string, string] => [field, String(value)])).toString();
  return `${filled.slice(1)}${search === '' ? '' : `?${search}`}`;
}

async function send(
  name: EndpointName,
  input: AnyInput,
  { url, token, client, onConnected, maxChars, signal }: CallOptions & { signal: AbortSignal },
): Promise<HttpAnswer> {
  const { body } = input;
  const bearer = await new ClientToken(url, token).get();
  return exchange(endpoint(url, pathOf(name, input)), {
    method: endpointOf(name).method,
    headers: {
      accept: 'application/json',
      // A header holds Latin-1 only.
      ...(client === undefined ? {} : { 'x-client': client.replaceAll(/[^\x20-\x7e\xa0-\xff]/g, '?') }),
      ...(body === undefined ? {} : { 'content-type': 'application/json' }),
      ...(bearer === undefined ? {} : { authorization: `Bearer ${bearer}` }),
    },
    body: body === undefined ? undefined : new TextEncoder().encode(jsonText(body, 'The request')),
    signal,
    ...(onConnected === undefined ? {} : { onConnected }),
    ...(maxChars === undefined ? {} : { maxChars }),
  });
}

/** @throws ShannonDashError the server's refusal; UNSUPPORTED */
function readAnswer(name: EndpointName, url: string, { status, text, isTooLong }: HttpAnswer): unknown {
  const foreign = () => new ShannonDashError('UNSUPPORTED', `${url} answers, but not as shannon-dash does (status ${status})`, { status });
  if (isTooLong) throw foreign();
  let body: unknown;
  try {
    body = JSON.parse(text);
  } catch {
    throw foreign();
  }
  // A command that was rejected has a `status`: that is an answer, not a refusal to answer.
  if (isErrorBody(body) && !('status' in body)) throw errorFromBody(body);
  const { answer, statuses } = endpointOf(name);
  const result = answer === undefined ? undefined : check(answer, body);
  if (result?.success !== true || !Object.hasOwn(statuses, status)) throw foreign();
  return result.data;
}
