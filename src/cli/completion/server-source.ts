import { ClientToken } from '../../client/connection/client-token.ts';
import { endpoint, exchange } from '../../client/connection/http-exchange.ts';
import { parseDurationMs } from '../../core/text/parse-duration.ts';
import type { Address } from './address.ts';
import { fieldsOf, itemsOf, textOf, type Fields } from './fields.ts';
import type { Source } from './source.ts';

/** For all that one completion asks together: a person waits for it with a finger on the key. */
const usualPatienceMs = 100;
const longestPatienceMs = 60_000;
const longestAnswerChars = 8 * 1024 * 1024;

/** Asks the server. What does not come in time, or is no answer of ours, is an error. */
export class ServerSource implements Source {
  readonly #address: Address;
  readonly #signal = AbortSignal.timeout(patienceMs());

  constructor(address: Address) {
    this.#address = address;
  }

  async sessions(): Promise<readonly Fields[]> {
    const changed = (each: Fields) => textOf(each, 'updated_at') ?? '';
    return itemsOf(await this.#get('api/sessions'), 'sessions').sort((one, other) => (changed(one) < changed(other) ? 1 : -1));
  }

  state(session: string): Promise<Fields | undefined> {
    return this.#get(`api/sessions/${encodeURIComponent(session)}`);
  }

  async skills(): Promise<readonly Fields[]> {
    return itemsOf(await this.#get('api/skills'), 'skills');
  }

  /** @returns undefined where there is no such thing */
  async #get(path: string): Promise<Fields | undefined> {
    const { url } = this.#address;
    const token = await new ClientToken(url.href, this.#address.token).get();
    const { status, text, isTooLong } = await exchange(endpoint(url.href, path), {
      headers: { accept: 'application/json', ...(token === undefined ? {} : { authorization: `Bearer ${token}` }) },
      signal: this.#signal,
      maxChars: longestAnswerChars,
    });
    if (status === 404) return undefined;
    const fields = status === 200 && !isTooLong ? fieldsOf(text) : undefined;
    if (fields === undefined) throw new Error(`no answer of a server of ours (status ${status})`);
    return fields;
  }
}

/** `SHANNON_DASH_COMPLETION_TIMEOUT` is for who has a server that is far away. */
function patienceMs(): number {
  const given = parseDurationMs(process.env['SHANNON_DASH_COMPLETION_TIMEOUT'] ?? '');
  return given === undefined ? usualPatienceMs : Math.min(Math.ceil(given), longestPatienceMs);
}
