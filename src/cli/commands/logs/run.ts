import { placeBefore } from '../../../client/place-before.ts';
import { connectWatcher } from '../../../client/watcher/watcher.ts';
import { type SessionEvent } from '../../../core/protocol/event.ts';
import { isEnded, type SessionState } from '../../../core/protocol/session-state.ts';
import { safeLine } from '../../../core/text/safe-text.ts';
import { duration, timeOfDay } from '../../../view/text/numbers.ts';
import { usageFailure } from '../../failure.ts';
import type { Invocation } from '../../invocation.ts';
import { connecting } from '../../server-access/connecting.ts';
import { withReachedJournal } from '../../server-access/journal-reader.ts';
import { existingSession, lookedAtSession } from '../../server-access/live-sessions.ts';
import {
  lastOutput,
  outputLinesOf,
  outputType,
  readOutput,
  screenType,
  timeIntoRun,
  type OutputLine,
} from '../../server-access/program-output.ts';
import { request } from '../../server-access/server-request.ts';
import { watchNotes } from '../../server-access/watch-notes.ts';
import { parseDurationMs } from '../../../core/text/parse-duration.ts';
import { pointInTime } from '../../settings/point-in-time.ts';
import type { Settings } from '../../settings/settings.ts';
import type { LogsOptions } from './definition.ts';
import { playScreen } from './playing.ts';

/** As wide as `59m59s`. */
const intoRunWidth = 6;

/** Shows what the program of a session has written, and with `--follow` what it writes until it ends. */
export async function logs(invocation: Invocation<LogsOptions>): Promise<void> {
  const { args, options, output } = invocation;
  const passes = filterOf(options);
  if (options.since !== undefined && options.at !== undefined) throw usageFailure('--since and --at are two beginnings; give one');
  const sinceMs = options.since === undefined ? undefined : pointInTime(options.since);
  const atMs = options.at === undefined ? undefined : lengthOf(options.at);
  const settings = await withReachedJournal(invocation.settings, output);
  const [named] = args;
  const session = named === undefined ? await lookedAtSession(settings, { orLatest: true }) : await existingSession(settings, named);
  const state = await request(settings, 'session', { path: { id: session } });
  if (options.raw === true) return playScreen(state, { ...invocation, settings });
  output.endWithReader();
  let written = 0;
  const write = async (lines: readonly OutputLine[]) => {
    for (const line of lines) {
      if (!passes(line)) continue;
      written++;
      if (output.isJson) await output.streamDocument({ session_id: session, ...line });
      else await output.programLine(options.timestamps === true ? timesOf(line, state) : '', line.line);
    }
  };
  const after = await beginning(settings, state, { sinceMs, atMs });
  for await (const lines of pastLines(settings, { session, after, through: state.seq }, options, passes)) await write(lines);
  if (options.follow === true && !isEnded(state.status)) return follow(invocation, { settings, session, state, write });
  if (output.isJson) return;
  if (await hasScreen(settings, state)) output.note(`the program has used the whole screen; play that: shannon-dash logs ${session} --raw`);
  else if (written === 0) output.note(nothingSentence(state, options));
}

/** Whether a program has used the whole screen, as editors do: that is kept apart from its lines. */
async function hasScreen(settings: Settings, { session_id: id, seq }: SessionState): Promise<boolean> {
  const query = { after: 0, limit: 1, through: seq, types: screenType };
  return (await request(settings, 'history', { path: { id }, query })).events.length > 0;
}

/** Of many lines the last ones are read from the end; a pattern must see them all. */
async function* pastLines(
  settings: Settings,
  part: { session: string; after: number; through: number },
  { tail, grep }: LogsOptions,
  passes: (line: OutputLine) => boolean,
): AsyncGenerator<OutputLine[]> {
  const { session, after, through } = part;
  if (tail === undefined) {
    yield* readOutput(settings, part);
    return;
  }
  if (tail === 0) return;
  if (grep === undefined) {
    const lines = await lastOutput(settings, { session, seq: through, count: tail });
    yield lines.filter(({ seq }) => seq > after);
    return;
  }
  let last: OutputLine[] = [];
  for await (const lines of readOutput(settings, part)) last = [...last, ...lines.filter(passes)].slice(-tail);
  yield last;
}

async function follow(
  { output, interruption }: Invocation<LogsOptions>,
  options: {
    settings: Settings;
    session: string;
    state: SessionState & { epoch: string };
    write: (lines: readonly OutputLine[]) => Promise<void>;
  },
): Promise<void> {
  const { settings, session, state, write } = options;
  const after = { epoch: state.epoch, seq: state.seq };
  const eventTypes = [outputType, 'execution:*'];
  const watcher = await connecting(settings, (connect) => connectWatcher({ ...connect, session, after, eventTypes }));
  interruption.hold().addEventListener('abort', () => void watcher.close(), { once: true });
  watcher.onUpdate(watchNotes(output));
  try {
    for await (const event of watcher) {
      await write(outputLinesOf(event));
      if (endsRun(event)) return;
    }
  } finally {
    await watcher.close();
  }
}

function endsRun({ type }: SessionEvent): boolean {
  return type === 'execution:completed' || type === 'execution:failed' || type === 'execution:lost';
}

/** After which event to begin. */
async function beginning(
  settings: Settings,
  { session_id: session, seq, started_at, created_at }: SessionState,
  { sinceMs, atMs }: { sinceMs: number | undefined; atMs: number | undefined },
): Promise<number> {
  const ms = sinceMs ?? (atMs === undefined ? undefined : Date.parse(started_at ?? created_at) + atMs);
  if (ms === undefined) return 0;
  const eventAfter = async (after: number) =>
    (await request(settings, 'history', { path: { id: session }, query: { after, limit: 1 } })).events[0];
  return placeBefore(eventAfter, { seq, ms });
}

/** @throws Failure it is no length of time */
function lengthOf(given: string): number {
  const ms = parseDurationMs(given);
  if (ms === undefined) throw usageFailure(`--at ${given} must be a time from the start of the run`, 'such as: --at 12m, --at 1h30m');
  return ms;
}

/** @throws Failure the pattern is none */
function filterOf({ grep }: LogsOptions): (line: OutputLine) => boolean {
  if (grep === undefined) return () => true;
  let pattern: RegExp;
  try {
    pattern = new RegExp(grep, 'u');
  } catch (error) {
    throw usageFailure(`--grep is no regular expression: ${(error as Error).message}`, "such as: --grep 'error|warn'");
  }
  return ({ line }) => pattern.test(safeLine(line));
}

/** The time of day, and how far into the run. */
function timesOf(line: OutputLine, state: SessionState): string {
  return `${timeOfDay(Date.parse(line.timestamp))}  ${timeIntoRun(line, state).padStart(intoRunWidth)}  `;
}

function nothingSentence({ session_id, started_at, created_at, ended_at }: SessionState, { grep, since, at }: LogsOptions): string {
  if (grep === undefined && at !== undefined && ended_at !== null) {
    const took = duration(Date.parse(ended_at) - Date.parse(started_at ?? created_at));
    return `${session_id} has written nothing from ${at} of its run on; the run took ${took}`;
  }
  if (grep !== undefined || since !== undefined || at !== undefined) return `${session_id} has written nothing like that`;
  return `${session_id} has no lines of output; what happened: shannon-dash watch ${session_id} --plain --since 0`;
}
