import { eventTypes } from '../../../core/event-filter.ts';
import { readEnvironment } from '../../../client/environment.ts';
import { sessionId } from '../../../core/ids.ts';
import { version } from '../../../executable/own-program.ts';
import { exitCodeOfWatch } from '../../exit-codes.ts';
import { Failure, usageFailure } from '../../failure.ts';
import type { Invocation } from '../../invocation.ts';
import { chooseSession, existingSession } from '../../server-access/live-sessions.ts';
import { withReachedJournal } from '../../server-access/journal-reader.ts';
import type { Settings } from '../../settings/settings.ts';
import { toldTypes } from '../../../view/notifications/told-events.ts';
import type { WatchOptions } from './definition.ts';
import { isRecording } from '../../recordings/recording-file.ts';
import { watchRecording } from './recorded-watch.ts';

/** Shows a session, or all of them: as the dashboard on a terminal, as lines or JSON documents elsewhere. */
export async function watch(invocation: Invocation<WatchOptions>): Promise<number | void> {
  const { args, options, output } = invocation;
  const [named, ...others] = args;
  if (named !== undefined && isRecording(named)) {
    if (others.length > 0) throw usageFailure('a recording is watched alone; name one file');
    return watchRecording(named, invocation);
  }
  for (const each of args) {
    if (sessionId.safeParse(each).success) continue;
    throw usageFailure(
      `"${each}" cannot be a session: 1 to 128 of A-Z a-z 0-9 . _ : -, the first one alphanumeric`,
      'see all: shannon-dash sessions',
    );
  }
  const { filter: filters = [], since, tail, at, until, exitStatus = false, failOnDecision = false } = options;
  const { bell = false, desktop = false, notify: notified = [...toldTypes] } = options;
  for (const [flag, globs] of Object.entries({ filter: filters, notify: notified })) {
    const fault = eventTypes.safeParse(globs).error?.issues[0];
    if (fault !== undefined) throw usageFailure(`--${flag} ${fault.message}`, `such as: --${flag} 'skill:*'`);
  }
  if (since !== undefined && tail !== undefined) throw usageFailure('--since and --tail are two beginnings; give one');
  const isOfSeveral = others.length > 0 || options.all === true;
  if (isOfSeveral && until === undefined)
    throw usageFailure('several sessions can be waited for', 'such as: shannon-dash watch --all --until decision');
  if (options.all === true && named !== undefined) throw usageFailure('--all goes without a name');
  const settings = await withReachedJournal(invocation.settings, output);
  const isEndWanted = until !== undefined || exitStatus || failOnDecision;
  // What a setting says is for answers of the server alone.
  const withinMs = isEndWanted && options.timeout !== undefined ? settings.timeoutMs : undefined;
  if (isOfSeveral && until !== undefined) {
    const { waitForSessions } = await import('./waiting.ts');
    const sessions = await Promise.all(args.map((each) => existingSession(settings, each)));
    return waitForSessions({ sessions, until, exitStatus, failOnDecision, withinMs }, { ...invocation, settings });
  }
  const tellDesktop = desktop ? (await import('../../terminal/desktop.ts')).tellDesktop : undefined;
  const notifying = { globs: notified, withBell: bell, tellDesktop };
  let session = await watchedSession(named, settings, options);
  const isOfOne = since !== undefined || tail !== undefined || at !== undefined || until === 'done' || until === 'failed' || exitStatus;
  if (session === undefined && isOfOne) session = await chooseSession(settings);
  if (output.isTerminal && process.stdin.isTTY && options.plain !== true && !output.isJson && process.env['TERM'] !== 'dumb') {
    const { runDashboard } = await import('../../../dashboard/run-dashboard.ts');
    const { readonly = false, ascii = false } = options;
    invocation.interruption.release();
    const { url, token, client, mouse } = settings;
    const shown = { filters, readonly, notifying, ascii, mouse, noColor: !output.isColored, at, since };
    const end = { until, exitStatus, failOnDecision, withinMs };
    const ending = await runDashboard({ url, token, session, ...shown, ...end, clientName: client, version });
    return exitCodeOfWatch(ending, { exitStatus, failOnDecision });
  }
  // The overview waits for a decision of any session; lines are those of one.
  if (session === undefined && (until !== undefined || failOnDecision)) session = await chooseSession(settings);
  const { watchPlain } = await import('./plain-watch.ts');
  const begin = at !== undefined && tail === undefined ? (since ?? 0) : since;
  return watchPlain(
    { session, globs: filters, since: begin, tail, at, until, exitStatus, failOnDecision, withinMs, notifying },
    { ...invocation, settings },
  );
}

/**
 * The session to watch; undefined for all.
 * @throws Failure there is none of that name, and none is to be waited for
 */
async function watchedSession(named: string | undefined, settings: Settings, { wait }: WatchOptions): Promise<string | undefined> {
  const name = named ?? settings.session;
  // A program within a run watches its own session, whose name is whole.
  if (name === undefined || wait === true || readEnvironment().session === name) return name;
  try {
    return await existingSession(settings, name);
  } catch (error) {
    // That it cannot be reached, or refuses, the watch itself says.
    if (!(error instanceof Failure)) return name;
    if (error.code !== 'NOT_FOUND') throw error;
    throw new Failure('NOT_FOUND', error.message, { hints: [...error.hints, `wait for it: shannon-dash watch ${name} --wait`] });
  }
}
