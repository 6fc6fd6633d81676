import { homedir } from 'node:os';
import { isLoopback } from '../../../core/loopback.ts';
import { safeLine } from '../../../core/text/safe-text.ts';
import { kernelTells } from '../../../server/kernel-sockets.ts';
import { nameFor } from './first-tokens.ts';
import type { Settings } from '../../settings/settings.ts';

/** What `serve` says once it listens. */
export function readyLines(url: string, journal: string, settings: Settings, traces?: string): string[] {
  const home = homedir();
  const place =
    journal === 'memory' ? 'memory: ends with this server' : journal.startsWith(`${home}/`) ? `~${journal.slice(home.length)}` : journal;
  const lines = [
    `shannon-dash at ${url}`,
    ...(isLoopback(settings.host) || settings.publicUrl !== undefined
      ? []
      : [`  others   ${urlElsewhere(url, settings.host)} from other machines`]),
    `  journal  ${place}`,
    ...(settings.publicUrl === undefined ? [] : [`  public   ${settings.publicUrl}`]),
    ...(traces === undefined ? [] : [`  traces   ${traces}`]),
    `  tokens   ${tokensLine(settings)}`,
    `  pages    ${pagesLine(settings)}`,
    '  next     shannon-dash run -- COMMAND',
  ];
  return lines.map((line) => safeLine(line, 4_000));
}

/** How other machines call a server that is called by a URL here. */
function urlElsewhere(url: string, host: string): string {
  return `http://${nameFor(host)}:${new URL(url).port || 80}`;
}

/** The same for whoever collects logs. */
export function readyFacts(settings: Settings): object {
  return { public_url: settings.publicUrl, tokens: tokensLine(settings), pages: pagesLine(settings) };
}

/** Who needs a token. */
function tokensLine({ auth, host, journal }: Settings): string {
  const own = kernelTells() ? 'your own programs on this machine' : 'the programs of every user of this machine';
  const needed = auth ? 'needed by everybody; your own programs find theirs' : `needed, but not by ${own}`;
  if (journal !== 'memory') return `${needed}; make one: shannon-dash token create`;
  return isLoopback(host) ? needed : `${needed}; with a journal in memory there are none, so nobody else gets in`;
}

/** Which web pages may watch and steer: such a page may do all that the user may do. */
function pagesLine({ corsOrigins, devOrigins }: Settings): string {
  if (corsOrigins.includes('*')) return 'any page in a browser here can watch and steer';
  const origins = [...corsOrigins, ...(devOrigins ? ['localhost:3000', 'localhost:5173'] : [])];
  if (origins.length === 0) return 'none but its own may watch and steer';
  return `${origins.join(', ')} may watch and steer${devOrigins ? '; without the last two: --no-dev-origins' : ''}`;
}
