import { eventTypes } from '../../../core/event-filter.ts';
import { sessionId } from '../../../core/ids.ts';
import { version } from '../../../executable/own-program.ts';
import { exitCodeOfWatch } from '../../exit-codes.ts';
import { usageFailure } from '../../failure.ts';
import type { Invocation } from '../../invocation.ts';
import { chooseSession } from '../../server-access/live-sessions.ts';
import type { WatchOptions } from './definition.ts';

/** Shows a session, or all of them: as the dashboard on a terminal, as lines or JSON documents elsewhere. */
export async function watch(invocation: Invocation<WatchOptions>): Promise<number | void> {
  const { args, options, settings, output } = invocation;
  const [named] = args;
  if (named !== undefined && !sessionId.safeParse(named).success) {
    throw usageFailure(
      `"${named}" cannot be a session: 1 to 128 of A-Z a-z 0-9 . _ : -, the first one alphanumeric`,
      'see all: shannon-dash sessions',
    );
  }
  const { filter: filters = [], since, tail, at, until, exitStatus = false, failOnDecision = false, bell = false } = options;
  const fault = eventTypes.safeParse(filters).error?.issues[0];
  if (fault !== undefined) throw usageFailure(`--filter ${fault.message}`, "such as: --filter 'skill:*'");
  if (since !== undefined && tail !== undefined) throw usageFailure('--since and --tail are two beginnings; give one');
  let session = named ?? settings.session;
  const isOfOne = since !== undefined || tail !== undefined || at !== undefined || until === 'done' || until === 'failed' || exitStatus;
  if (session === undefined && isOfOne) session = await chooseSession(settings);
  if (output.isTerminal && process.stdin.isTTY && options.plain !== true && !output.isJson && process.env['TERM'] !== 'dumb') {
    const { runDashboard } = await import('../../../dashboard/run-dashboard.ts');
    const { readonly = false, ascii = false } = options;
    invocation.interruption.release();
    const { url, token, client } = settings;
    const shown = { filters, readonly, bell, ascii, noColor: !output.isColored, at, since, until, exitStatus, failOnDecision };
    const ending = await runDashboard({ url, token, session, ...shown, clientName: client, version });
    return exitCodeOfWatch(ending, { exitStatus, failOnDecision });
  }
  // The overview waits for a decision of any session; lines are those of one.
  if (session === undefined && (until !== undefined || failOnDecision)) session = await chooseSession(settings);
  const { watchPlain } = await import('./plain-watch.ts');
  const begin = at !== undefined && tail === undefined ? (since ?? 0) : since;
  return watchPlain({ session, globs: filters, since: begin, tail, at, until, exitStatus, failOnDecision, bell }, invocation);
}
