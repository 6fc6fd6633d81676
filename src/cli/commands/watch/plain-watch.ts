import { connectWatcher } from '../../../client/watcher/watcher.ts';
import type { Watcher, WatchUpdate } from '../../../client/watcher/watcher-contract.ts';
import type { Cursor, SessionEvent } from '../../../core/protocol/event.ts';
import { ShannonDashError } from '../../../core/protocol/errors.ts';
import { eventFilter, type EventFilter } from '../../../core/event-filter.ts';
import type { SessionState } from '../../../core/protocol/session-state.ts';
import { exitCodeOfWatch } from '../../exit-codes.ts';
import { connecting } from '../../server-access/connecting.ts';
import { historyTail } from '../../server-access/history-tail.ts';
import { shownDuration } from '../../settings/duration.ts';
import { request } from '../../server-access/server-request.ts';
import { eventLines } from '../../terminal/event-lines.ts';
import type { Output } from '../../terminal/output.ts';
import type { Invocation } from '../../invocation.ts';
import type { Settings } from '../../settings/settings.ts';
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
  bell: boolean;
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
  const begin = session === undefined ? undefined : await startOf(session, options, { settings, globs, isEndWanted: end.isWanted });
  const after = begin?.after;
  // With an end to look for every event must come; without one the server sorts them out.
  const eventTypes = globs.length === 0 || end.isWanted ? undefined : [...globs];
  const watcher = await connecting(settings, (connect) => connectWatcher({ ...connect, session, after, eventTypes }));
  interruption.hold().addEventListener('abort', () => void watcher.close(), { once: true });
  watcher.onUpdate(teller(output, session === undefined));
  output.note(beginning(watcher, settings.url));
  const ended = begin === undefined ? end.inState(watcher.state) : endOfHistory(begin, end);
  try {
    const ending = ended ?? (await follow(watcher, { options, output, filter, end }));
    return ending === undefined ? undefined : exitCodeOfWatch(ending, options);
  } finally {
    await watcher.close();
  }
}

async function follow(
  watcher: Watcher,
  { options, output, filter, end }: { options: WatchPlainOptions; output: Output; filter: EventFilter; end: WatchEnd },
): Promise<WatchEnding | undefined> {
  for await (const event of watcher) {
    if (filter(event.type)) await write(event, output, options);
    const ended = end.at(event);
    if (ended !== undefined) return ended;
  }
  return undefined;
}

async function write(event: SessionEvent, output: Output, { session, bell }: WatchPlainOptions): Promise<void> {
  if (output.isJson) await output.streamDocument(event);
  else for (const line of eventLines({ event, output, withSession: session === undefined })) await output.stream(line);
  if (bell && event.type === 'decision:point' && process.stderr.isTTY) process.stderr.write('\x07');
}

/** A place in the history, and the state that it has led to. */
interface Begin {
  after: Cursor | 'start';
  /** Undefined: there is no session yet, or no end to look for. */
  past: SessionState | undefined;
}

/** Where to begin; undefined: with the events that come from now on. */
async function startOf(
  session: string,
  { since, tail }: WatchPlainOptions,
  { settings, globs, isEndWanted }: { settings: Settings; globs: readonly string[]; isEndWanted: boolean },
): Promise<Begin | undefined> {
  if (since === undefined && tail === undefined) return undefined;
  // From the beginning, a session is waited for that does not exist yet.
  if (since === 0 && !isEndWanted) return { after: 'start', past: undefined };
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

function beginning({ session, cursor }: Watcher, url: string): string {
  if (session === null) return `watching all sessions at ${url}`;
  return cursor?.seq === 0 ? `waiting for ${session} at ${url}: it has no events yet` : `watching ${session} at ${url}`;
}

/** Says on stderr what happens to the connection and to the history. */
function teller(output: Output, isOfAll: boolean): (update: WatchUpdate) => void {
  let lostAt: number | undefined;
  return (update) => {
    if (update.kind === 'gap')
      output.warn(
        `events of ${update.gap.session_id} are missed: ${update.gap.reason === 'epoch' ? 'it has another history now' : `the journal begins at ${update.gap.first_available}`}`,
      );
    if (update.kind === 'deleted') output.note(`${update.session_id} was deleted`);
    if (update.kind !== 'connection') return;
    const { status, error } = update.connection;
    if (status === 'reconnecting' && lostAt === undefined) {
      lostAt = Date.now();
      output.note(`reconnecting (${error ?? 'connection lost'})`);
    }
    if (status === 'live' && lostAt !== undefined) {
      const missed = isOfAll ? '; what happened meanwhile: shannon-dash watch SESSION --since SEQ' : '';
      output.note(`connected again after ${shownDuration(Date.now() - lostAt)}${missed}`);
      lostAt = undefined;
    }
  };
}
