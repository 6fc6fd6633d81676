import { pino } from 'pino';
import { callApi } from '../../../client/sessions-api.ts';
import { safeLine } from '../../../core/text/safe-text.ts';
import { tokenFileOf } from '../../../server/access/tokens/token-file.ts';
import { createServer, type DashServer, type ListeningPlace, type TraceExportOptions } from '../../../server/create-server.ts';
import { progressFileOf } from '../../../server/notifications/progress-file.ts';
import { exitCodes } from '../../exit-codes.ts';
import { Failure, usageFailure } from '../../failure.ts';
import { firstTokenLines, keptFirstTokens, needsFirstTokens, writeFirstTokens } from './first-tokens.ts';
import { filesOfJournal, openJournal, sqliteFlaw, type JournalSetting } from './journal-file.ts';
import type { Journal } from '../../../journal/journal.ts';
import { journalOfTenant, pathBesideJournal, placeOfJournal } from '../../../journal/journal-location.ts';
import type { StartMessage } from '../../server-access/local-server.ts';
import { holderOfJournal, takeOverJournal } from './take-over.ts';
import type { ServeOptions } from './definition.ts';
import { leaveOwnServerFile } from './own-server-file.ts';
import { portHolder } from './port-holder.ts';
import { readyFacts, readyLines } from './ready-lines.ts';
import type { Invocation } from '../../invocation.ts';
import { userFolders } from '../../settings/user-folders.ts';
import { notifyFile } from '../../settings/notify-file.ts';
import { createLog } from './server-log.ts';
import { traceExportOf } from './trace-settings.ts';
import type { Output } from '../../terminal/output.ts';
import { systemReason } from '../../terminal/system-reason.ts';
import { accessOf, type Settings } from '../../settings/settings.ts';

/** A stop that takes longer is ended by force: by then the journal holds every acknowledged event. */
const longestStopMs = 4_500;

/** A server that runs start for themselves ends after so long without a connection; at first it waits longer for its starter. */
const unusedMs = 3_000;
const firstUseMs = 10_000;
const lookAtUseMs = 250;

/** How long whoever has the port may take to say what it is. */
const answerMs = 1_000;

