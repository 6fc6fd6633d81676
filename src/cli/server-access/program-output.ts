import { receivedAt, type SessionEvent } from '../../core/protocol/event.ts';
import type { SessionState } from '../../core/protocol/session-state.ts';
import { duration } from '../../view/text/numbers.ts';
import { limits } from '../../core/protocol/limits.ts';
import type { Settings } from '../settings/settings.ts';
import { historyTail } from './history-tail.ts';
import { request } from './server-request.ts';

/** The type of the events that hold a program's output. */
export const outputType = 'process:output';

/** The type of the events that hold what a program has written to the whole screen. */
export const screenType = 'process:screen';

/** One line that a program has written. */
export interface OutputLine {
  seq: number;
  /** When the server took it. */
  timestamp: string;
  stream: 'stdout' | 'stderr';
  /** As the program wrote it, colours and all. */
  line: string;
}

/** The lines of an event; none for one that holds no output. */
export function outputLinesOf(event: SessionEvent): OutputLine[] {
  const { lines, stream } = event.data;
  if (event.type !== outputType || !Array.isArray(lines)) return [];
  return lines.map((line) => ({
    seq: event.seq,
    timestamp: receivedAt(event),
    stream: stream === 'stderr' ? 'stderr' : 'stdout',
    line: String(line),
  }));
}

/** How long after the start of its run a line was written, as `logs --at` takes it: `1m10s`. */
export function timeIntoRun({ timestamp }: OutputLine, { started_at, created_at }: SessionState): string {
  return duration(Math.max(0, Date.parse(timestamp) - Date.parse(started_at ?? created_at)));
}

/** A part of a session's history: after this event, and up to that one. */
export interface HistoryPart {
  session: string;
  after: number;
  through: number;
}

/** The lines of a part of the history, page by page. */
export async function* readOutput(settings: Settings, { session, after, through }: HistoryPart): AsyncGenerator<OutputLine[]> {
  for (let at = after; at < through;) {
    const query = { after: at, limit: Math.min(limits.historyEvents, through - at), types: outputType };
    const { events, next } = await request(settings, 'history', { path: { id: session }, query });
    yield events.filter(({ seq }) => seq <= through).flatMap(outputLinesOf);
    if (next <= at) return;
    at = next;
  }
}

/** The last lines up to an event. @param options seq: of that event */
export async function lastOutput(
  settings: Settings,
  { session, seq, count }: { session: string; seq: number; count: number },
): Promise<OutputLine[]> {
  // Each event has a line at least.
  const after = await historyTail({ settings, session, globs: [outputType], seq, count });
  let lines: OutputLine[] = [];
  for await (const page of readOutput(settings, { session, after, through: seq })) lines = [...lines, ...page].slice(-count);
  return lines;
}
