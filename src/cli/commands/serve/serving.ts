import { pino } from 'pino';
import { safeLine } from '../../../core/text/safe-text.ts';
import { tokenFileOf } from '../../../server/access/tokens/token-file.ts';
import { createServer, type DashServer, type ListeningPlace } from '../../../server/create-server.ts';
import { exitCodes } from '../../exit-codes.ts';
import { Failure, usageFailure } from '../../failure.ts';
import { firstTokenLines, needsFirstTokens, writeFirstTokens } from './first-tokens.ts';
import { openJournal, sqliteFlaw } from './journal-file.ts';
import type { ServeOptions } from './definition.ts';
import { leaveOwnServerFile } from './own-server-file.ts';
import { portHolder } from './port-holder.ts';
import { readyFacts, readyLines } from './ready-lines.ts';
import type { Invocation } from '../../invocation.ts';
import { createLog } from './server-log.ts';
import type { Output } from '../../terminal/output.ts';
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
  if (isUnseen) journal.onProblem((sentence) => tellParent({ problem: sentence }));
  // Fastify's own lines about listening are left out: `ready` below says it.
  const log = isUnseen ? pino({ level: 'silent' }) : await createLog(settings.logLevel === 'info' ? 'warn' : settings.logLevel);
  // A journal in memory has no place beside it.
  const tokenFile = settings.journal === 'memory' ? undefined : tokenFileOf(journal.location);
  const isFirst = !isUnseen && needsFirstTokens({ host: settings.host, tokenFile });
  const server = await createServer({
    journal,
    skillFolders: settings.skills,
    lostAfterMs: settings.lostAfterMs,
    endsWhenUnused: isUnseen,
    log,
    tokenFile,
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
  // Only a person at a terminal is shown secrets: other output is kept, and read by others.
  const files = isFirst && tokenFile !== undefined && !isShown(output) ? writeFirstTokens(tokenFile, journal.location) : undefined;
  const facts = { url: address.url, journal: journal.location, ...(files === undefined ? {} : { token_files: files }) };
  if (output.isJson) {
    output.document({ event: 'ready', pid: process.pid, ...facts });
  } else {
    for (const line of readyLines(address.url, journal.location, settings)) output.line(line);
    for (const [name, path] of Object.entries(files ?? {})) output.line(safeLine(`  ${name.padEnd(8)} its token is in ${path}`, 4_000));
    if (isFirst && tokenFile !== undefined && files === undefined) tellFirstTokens(firstTokenLines(tokenFile, address), output);
  }
  // A collector of logs learns what a person reads on the terminal.
  const isRead = process.stderr.isTTY;
  if (!isRead) log.info({ ...facts, ...readyFacts(settings) }, 'listening');
  tellParent({ port: address.port });
  await (isUnseen ? Promise.race([aborted(signal), unused(server)]) : stopAsked(signal));
  if (isRead) output.note('stopping ... again to force');
  else log.info('stopping');
  const force = setTimeout(() => process.exit(exitCodes.ok), longestStopMs);
  removeOwnFile();
  await server.close();
  clearTimeout(force);
  return exitCodes.ok;
}

/** Whether what is printed is seen by a person, and kept nowhere. */
function isShown(output: Output): boolean {
  return output.isTerminal && !output.isJson;
}

function tellFirstTokens(lines: readonly string[], output: Output): void {
  output.line('');
  output.line('Tokens for other machines, shown this once. Paste the line of a role there:');
  for (const line of lines) output.line(line);
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

/** Where the journal of a tenant is kept: beside the server's own. */
function tenantJournal(journal: string, tenant: string): string {
  return journal === 'memory' ? journal : `${journal}-tenant-${tenant}`;
}

/** A parent that has gone is none to tell: without a callback that would end this process. */
function tellParent(message: { port: number } | { problem: string }): void {
  process.send?.(message, () => undefined);
}

/** Resolves with the first signal, or when the parent that reloads this server lets go of it, or is gone. */
function stopAsked(signal: AbortSignal): Promise<void> {
  const disconnected = new Promise<void>((resolve) => {
    // It may have happened before.
    if (process.send !== undefined && !process.connected) resolve();
    process.once('disconnect', () => resolve());
  });
  return Promise.race([aborted(signal), disconnected]);
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
