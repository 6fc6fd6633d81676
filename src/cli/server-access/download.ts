import { rmSync } from 'node:fs';
import { open } from 'node:fs/promises';
import { request as httpRequest, type IncomingMessage } from 'node:http';
import { request as httpsRequest } from 'node:https';
import { pipeline } from 'node:stream/promises';
import { text } from 'node:stream/consumers';
import { ClientToken } from '../../client/connection/client-token.ts';
import { errorFromBody, reasonOf, unreachable } from '../../client/connection/connect-failure.ts';
import { endpoint } from '../../client/connection/http-exchange.ts';
import { endpointOf } from '../../core/http-api.ts';
import { isLoopback } from '../../core/loopback.ts';
import { isErrorBody } from '../../core/protocol/error-answer.ts';
import { ShannonDashError } from '../../core/protocol/errors.ts';
import type { Settings } from '../settings/settings.ts';

/** A server that says nothing for so long has gone: it may take a while until a large backup begins. */
const silenceMs = 120_000;

/**
 * Writes a backup of a server's journal to a file that is not there yet, readable by its owner only.
 * @throws ShannonDashError the server's refusal; UNREACHABLE; UNSUPPORTED it is another kind of server. The system's error. Nothing is
 * left of the file
 */
export async function downloadBackup({ url, token }: Pick<Settings, 'url' | 'token'>, path: string): Promise<void> {
  const file = await open(path, 'wx', 0o600);
  try {
    const answer = await ask(url, await new ClientToken(url, token).get());
    if (answer.statusCode !== 200) throw await refusalOf(url, answer);
    await pipeline(answer, file.createWriteStream({ flush: true }));
  } catch (error) {
    await file.close().catch(() => undefined);
    rmSync(path, { force: true });
    throw error instanceof ShannonDashError || !isOfConnection(error) ? error : unreachable(url, reasonOf(error), error);
  }
}

function ask(url: string, token: string | undefined): Promise<IncomingMessage> {
  const place = endpoint(url, endpointOf('backup').path.slice(1));
  const headers = token === undefined ? {} : { authorization: `Bearer ${token}` };
  return new Promise((resolve, reject) => {
    // `false` is an agent of its own, which knows of no proxy: none could reach this machine.
    const options = { headers, timeout: silenceMs, ...(isLoopback(place.hostname) ? { agent: false as const } : {}) };
    const asked = (place.protocol === 'https:' ? httpsRequest : httpRequest)(place, options, resolve);
    asked.on('timeout', () => asked.destroy(new Error('it says nothing any more')));
    asked.on('error', reject);
    asked.end();
  });
}

async function refusalOf(url: string, answer: IncomingMessage): Promise<ShannonDashError> {
  const foreign = new ShannonDashError('UNSUPPORTED', `${url} answers, but gives no backup (status ${answer.statusCode ?? 0})`);
  try {
    const body: unknown = JSON.parse(await text(answer));
    return isErrorBody(body) ? errorFromBody(body) : foreign;
  } catch {
    return foreign;
  }
}

/** An error of the file is the caller's to tell. */
function isOfConnection(error: unknown): boolean {
  const { syscall, code } = error as NodeJS.ErrnoException;
  return syscall !== 'write' && syscall !== 'open' && code !== 'ENOSPC';
}
