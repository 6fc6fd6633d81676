import { connectOrchestrator } from '../../../client/orchestrator/orchestrator.ts';
import type { Orchestrator } from '../../../client/orchestrator/orchestrator-contract.ts';
import { isSessionId, randomName } from '../../../core/ids.ts';
import { isEnded, initialState, type SessionState } from '../../../core/protocol/session-state.ts';
import { fold } from '../../../core/fold/fold.ts';
import { ShannonDashError } from '../../../core/protocol/errors.ts';
import { parseEventInput, receivedAt, type SessionEvent } from '../../../core/protocol/event.ts';
import { replayOf } from '../../../core/recording/replay-of.ts';
import { parseDurationMs } from '../../../core/text/parse-duration.ts';
import { safeLine } from '../../../core/text/safe-text.ts';
import { readTimestamp } from '../../../core/timestamp.ts';
import { count, counted } from '../../../view/text/numbers.ts';
import { usageFailure } from '../../failure.ts';
import type { Invocation } from '../../invocation.ts';
import { isRecording } from '../../recordings/recording-file.ts';
import { connecting } from '../../server-access/connecting.ts';
import { withReachedJournal } from '../../server-access/journal-reader.ts';
import { existingSession } from '../../server-access/live-sessions.ts';
import { request } from '../../server-access/server-request.ts';
import type { Settings } from '../../settings/settings.ts';
import { Progress } from '../../terminal/progress.ts';
import type { ReplayOptions } from './definition.ts';
import { Playback } from './playback.ts';
import { sourceOfFile, sourceOfSession, type RecordedSource } from './recorded-source.ts';
import { takeKeys } from './replay-keys.ts';

/** Events on their way to the server beyond which the replay waits for it. */
const mostPending = 1_000;
const shownMs = 200;

/** Has a recorded session happen again, as a session of its own that says of what it is a replay. */
export async function replay(invocation: Invocation<ReplayOptions>): Promise<void> {
  const { args, options, output, interruption } = invocation;
  const [what = '', named] = args;
  const { speed = 1, as } = options;
  const maxPauseMs = options.maxPause === undefined ? Infinity : parseDurationMs(options.maxPause);
  if (maxPauseMs === undefined) throw usageFailure(`--max-pause ${safeLine(options.maxPause ?? '', 40)} must be a time such as 2s`);
  if (as !== undefined && !isSessionId(as)) throw usageFailure('--as must be 1 to 128 of A-Z a-z 0-9 . _ : -, the first one alphanumeric');
  const isBefore = placeOf(options.from);
  const isFile = isRecording(what);
  if (!isFile && named !== undefined) throw usageFailure('only a file has several sessions to name one of');
  // A file that is not there, or is none, is told before a server is started.
  const ofFile = isFile ? await sourceOfFile(what, named) : undefined;
  const settings = await withReachedJournal(invocation.settings, output);
  const source = ofFile ?? (await sourceOfSession(settings, await existingSession(settings, what)));
  const { header } = source;
  const session = as ?? `replay-${randomName().slice(0, 4)}-${header.session_id}`.slice(0, 128);
  const stop = new AbortController();
  const signal = AbortSignal.any([stop.signal, interruption.hold()]);
  const playback = new Playback({ speed, maxPauseMs, signal });
  const run = await startReplay(settings, session, header);
  run.onCommand('STOP', () => stop.abort());
  run.onSuperseded(() => stop.abort());
  output.note(`replaying ${header.session_id}, ${counted(header.seq, 'event')}; look: shannon-dash watch ${session}`);
  const progress = new Progress(output, { resultsAtEnd: true });
  const played = new Played(run, source, session);
  const giveBack = takeKeys(playback, { end: () => stop.abort(), interrupt: () => process.kill(process.pid, 'SIGINT') });
  const tell = () => progress.tell(() => played.line(playback), header.seq === 0 ? 1 : played.seq / header.seq);
  const shown = setInterval(tell, shownMs);
  try {
    await played.play(playback, isBefore, signal);
  } finally {
    clearInterval(shown);
    giveBack();
    progress.end();
    await played.close();
  }
  const isWhole = played.seq === header.seq;
  if (output.isJson)
    output.document({ ok: true, session_id: session, replay_of: header.session_id, seq: played.seq, of: header.seq, whole: isWhole });
  else
    output.line(
      `${isWhole ? 'replayed' : 'stopped'} ${header.session_id} as ${session}: ${count(played.seq)} of ${counted(header.seq, 'event')}`,
    );
}