/** Serves until a signal, or until the reloading parent says stop, or, with `untilUnused`, until no client is connected. */
export async function serveHere({ options, settings, output, interruption }: Invocation<Omit<ServeOptions, 'reload'>>): Promise<number> {
  const flaw = placeOfJournal(settings.journal).kind === 'file' ? sqliteFlaw() : undefined;
  if (flaw !== undefined) output.warn(flaw);
  const signal = interruption.hold();
  const isUnseen = options.untilUnused === true;
  const traceExport = traceExportFor(settings, output);
  const place = { path: settings.journal, fsync: settings.fsync, acceptLoss: isUnseen || options.acceptLoss };
  const { journal, opened } = isUnseen ? await openForOthers(place) : await takeOverJournal(place, settings, output);
  // The run that starts the server tells what the journal has lost.
  if (isUnseen) journal.onProblem((sentence) => tellParent({ problem: sentence }));
  // Fastify's own lines about listening are left out: `ready` below says it.
  const log = isUnseen ? pino({ level: 'silent' }) : await createLog(settings.logLevel === 'info' ? 'warn' : settings.logLevel);
  // A journal in memory has no place beside it.
  const beside = pathBesideJournal(journal.location, userFolders().state);
  const tokenFile = beside === undefined ? undefined : tokenFileOf(beside);
  const isFirst = !isUnseen && needsFirstTokens({ host: settings.host, tokenFile });
  let ownUrl = '';
  const server = await createServer({
    journal,
    openCheckpoints: async ({ cwd, sessionId }) => {
      const { openHeldAgentCheckpoints } = await import('../../../run/checkpoints/held-agent-checkpoints.ts');
      const leftOut = filesOfJournal(settings.journal);
      return openHeldAgentCheckpoints({ cwd, sessionId, stateFolder: userFolders().state, url: ownUrl, leftOut });
    },
    skillFolders: settings.skills,
    lostAfterMs: settings.lostAfterMs,
    retention: settings.retention,
    traceExport,
    endsWhenUnused: isUnseen,
    log,
    tokenFile,
    // A journal in memory begins anew with each server.
    notifications: { file: notifyFile(), progressFile: beside === undefined ? undefined : progressFileOf(beside) },
    openTenantJournal: (tenant) =>
      openJournal({ path: journalOfTenant(settings.journal, tenant), fsync: settings.fsync, acceptLoss: options.acceptLoss }),
    ...accessOf(settings),
  });
  let removeOwnFile = () => undefined as void;
  const address = await listen(server, settings, ({ port, url }) => {
    ownUrl = url;
    const own = server.ownToken;
    try {
      removeOwnFile = leaveOwnServerFile(port, own && { url, pid: process.pid, token: own.text, key: own.key });
    } catch (error) {
      output.warn(`your own programs do not find the token of this server: ${systemReason(error)}`);
    }
  });
  opened();
  if (!isUnseen) log.level = settings.logLevel;
  // Only a person at a terminal is shown secrets: other output is kept, and read by others.
  const areWritten = isFirst && !isShown(output);
  const filesOf = areWritten ? writeFirstTokens : keptFirstTokens;
  const files = isUnseen || tokenFile === undefined || beside === undefined ? {} : filesOf(tokenFile, beside);
  const facts = { url: address.url, journal: journal.location, ...(Object.keys(files).length === 0 ? {} : { token_files: files }) };
  if (output.isJson) {
    output.document({ event: 'ready', pid: process.pid, ...facts });
  } else {
    for (const line of readyLines(address.url, journal.location, settings, traceExport?.url)) output.line(line);
    for (const [name, path] of Object.entries(files)) output.line(safeLine(`  ${name.padEnd(8)} its token is in ${path}`, 4_000));
    if (isFirst && tokenFile !== undefined && isShown(output)) tellFirstTokens(firstTokenLines(tokenFile, address), output);
  }
  // A collector of logs learns what a person reads on the terminal.
  const isRead = process.stderr.isTTY;
  if (!isRead) log.info({ ...facts, ...readyFacts(settings) }, 'listening');
  tellParent({ port: address.port });
  await (isUnseen ? Promise.race([aborted(signal), unused(server)]) : stopAsked(signal));
  if (isRead) output.note('stopping ... again to force');
  else log.info('stopping');
  const force = setTimeout(() => {
    log.warn('the stop took too long and is ended by force');
    process.exit(exitCodes.ok);
  }, longestStopMs);
  removeOwnFile();
  await server.close();
  clearTimeout(force);
  return exitCodes.ok;
}

/** Variables that are meant for other programs too do not keep the server from starting. */
function traceExportFor({ otlp, port }: Settings, output: Output): TraceExportOptions | undefined {
  try {
    return traceExportOf(otlp, process.env, port);
  } catch (error) {
    if (otlp !== undefined) throw error;
    output.warn(`sessions are not sent as traces: ${(error as Error).message}`);
    return undefined;
  }
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

/** Opens the journal for whoever has started this server, and says who has it. */
async function openForOthers(place: JournalSetting): Promise<{ journal: Journal; opened: () => void }> {
  try {
    return { journal: await openJournal(place), opened: () => undefined };
  } catch (failure) {
    const holder = holderOfJournal(failure)?.url;
    if (holder !== undefined) tellParent({ holder });
    throw failure;
  }
}

async function listen(server: DashServer, { host, port, token }: Settings, onListening: (place: ListeningPlace) => void) {
  try {
    return await server.listen({ host, port }, onListening);
  } catch (cause) {
    await server.close();
    const { code, message } = cause as NodeJS.ErrnoException;
    if (code === 'EADDRINUSE') {
      const holder = await portHolder(port);
      const stats = await callApi('stats', {}, { url: `http://127.0.0.1:${port}`, token, timeoutMs: answerMs }).catch(() => undefined);
      const endsByItself =
        stats?.ends_when_unused === true
          ? ['run or watch has started that server: it ends 3 seconds after its last user; try again then']
          : [];
      throw new Failure('CONFLICT', `port ${port} is in use${holder === undefined ? '' : ` by ${holder}`}`, {
        hints: [...endsByItself, 'take any free port:  shannon-dash serve --port 0', 'use that server:     shannon-dash stats'],
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

/** A parent that has gone is none to tell: without a callback that would end this process. */
function tellParent(message: StartMessage): void {
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
