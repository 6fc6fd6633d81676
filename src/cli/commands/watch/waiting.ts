import { afterMs } from '../../../client/connection/http-exchange.ts';
import { connectWatcher } from '../../../client/watcher/watcher.ts';
import type { Watcher } from '../../../client/watcher/watcher-contract.ts';
import { isLive, type SessionState } from '../../../core/protocol/session-state.ts';
import { ranMs } from '../../../view/status-line.ts';
import { duration } from '../../../view/text/numbers.ts';
import { shown } from '../../../view/text/shown-text.ts';
import type { UntilCondition } from '../../../view/watch-end.ts';
import { exitCodes } from '../../exit-codes.ts';
import type { Invocation } from '../../invocation.ts';
import { watchNotes } from '../../server-access/watch-notes.ts';
import { connecting } from '../../server-access/connecting.ts';

export interface WaitOptions {
  /** Empty: every session, those that begin later too. */
  sessions: readonly string[];
  until: UntilCondition;
  exitStatus: boolean;
  failOnDecision: boolean;
  /** How long to wait at most, in milliseconds. */
  withinMs: number | undefined;
}

/** What was waited for, of one session. */
interface Happened {
  state: SessionState;
  what: 'decision' | 'completed' | 'failed' | 'lost';
}

/**
 * Waits until a decision is pending in one of several sessions, or one has failed or was lost, or with `done` until all of them are
 * over; says what happened in a line each.
 * @returns the exit code: 5 with `--exit-status` where one failed, 8 with `--fail-on-decision` where one asks, 3 where the time is over
 */
export async function waitForSessions(
  options: WaitOptions,
  { settings, output, interruption }: Invocation<object>,
): Promise<number | void> {
  const watcher = await connecting(settings, (connect) => connectWatcher(connect));
  watcher.onUpdate(watchNotes(output, true));
  const deadline = options.withinMs === undefined ? [] : [afterMs(options.withinMs)];
  const told = new Set<string>();
  const all: Happened[] = [];
  try {
    // Of all sessions, what was over before is no news.
    if (options.sessions.length === 0)
      for (const state of watcher.states.values()) if (!isLive(state.status)) told.add(keyOf(ended(state)));
    output.note(`waiting for ${options.sessions.length === 0 ? 'all sessions' : options.sessions.join(', ')} at ${settings.url}`);
    for await (const found of changes(watcher, AbortSignal.any([interruption.hold(), ...deadline]))) {
      const news = found.flatMap((state) => happened(state, options) ?? []).filter((each) => !told.has(keyOf(each)));
      for (const each of news) {
        told.add(keyOf(each));
        all.push(each);
        if (output.isJson) await output.streamDocument({ session_id: each.state.session_id, happened: each.what, state: each.state });
        else output.line(sentenceOf(each));
      }
      if (!isOver(watcher, options, all)) continue;
      if (all.length === 0) output.note('no session is live: there is nothing to wait for');
      return exitCodeOf(all, options);
    }
    if (options.withinMs === undefined || interruption.exitCode !== undefined) return undefined;
    output.note(`it has not come in ${duration(options.withinMs)}`);
    return exitCodes.timedOut;
  } finally {
    await watcher.close();
  }
}

/** The states that are waited for, each time that one has changed. */
async function* changes(watcher: Watcher, signal: AbortSignal): AsyncGenerator<SessionState[]> {
  let wake = () => undefined as void;
  let isChanged = true;
  const change = () => {
    isChanged = true;
    wake();
  };
  watcher.onUpdate(change);
  signal.addEventListener('abort', change, { once: true });
  for (;;) {
    if (!isChanged) await new Promise<void>((resolve) => (wake = resolve));
    if (signal.aborted) return;
    isChanged = false;
    yield [...watcher.states.values()];
  }
}

function isWaitedFor({ session_id }: SessionState, { sessions }: WaitOptions): boolean {
  return sessions.length === 0 || sessions.includes(session_id);
}

function happened(state: SessionState, options: WaitOptions): Happened | undefined {
  if (!isWaitedFor(state, options)) return undefined;
  const isAsking = state.decisions.some(({ status }) => status === 'open');
  if (isAsking && (options.until === 'decision' || options.failOnDecision)) return { state, what: 'decision' };
  return isLive(state.status) ? undefined : ended(state);
}

function ended(state: SessionState): Happened {
  const { status } = state;
  return { state, what: status === 'completed' || status === 'lost' ? status : 'failed' };
}

/** Whether there is nothing more to wait for. */
function isOver(watcher: Watcher, options: WaitOptions, all: readonly Happened[]): boolean {
  const { sessions, until, failOnDecision } = options;
  const wanted = (what: Happened['what']) => all.some((each) => each.what === what);
  if (wanted('decision') && (until === 'decision' || failOnDecision)) return true;
  if (until === 'failed' && (wanted('failed') || wanted('lost'))) return true;
  if (until === 'lost' && wanted('lost')) return true;
  const states = [...watcher.states.values()].filter((state) => isWaitedFor(state, options));
  const isEveryOver = states.every(({ status }) => !isLive(status));
  return isEveryOver && sessions.every((id) => watcher.states.has(id)) && (sessions.length > 0 || until === 'done');
}

function exitCodeOf(all: readonly Happened[], { exitStatus, failOnDecision }: WaitOptions): number {
  if (failOnDecision && all.some(({ what }) => what === 'decision')) return exitCodes.decisionPending;
  return exitStatus && all.some(({ what }) => what === 'failed' || what === 'lost') ? exitCodes.runFailed : exitCodes.ok;
}

function keyOf({ state, what }: Happened): string {
  const asked = what === 'decision' ? state.decisions.find(({ status }) => status === 'open')?.seq : state.started_at;
  return `${state.session_id} ${what} ${asked ?? ''}`;
}

function sentenceOf({ state, what }: Happened): string {
  const { session_id, error } = state;
  const after = `after ${duration(ranMs(state, Date.now()))}`;
  if (what === 'decision') {
    const asked = state.decisions.find(({ status }) => status === 'open');
    return `${session_id}  asks: ${shown(asked?.question ?? '')}  (${asked?.options.map(({ id }) => shown(id, 60)).join(' | ') ?? ''})`;
  }
  return `${session_id}  ${what} ${after}${error === null ? '' : `: ${shown(error, 300)}`}`;
}
