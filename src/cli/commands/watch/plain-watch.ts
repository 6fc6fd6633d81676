import { afterMs } from '../../../client/connection/http-exchange.ts';
import { connectWatcher } from '../../../client/watcher/watcher.ts';
import type { Watcher } from '../../../client/watcher/watcher-contract.ts';
import type { Cursor, SessionEvent } from '../../../core/protocol/event.ts';
import { ShannonDashError } from '../../../core/protocol/errors.ts';
import { eventFilter, type EventFilter } from '../../../core/event-filter.ts';
import { isEnded, type SessionState } from '../../../core/protocol/session-state.ts';
import { exitCodeOfWatch } from '../../exit-codes.ts';
import { connecting } from '../../server-access/connecting.ts';
import { watchNotes } from '../../server-access/watch-notes.ts';
import { historyTail } from '../../server-access/history-tail.ts';
import { request } from '../../server-access/server-request.ts';
import { eventLines } from '../../terminal/event-lines.ts';
import type { Output } from '../../terminal/output.ts';
import type { Invocation } from '../../invocation.ts';
import type { Settings } from '../../settings/settings.ts';
import type { Notifying } from '../../../view/notifications/notification.ts';
import { PlainNotifications } from './plain-notifications.ts';
import { openDecisions } from '../../../view/decision-prompt.ts';
import { duration, timeOfDay } from '../../../view/text/numbers.ts';
import { safeLine } from '../../../core/text/safe-text.ts';
import { WatchEnd, type EndOptions, type WatchEnding } from '../../../view/watch-end.ts';

/** The options of the plain and the JSON form of `watch`. */
export interface WatchPlainOptions extends EndOptions {
  /** Undefined: every session. */
  session: string | undefined;
  globs: readonly string[];
  /** Begins after this event. */
  since: number | undefined;
  /** Begins with the last so many events. */
  tail: number | undefined;
  /** How long to wait for an end at most, in milliseconds. */
  withinMs: number | undefined;
  notifying: Notifying;
}

/** Appends a line (or a JSON document) for each event until the end that was asked for, or until a signal. */
export async function watchPlain(
  options: WatchPlainOptions,
  { settings, output, interruption }: Invocation<object>,
): Promise<number | void> {
  const { session, globs } = options;
  const filter = eventFilter(globs);
  output.endWithReader();
  const end = new WatchEnd(options);
  const notifications = new PlainNotifications(options.notifying, output);
  const begin = session === undefined ? undefined : await startOf(session, options, { settings, globs });
  const after = begin?.after;
  // With an end to look for every event must come; without one the server sorts them out.
  const eventTypes = globs.length === 0 || end.isWanted ? undefined : [...globs];
  const watcher = await connecting(settings, (connect) => connectWatcher({ ...connect, session, after, eventTypes }));
  interruption.hold().addEventListener('abort', () => void watcher.close(), { once: true });
  watcher.onUpdate(watchNotes(output, session === undefined));
  notifications.follow(watcher, begin?.past?.seq ?? 0);
  output.note(beginning(watcher, settings.url, begin?.past));
  if (begin === undefined && watcher.state !== undefined) await tellState(watcher.state, output, end.isWanted);
  const waitsFrom = end.isWanted ? undefined : lastOfEnded(begin, eventTypes);
  if (waitsFrom === 'now') tellEnded(session ?? '', output);
  const ended = begin === undefined ? end.inState(watcher.state) : endOfHistory(begin, end);
  const deadline = options.withinMs === undefined ? undefined : afterMs(options.withinMs);
  deadline?.addEventListener('abort', () => void watcher.close(), { once: true });
  try {
    const ending = ended ?? (await follow(watcher, { options, output, filter, end, waitsFrom }));
    if (ending !== undefined) return exitCodeOfWatch(ending, options);
    if (deadline?.aborted !== true) return undefined;
    output.note(`it has not come in ${duration(options.withinMs ?? 0)}: the session is ${watcher.state?.status ?? 'not there'}`);
    return exitCodeOfWatch('timed-out', options);
  } finally {
    await notifications.close();
    await watcher.close();
  }
}

interface FollowParts {
  options: WatchPlainOptions;
  output: Output;
  filter: EventFilter;
  end: WatchEnd;
  /** The event after which nothing comes until the next run. */
  waitsFrom: number | 'now' | undefined;
}