/** Whether an event comes before the place from which it is played at its pace. @throws Failure */
function placeOf(from: string | undefined): (event: SessionEvent, firstMs: number) => boolean {
  if (from === undefined) return () => false;
  if (/^\d{1,15}$/.test(from)) return ({ seq }) => seq < Number(from);
  const intoMs = parseDurationMs(from);
  if (intoMs !== undefined) return (event, firstMs) => Date.parse(receivedAt(event)) < firstMs + intoMs;
  const time = readTimestamp(from);
  if (time !== undefined) return (event) => receivedAt(event) < time;
  throw usageFailure(
    `--from ${safeLine(from, 60)} must be the seq of an event, a time, or how far into it`,
    'such as: --from 1200, --from 12m, --from 2026-01-31T08:00:00Z',
  );
}

async function startReplay(
  settings: Settings,
  session: string,
  { session_id, epoch, seq, origin }: RecordedSource['header'],
): Promise<Orchestrator> {
  const original = { session_id, epoch, seq, created_at: origin.created_at };
  const body = { session_id: session, skills: origin.skills, metadata: { ...origin.metadata, [replayOf]: original } };
  await request(settings, 'createSession', { body });
  const as = { session, client: `replay of ${session_id}`, capabilities: ['HALT', 'RESUME', 'STOP'] };
  return connecting(settings, (options) => connectOrchestrator({ ...options, ...as }));
}

/** The events that were published again, and how the session ends. */
class Played {
  readonly #run: Orchestrator;
  readonly #source: RecordedSource;
  /** The session as it was, up to the event that was played last. */
  #state: SessionState;
  #failure: unknown;

  constructor(run: Orchestrator, source: RecordedSource, session: string) {
    this.#run = run;
    this.#source = source;
    this.#state = initialState({ session_id: session, created_at: source.header.origin.created_at });
  }

  /** The place in the recording. */
  get seq(): number {
    return this.#state.seq;
  }

  line({ speed, isPaused }: Playback): string {
    const how = isPaused ? 'paused' : this.#run.isHalted ? 'halted' : `speed ${Number(speed.toPrecision(3))}`;
    return `event ${count(this.seq)} of ${count(this.#source.header.seq)}, ${how}   space pauses, + - speed, q ends`;
  }

  async play(playback: Playback, isBefore: ReturnType<typeof placeOf>, signal: AbortSignal): Promise<void> {
    let firstMs: number | undefined;
    let last: Promise<unknown> = Promise.resolve();
    for await (const event of this.#source.events) {
      const atMs = Date.parse(receivedAt(event));
      firstMs ??= atMs;
      if (!isBefore(event, firstMs)) await playback.due(atMs);
      if (this.#run.isHalted) {
        await this.#run.gate({ signal }).catch(() => undefined);
        playback.standStill();
      }
      if (signal.aborted) break;
      last = this.#emit(event);
      this.#state = fold(this.#state, event);
      if (this.#run.pending >= mostPending) await last;
      if (this.#failure !== undefined) break;
    }
    await last;
    if (this.#failure !== undefined) throw this.#failure;
  }

  /** Ends the session as what it is a replay of has ended, or says that this one did not come so far. */
  async close(): Promise<void> {
    const { session_id, seq } = this.#source.header;
    if (isEnded(this.#state.status)) return this.#run.close();
    const error =
      this.seq < seq ? `the replay ended at event ${this.seq} of ${seq} of ${session_id}` : `here the recording of ${session_id} ends`;
    return this.#run.close('failed', { error });
  }

  /** What only a server may write, and what would act on this session, stands under a name that says so. */
  #emit({ type, data }: SessionEvent): Promise<unknown> {
    return this.#run.emit(isTakenAsItIs(type, data) ? type : `replay:${type}`, data).catch((error: unknown) => {
      this.#failure ??= error;
    });
  }
}

function isTakenAsItIs(type: string, data: Record<string, unknown>): boolean {
  if (type === 'run:marked') return false;
  try {
    parseEventInput({ type, data }, 'event');
    return true;
  } catch (error) {
    if (error instanceof ShannonDashError) return false;
    throw error;
  }
}
