import { spawn } from 'node:child_process';
import { sessionId } from '../../../core/ids.ts';
import { parse } from '../../../core/json/parse.ts';
import { parseDurationMs } from '../../../core/text/parse-duration.ts';
import { linkPlace } from '../../../view/text/link-place.ts';
import { timeLeft } from '../../../view/text/numbers.ts';
import { Failure, usageFailure } from '../../failure.ts';
import type { Invocation } from '../../invocation.ts';
import { withReachedJournal } from '../../server-access/journal-reader.ts';
import { existingSession } from '../../server-access/live-sessions.ts';
import { atOneServer, request } from '../../server-access/server-request.ts';
import type { Settings } from '../../settings/settings.ts';
import type { Output } from '../../terminal/output.ts';
import type { OpenOptions } from './definition.ts';

/** Gets a link that logs a browser in and leads to the page, prints it, and opens it where this machine has a screen. */
export async function open({ args: [session], options, settings: given, output }: Invocation<OpenOptions>): Promise<void> {
  if (session !== undefined) parse(sessionId, session, 'session');
  if (options.at !== undefined && session === undefined) {
    throw new Failure('INVALID', '--at is a moment of one session: name it', { hints: ['shannon-dash open SESSION --at SEQ'] });
  }
  const settings = await atOneServer(await withReachedJournal(given, output));
  const id = session === undefined ? undefined : await existingSession(settings, session);
  if (options.share === true) return share(settings, id, options, output);
  if (options.expires !== undefined) throw usageFailure('--expires is of a link for somebody else', 'make one: --share --expires 8h');
  const { login_url, expires_at } = await request(settings, 'loginCode', {});
  const base = settings.url.endsWith('/') ? settings.url : `${settings.url}/`;
  const place = [id, options.at].filter((each) => each !== undefined);
  const url = [new URL(login_url, base).href, ...place.map(encodeURIComponent)].join('/');
  if (output.isJson) output.document({ url, expires_at });
  else output.line(url);
  const opener = options.print === true || output.isJson ? undefined : openerOfPlatform();
  if (opener === undefined) return;
  const [file, ...before] = opener;
  const failure = await started(file, [...before, url]);
  output.note(failure === undefined ? 'opened in your browser; the link works once, within a minute' : `no browser was opened: ${failure}`);
}

/** Prints a link by which somebody else watches one session. */
async function share(settings: Settings, id: string | undefined, { at, expires }: OpenOptions, output: Output): Promise<void> {
  if (id === undefined) throw usageFailure('--share is for one session: name it', 'such as: shannon-dash open SESSION --share');
  const expiresMs = expires === undefined ? undefined : parseDurationMs(expires);
  if (expires !== undefined && expiresMs === undefined) throw usageFailure(`--expires ${expires} must be a time such as 8h or 7d`);
  const { share_url, ...link } = await request(settings, 'share', { path: { id }, body: { expires_ms: expiresMs } });
  const base = settings.url.endsWith('/') ? settings.url : `${settings.url}/`;
  const url = [new URL(share_url, base).href, ...(at === undefined ? [] : [at])].join('/');
  if (output.isJson) return output.document({ url, ...link });
  output.line(url);
  output.note(`it works once, in one browser, which then watches ${id} for ${timeLeft(Date.parse(link.expires_at) - Date.now())}`);
  const place = linkPlace((await request(settings, 'health', {})).servers);
  if (place !== '') output.note(place);
  output.note(`  undo it: shannon-dash token revoke ${link.id}`);
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
