import { readFileSync } from 'node:fs';
import { Failure, usageFailure } from './failure.ts';
import type { SettingSource } from './setting-layers.ts';
import { systemReason } from './system-reason.ts';

/**
 * The token: of the file that a flag names, else of the environment, else of the file that is configured. A project's
 * file came with somebody's code: it may say where the server is, but where that is another machine the token does not
 * go along.
 * @throws Failure the file cannot be read, or the server is not to be trusted with it
 */
export function trustedToken(
  file: { value: string | undefined; source: SettingSource } | undefined,
  server: { url: string; source: SettingSource | undefined },
): string | undefined {
  const path = file?.value;
  const variable = process.env['SHANNON_DASH_TOKEN'];
  const isFromVariable = variable !== undefined && variable !== '' && file?.source !== 'flag';
  const token = isFromVariable ? variable : path === undefined ? undefined : readToken(path);
  const { hostname } = new URL(server.url);
  const isLocal = hostname === 'localhost' || hostname === '[::1]' || hostname.startsWith('127.');
  if (token === undefined || server.source !== 'project' || isLocal) return token;
  throw new Failure(
    'FORBIDDEN',
    `the project's file points to ${server.url}; a token goes to another machine only if you name it yourself`,
    {
      hints: [`if you trust it: --url ${server.url}`],
    },
  );
}

function readToken(path: string): string {
  try {
    const token = readFileSync(path, 'utf8').trim();
    if (token !== '') return token;
  } catch (cause) {
    throw new Failure('INVALID', `the token file ${path} cannot be read: ${systemReason(cause)}`, {
      hints: ['name another: --token-file FILE'],
      cause,
    });
  }
  throw usageFailure(`the token file ${path} is empty`);
}
