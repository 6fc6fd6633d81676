import { homedir } from 'node:os';
import { pino } from 'pino';
import { safeLine } from '../../../core/text/safe-text.ts';
import { tokenFileOf } from '../../../server/access/tokens/token-file.ts';
import { createServer, type DashServer, type ListeningPlace } from '../../../server/create-server.ts';
import { exitCodes } from '../../exit-codes.ts';
import { Failure, usageFailure } from '../../failure.ts';
import { kernelTells } from '../../../server/access/local-users.ts';
import { openJournal, sqliteFlaw } from './journal-file.ts';
import type { ServeOptions } from './definition.ts';
import { leaveOwnServerFile } from './own-server-file.ts';
import { portHolder } from './port-holder.ts';
import type { Invocation } from '../../invocation.ts';
import { createLog } from './server-log.ts';
import { systemReason } from '../../terminal/system-reason.ts';
import { accessOf, type Settings } from '../../settings/settings.ts';

/** A stop that takes longer is ended by force: by then the journal holds every acknowledged event. */
const longestStopMs = 4_500;

/** A server that runs start for themselves ends after so long without a connection; at first it waits longer for its starter. */
const unusedMs = 3_000;
const firstUseMs = 10_000;
const lookAtUseMs = 250;

/** Serves until a signal, or until the reloading parent says stop, or, with `untilUnused`, until no client is connected. */
export async function serveHere({ options, settings, output, interruption }: Invocation<Omit<ServeOptions, 'reload'>>): Promise<number> {
  const flaw = settings.journal === 'memory' ? undefined : sqliteFlaw();
  if (flaw !== undefined) output.warn(flaw);
  const signal = interruption.hold();
  const isUnseen = options.untilUnused === true;
  const journal = await openJournal({ path: settings.journal, fsync: settings.fsync, acceptLoss: isUnseen || options.acceptLoss });
  // The run that starts the server tells what the journal has lost.
  if (isUnseen) journal.onProblem((sentence) => void (process.connected && process.send?.({ problem: sentence })));
  // Fastify's own lines about listening are left out: `ready` below says it.
  const log = isUnseen ? pino({ level: 'silent' }) : await createLog(settings.logLevel === 'info' ? 'warn' : settings.logLevel);
  const server = await createServer({
    journal,
    skillFolders: settings.skills,
    lostAfterMs: settings.lostAfterMs,
    endsWhenUnused: isUnseen,
    log,
    // A journal in memory has no place beside it.
    tokenFile: settings.journal === 'memory' ? undefined : tokenFileOf(journal.location),
    openTenantJournal: (tenant) =>
      openJournal({ path: tenantJournal(settings.journal, tenant), fsync: settings.fsync, acceptLoss: options.acceptLoss }),
    ...accessOf(settings),
  });
  let removeOwnFile = () => undefined as void;
  const address = await listen(server, settings, ({ port, url }) => {
    const own = server.ownToken;
    try {
      removeOwnFile = leaveOwnServerFile(port, own && { url, pid: process.pid, token: own.text, key: own.key });
    } catch (error) {
      output.warn(`your own programs do not find the token of this server: ${systemReason(error)}`);
    }
  });
  if (!isUnseen) log.level = settings.logLevel;
  if (output.isJson) output.document({ event: 'ready', url: address.url, pid: process.pid, journal: journal.location });
  else for (const line of readyLines(address.url, journal.location, settings)) output.line(line);
  process.send?.({ port: address.port });
  await (isUnseen ? Promise.race([aborted(signal), unused(server)]) : stopAsked(signal));
  output.note('stopping ... again to force');
  const force = setTimeout(() => process.exit(exitCodes.ok), longestStopMs);
  removeOwnFile();
  await server.close();
  clearTimeout(force);
  return exitCodes.ok;
}

async function listen(server: DashServer, { host, port }: Settings, onListening: (place: ListeningPlace) => void) {
  try {
    return await server.listen({ host, port }, onListening);
  } catch (cause) {
    await server.close();
    const { code, message } = cause as NodeJS.ErrnoException;
    if (code === 'EADDRINUSE') {
      const holder = await portHolder(port);
      throw new Failure('CONFLICT', `port ${port} is in use${holder === undefined ? '' : ` by ${holder}`}`, {
        hints: ['take any free port:  shannon-dash serve --port 0', 'use that server:     shannon-dash stats'],
        exitCode: exitCodes.refused,
        cause,
      });
    }
    if (code === 'EACCES') throw usageFailure(`not allowed to listen on port ${port}`, 'take one above 1023: --port 8000');
    if (code === 'EADDRNOTAVAIL' || code === 'ENOTFOUND')
      throw usageFailure(`${host} is not an address of this machine`, 'this machine only: --host 127.0.0.1');
    throw new Failure('INTERNAL', `cannot listen on ${host}:${port}: ${message}`, {
      hints: ['take another: --host ADDRESS --port PORT'],
      cause,
    });
  }
}

function readyLines(url: string, journal: string, settings: Settings): string[] {
  const home = homedir();
  const place =
    journal === 'memory' ? 'memory: ends with this server' : journal.startsWith(`${home}/`) ? `~${journal.slice(home.length)}` : journal;
  const lines = [
    `shannon-dash at ${url}`,
    `  journal  ${place}`,
    `  tokens   ${tokensLine(settings)}`,
    `  pages    ${pagesLine(settings)}`,
    '  next     shannon-dash run -- COMMAND',
  ];
  return lines.map((line) => safeLine(line, 4_000));
}

/** Where the journal of a tenant is kept: beside the server's own. */
function tenantJournal(journal: string, tenant: string): string {
  return journal === 'memory' ? journal : `${journal}-tenant-${tenant}`;
}

/** Who needs a token. */
function tokensLine({ auth }: Settings): string {
  if (auth) return 'needed by everybody; make one: shannon-dash token create';
  const own = kernelTells() ? 'your own programs on this machine' : 'the programs of every user of this machine';
  return `needed, but not by ${own}; make one: shannon-dash token create`;
}

/** Which web pages may watch and steer: such a page may do all that the user may do. */
function pagesLine({ corsOrigins, devOrigins }: Settings): string {
  if (corsOrigins.includes('*')) return 'any page in a browser here can watch and steer';
  const origins = [...corsOrigins, ...(devOrigins ? ['localhost:3000', 'localhost:5173'] : [])];
  if (origins.length === 0) return 'none but its own may watch and steer';
  return `${origins.join(', ')} may watch and steer${devOrigins ? '; without the last two: --no-dev-origins' : ''}`;
}

/** Resolves with the first signal, or when the parent that reloads this server lets go of it, or is gone. */
function stopAsked(signal: AbortSignal): Promise<void> {
  return Promise.race([aborted(signal), new Promise<void>((resolve) => process.once('disconnect', () => resolve()))]);
}

function aborted(signal: AbortSignal): Promise<void> {
  return new Promise((resolve) => {
    if (signal.aborted) resolve();
    signal.addEventListener('abort', () => resolve(), { once: true });
  });
}

/** Resolves when no client has been connected for a while. */
async function unused(server: DashServer): Promise<void> {
  let longestMs = firstUseMs;
  while (server.unusedMs() < longestMs) {
    await new Promise((resolve) => setTimeout(resolve, lookAtUseMs));
    if (server.unusedMs() < lookAtUseMs) longestMs = unusedMs;
  }
}
