import { spawn } from 'node:child_process';
import { sessionId } from '../../../core/ids.ts';
import { parse } from '../../../core/json/parse.ts';
import type { Invocation } from '../../invocation.ts';
import { request } from '../../server-access/server-request.ts';
import type { OpenOptions } from './definition.ts';

/** Gets a link that logs a browser in, prints it, and opens it where this machine has a screen. */
export async function open({ args: [session], options, settings, output }: Invocation<OpenOptions>): Promise<void> {
  const id = session === undefined ? undefined : parse(sessionId, session, 'session');
  const { login_url, expires_at } = await request(settings, 'loginCode', {});
  const base = settings.url.endsWith('/') ? settings.url : `${settings.url}/`;
  const url = `${new URL(login_url, base).href}${id === undefined ? '' : `/${encodeURIComponent(id)}`}`;
  if (output.isJson) output.document({ url, expires_at });
  else output.line(url);
  const opener = options.print === true || output.isJson ? undefined : openerOfPlatform();
  if (opener === undefined) return;
  const [file, ...before] = opener;
  const failure = await started(file, [...before, url]);
  output.note(failure === undefined ? 'opened in your browser; the link works once, within a minute' : `no browser was opened: ${failure}`);
}

/** The program that opens a URL; undefined where there is no screen. */
function openerOfPlatform(): [string, ...string[]] | undefined {
  switch (process.platform) {
    case 'darwin':
      return ['open'];
    case 'win32':
      return ['rundll32', 'url.dll,FileProtocolHandler'];
    default:
      return process.env['DISPLAY'] || process.env['WAYLAND_DISPLAY'] ? ['xdg-open'] : undefined;
  }
}

/** Starts a program that goes on without this one; gives the reason why it could not be started. */
function started(file: string, args: readonly string[]): Promise<string | undefined> {
  const child = spawn(file, args, { stdio: 'ignore', detached: true });
  child.unref();
  return new Promise((resolve) => {
    child.once('spawn', () => resolve(undefined));
    child.once('error', ({ message }) => resolve(message));
  });
}