async function follow(watcher: Watcher, { options, output, filter, end, waitsFrom }: FollowParts): Promise<WatchEnding | undefined> {
  for await (const event of watcher) {
    if (filter(event.type)) await write(event, output, options);
    if (event.seq === waitsFrom) tellEnded(event.session_id, output);
    const ended = end.at(event);
    if (ended !== undefined) return ended;
  }
  return undefined;
}

async function write(event: SessionEvent, output: Output, { session }: WatchPlainOptions): Promise<void> {
  if (output.isJson) await output.streamDocument(event);
  else for (const line of eventLines({ event, output, withSession: session === undefined })) await output.stream(line);
}

/** A place in the history, and the state that it has led to. */
interface Begin {
  after: Cursor | 'start';
  /** Undefined: there is no session yet. */
  past: SessionState | undefined;
}

/** Where to begin; undefined: with the events that come from now on. */
async function startOf(
  session: string,
  { since, tail }: WatchPlainOptions,
  { settings, globs }: { settings: Settings; globs: readonly string[] },
): Promise<Begin | undefined> {
  if (since === undefined && tail === undefined) return undefined;
  // From the beginning, a session is waited for that does not exist yet.
  const asked = request(settings, 'session', { path: { id: session } });
  const past = since === 0 ? await asked.catch(absent) : await asked;
  if (since === 0 || past === undefined) return { after: 'start', past };
  const { epoch, seq } = past;
  if (since !== undefined) return { after: { epoch, seq: since }, past };
  if (tail === 0) return { after: { epoch, seq }, past };
  return { after: { epoch, seq: await historyTail({ settings, session, globs, seq, count: tail ?? 0 }) }, past };
}

function endOfHistory({ after, past }: Begin, end: WatchEnd): WatchEnding | undefined {
  return past === undefined ? undefined : end.afterHistory(past, after === 'start' ? 0 : after.seq);
}

function absent(error: unknown): undefined {
  if (!(error instanceof ShannonDashError) || error.code !== 'NOT_FOUND') throw error;
}

function beginning({ session, cursor }: Watcher, url: string, past: SessionState | undefined): string {
  if (session === null) return `watching all sessions at ${url}`;
  return cursor?.seq === 0 && past === undefined
    ? `waiting for ${session} at ${url}: it has no events yet`
    : `watching ${session} at ${url}`;
}

/** The last event of a session that has ended; `now` where it does not come; undefined of one that goes on. */
function lastOfEnded(begin: Begin | undefined, eventTypes: readonly string[] | undefined): number | 'now' | undefined {
  if (begin?.past === undefined || !isEnded(begin.past.status)) return undefined;
  const { after, past } = begin;
  return eventTypes === undefined && (after === 'start' || after.seq < past.seq) ? past.seq : 'now';
}

/** Whoever waits is told for what. */
function tellEnded(session: string, output: Output): void {
  output.note(`it has ended; this waits for its next run (what it did: shannon-dash sessions show ${session})`);
}

/** How the session stands, before what comes. @param ends whether the watch ends by itself */
async function tellState(state: SessionState, output: Output, ends: boolean): Promise<void> {
  if (output.isJson) return output.streamDocument({ type: 'session:state', session_id: state.session_id, seq: state.seq, state });
  const at = timeOfDay(Date.parse(state.updated_at));
  const progress = state.progress === null ? '' : ` ${Math.round(state.progress)}%`;
  const why = state.status === 'failed' ? state.error : null;
  const told = [why, state.task].filter((each) => each !== null).map((each) => safeLine(each, 300));
  await output.stream(`${at}  state   ${state.status}${progress}${told.length === 0 ? '' : `: ${told.join('  ')}`}`);
  if (isEnded(state.status) && !ends) tellEnded(state.session_id, output);
  for (const { question, options, decision_id } of openDecisions(state)) {
    const choices = options.map(({ id }) => safeLine(id, 60)).join(' | ');
    await output.stream(
      `${at}  state   ${output.paint('warn', `asks: ${safeLine(question, 500)}`)}  (${choices})  ${safeLine(decision_id, 128)}`,
    );
  }
}
