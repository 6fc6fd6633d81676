import { backoffMs } from '../../client/connection/backoff.ts';
import { readEnvironment } from '../../client/environment.ts';
import { callApi, type CallInput } from '../../client/sessions-api.ts';
import type { AnswerOf, EndpointName } from '../../core/http-api.ts';
import { ShannonDashError } from '../../core/protocol/errors.ts';
import { serverUrls } from '../../core/text/server-urls.ts';
import { isReloading } from '../commands/serve/reload-mark.ts';
import { noAnswer } from '../failure.ts';
import { shownDuration } from '../settings/duration.ts';
import type { Output } from '../terminal/output.ts';
import type { Settings } from '../settings/settings.ts';

/** How long a server that is being restarted may be away before a request gives up. */
export const patienceMs = 10_000;
const requestMs = 10_000;
const lookMs = 2_000;
/** No answer of the server is longer. Node can hold a text of this length. */
const longestAnswerChars = 256 * 1024 * 1024;

/**
 * Asks the server over HTTP: for commands that ask once or twice, that costs a third of a Socket.IO connection. A person
 * learns at once that no server answers; while the server is reloading, and for a script inside a run, which must not fail
 * because the server is just being restarted, it keeps trying for a while. The request is made again when its answer was lost:
 * whatever it does must happen once, by an id in its body.
 * @param options timeoutMs: how long to wait for the answer (default: the settings' timeout, or 10 s); output: is told when the server
 * was asked too much, and this waits until it may be asked again
 * @throws ShannonDashError the server's error; UNREACHABLE; TIMEOUT; UNSUPPORTED it is another kind of server
 */
export async function request<Name extends EndpointName>(
  settings: Settings,
  name: Name,
  input: CallInput<Name>,
  { timeoutMs = settings.timeoutMs ?? requestMs, output }: { timeoutMs?: number; output?: Pick<Output, 'note'> } = {},
): Promise<AnswerOf<Name>> {
  const { url, token, client } = settings;
  let giveUpAt = performance.now() + patienceOf(settings);
  for (let attempt = 1; ; attempt++) {
    let isConnected = false;
    const onConnected = () => (isConnected = true);
    const onWait = ({ message }: ShannonDashError) => output?.note(`waiting: ${message}`);
    try {
      return await callApi(name, input, { url, token, client, timeoutMs, onConnected, onWait, maxChars: longestAnswerChars });
    } catch (error) {
      if (error instanceof ShannonDashError && error.code === 'TIMEOUT') throw noAnswer(url, shownDuration(timeoutMs));
      if (!isAway(error)) throw error;
      // The answer was lost: only the same request again tells the result. A server that is reloading comes back.
      if (attempt === 1 && (isConnected || isReloading(url))) giveUpAt = Math.max(giveUpAt, performance.now() + patienceMs);
      const waitMs = backoffMs(attempt);
      if (performance.now() + waitMs > giveUpAt) throw error;
      await new Promise((resolve) => setTimeout(resolve, waitMs));
    }
  }
}

/** The settings with one server alone, for what only the server that answers knows: of several the first that is there. */
export async function atOneServer(settings: Settings): Promise<Settings> {
  const [first, ...others] = serverUrls(settings.url);
  if (others.length === 0) return settings;
  for (const url of [first, ...others]) {
    const isThere = await callApi('health', { query: {} }, { url, token: settings.token, timeoutMs: lookMs }).then(
      () => true,
      (error: unknown) => !isAway(error),
    );
    if (isThere) return { ...settings, url };
  }
  return { ...settings, url: first };
}

/** Whether the server cannot be reached, or is just stopping. */
export function isAway(error: unknown): error is ShannonDashError {
  return error instanceof ShannonDashError && (error.code === 'UNREACHABLE' || error.code === 'UNAVAILABLE');
}

/** How long to keep trying to reach the server; 0 for a person at a terminal. */
export function patienceOf({ timeoutMs }: Settings): number {
  return readEnvironment().run === undefined ? 0 : (timeoutMs ?? patienceMs);
}

/** Now by the server's clock, which its timestamps are compared with; by this machine's where the answer does not say. */
export function serverNowMs({ timestamp }: { timestamp?: string | undefined }): number {
  const serverMs = Date.parse(timestamp ?? '');
  return Number.isNaN(serverMs) ? Date.now() : serverMs;
}
