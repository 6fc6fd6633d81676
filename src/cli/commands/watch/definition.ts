import { usageFailure } from '../../failure.ts';
import { collect, option, version, wholeNumber, type Invocation, type Program } from '../../program.ts';
import { untilConditions, type UntilCondition } from './watch-end.ts';

interface WatchOptions {
  plain?: boolean;
  filter?: string[];
  since?: number;
  tail?: number;
  at?: number;
  until?: UntilCondition;
  exitStatus?: boolean;
  failOnDecision?: boolean;
  readonly?: boolean;
  bell?: boolean;
  ascii?: boolean;
}

/** `watch`: a session, or all of them, live. */
export function registerWatch(program: Program): void {
  program.add<WatchOptions>({
    usage: 'watch [session]',
    summary: 'Watch a session, or all of them, live',
    examples: ['watch', "watch run-7f3a --plain -f 'skill:*' --tail 20", 'watch run-7f3a --json --until done --exit-status'],
    options: [
      option('--plain', 'a line for each event (so it is without a terminal)'),
      option('-f, --filter <glob>', 'only events such as skill:* (repeatable)', collect),
      option('--since <seq>', 'begin after this event; 0 is the beginning', wholeNumber),
      option('--tail <count>', 'begin with the last events', wholeNumber),
      option('--at <seq>', 'as it was up to this event', wholeNumber),
      option('--until <what>', 'end when the run is done, failed, or asks: decision').choices(untilConditions),
      option('--exit-status', 'end with the run; exit 5 if it failed'),
      option('--fail-on-decision', 'exit 8 as soon as a decision is pending'),
      option('--readonly', 'on a terminal: send no commands'),
      option('--bell', 'ring when a decision is pending'),
      option('--ascii', 'on a terminal: signs of old terminals'),
    ],
    run: watch,
  });
}

async function watch(invocation: Invocation<WatchOptions>): Promise<number | void> {
  const { args, options, settings, output } = invocation;
  const { sessionId } = await import('../../../core/ids.ts');
  const [named] = args;
  if (named !== undefined && !sessionId.safeParse(named).success) {
    throw usageFailure(
      `"${named}" cannot be a session: 1 to 128 of A-Z a-z 0-9 . _ : -, the first one alphanumeric`,
      'see all: shannon-dash sessions',
    );
  }
  const { filter: filters = [], since, tail, at, until, exitStatus = false, failOnDecision = false, bell = false } = options;
  const { eventTypes } = await import('../../../core/event-filter.ts');
  const fault = eventTypes.safeParse(filters).error?.issues[0];
  if (fault !== undefined) throw usageFailure(`--filter ${fault.message}`, "such as: --filter 'skill:*'");
  if (since !== undefined && tail !== undefined) throw usageFailure('--since and --tail are two beginnings; give one');
  let session = named ?? settings.session;
  const isOfOne = since !== undefined || tail !== undefined || at !== undefined || until === 'done' || until === 'failed' || exitStatus;
  const choose = async () => (await import('../../server-access/live-sessions.ts')).chooseSession(settings);
  if (session === undefined && isOfOne) session = await choose();
  if (output.isTerminal && process.stdin.isTTY && options.plain !== true && !output.isJson && process.env['TERM'] !== 'dumb') {
    const { runDashboard } = await import('../../../dashboard/run-dashboard.ts');
    const { readonly = false, ascii = false } = options;
    invocation.interruption.release();
    const { url, token, client } = settings;
    const shown = { filters, readonly, bell, ascii, noColor: !output.isColored, at, since, until, exitStatus, failOnDecision };
    return (await runDashboard({ url, token, session, ...shown, clientName: client, version: version() })).exitCode;
  }
  // The overview waits for a decision of any session; lines are those of one.
  if (session === undefined && (until !== undefined || failOnDecision)) session = await choose();
  const { watchPlain } = await import('./watching.ts');
  const begin = at !== undefined && tail === undefined ? (since ?? 0) : since;
  return watchPlain({ session, globs: filters, since: begin, tail, at, until, exitStatus, failOnDecision, bell }, invocation);
}
