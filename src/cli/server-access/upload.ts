import { request as httpRequest } from 'node:http';
import { request as httpsRequest } from 'node:https';
import { text } from 'node:stream/consumers';
import { Readable } from 'node:stream';
import { ClientToken } from '../../client/connection/client-token.ts';
import { errorFromBody, readAs, reasonOf, unreachable } from '../../client/connection/connect-failure.ts';
import { endpoint } from '../../client/connection/http-exchange.ts';
import { endpointOf, httpApi, type AnswerOf, type QueryInput } from '../../core/http-api.ts';
import { recordingType } from '../../core/journal-api.ts';
import { isLoopback } from '../../core/loopback.ts';
import { isErrorBody } from '../../core/protocol/error-answer.ts';
import { ShannonDashError } from '../../core/protocol/errors.ts';
import type { Settings } from '../settings/settings.ts';

/** A server that takes nothing, or says nothing, for so long has gone. */
const silenceMs = 120_000;

/**
 * Sends recordings to a server as they are read.
 * @throws ShannonDashError the server's refusal; UNREACHABLE; UNSUPPORTED it is another kind of server. What reading them throws, or the
 * reason of the signal
 */
export async function uploadRecordings(
  { url, token, client }: Pick<Settings, 'url' | 'token' | 'client'>,
  { as, existing }: QueryInput<'import'>,
  { bytes, signal }: { bytes: AsyncIterable<Uint8Array>; signal: AbortSignal },
): Promise<AnswerOf<'import'>> {
  const place = endpoint(url, endpointOf('import').path.slice(1));
  if (as !== undefined) place.searchParams.set('as', as);
  if (existing !== undefined) place.searchParams.set('existing', existing);
  const bearer = await new ClientToken(url, token).get();
  const headers = {
    'content-type': recordingType,
    // A refusal may come before all is sent: the server must not end the connection with it.
    connection: 'keep-alive',
    ...(client === undefined ? {} : { 'x-client': client.replaceAll(/[^\x20-\x7e\xa0-\xff]/g, '?') }),
    ...(bearer === undefined ? {} : { authorization: `Bearer ${bearer}` }),
  };
  const body = Readable.from(bytes);
  const { status, answer } = await new Promise<{ status: number; answer: string }>((resolve, reject) => {
    const options = {
      method: 'POST',
      headers,
      timeout: silenceMs,
      signal,
      ...(isLoopback(place.hostname) ? { agent: false as const } : {}),
    };
    const fail = (error: unknown) => reject(signal.aborted ? (signal.reason as Error) : unreachable(url, reasonOf(error), error));
    const asked = (place.protocol === 'https:' ? httpsRequest : httpRequest)(place, options, (response) => {
      text(response)
        .then((answered) => resolve({ status: response.statusCode ?? 0, answer: answered }), fail)
        .finally(() => {
          body.destroy();
          asked.destroy();
        });
    });
    asked.on('timeout', () => asked.destroy(new Error('it says nothing any more')));
    asked.on('error', fail);
    body.on('error', (error) => {
      reject(error);
      asked.destroy();
    });
    body.pipe(asked);
  });
  return answerOf(url, status, answer);
}

function answerOf(url: string, status: number, text: string): AnswerOf<'import'> {
  let body: unknown;
  try {
    body = JSON.parse(text);
  } catch {
    throw new ShannonDashError('UNSUPPORTED', `${url} answers, but takes no recordings (status ${status})`);
  }
  if (isErrorBody(body)) throw errorFromBody(body);
  return readAs(httpApi.import.answer, body, { url, what: 'the answer to an import' });
}
