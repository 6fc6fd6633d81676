import type { AnswerOf } from '../../core/http-api.ts';
import { isErrorBody } from '../../core/protocol/error-answer.ts';
import { ShannonDashError } from '../../core/protocol/errors.ts';
import { callApi } from '../../client/sessions-api.ts';
import { errorFromBody } from '../../client/connection/connect-failure.ts';

const timeoutMs = 10_000;

/** Who looks at the page, as the server knows it. */
export type Identity = AnswerOf<'whoami'>;

/** Who looks at the page; undefined: somebody whom the server does not know. @throws ShannonDashError the server is away */
export async function askIdentity(url: string): Promise<Identity | undefined> {
  try {
    return await callApi('whoami', {}, { url, timeoutMs });
  } catch (error) {
    if (error instanceof ShannonDashError && error.code === 'UNAUTHENTICATED') return undefined;
    throw error;
  }
}

/**
 * Makes a token into a login of this browser: the token is sent once, in a header, and kept nowhere.
 * @throws ShannonDashError the token is not valid; the server is away
 */
export async function signIn(url: string, token: string): Promise<void> {
  const { login_url } = await callApi('loginCode', {}, { url, token, timeoutMs });
  const code = login_url.slice(login_url.indexOf('#') + 1);
  const answer = await fetch('/login', {
    method: 'POST',
    headers: { 'content-type': 'application/json' },
    body: JSON.stringify({ code }),
  });
  const body: unknown = await answer.json();
  if (isErrorBody(body)) throw errorFromBody(body);
}

/** Ends the login of this browser. */
export async function signOut(): Promise<void> {
  await fetch('/logout', {
    method: 'POST',
    headers: { 'content-type': 'application/x-www-form-urlencoded' },
    body: '',
    redirect: 'manual',
  });
}
