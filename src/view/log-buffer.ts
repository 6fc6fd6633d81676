import { receivedAt, type SessionEvent } from '../core/protocol/event.ts';
import { matchesGlob } from '../core/event-filter.ts';
import { count } from './text/numbers.ts';
import { eventPhrase } from './text/event-phrase.ts';
import type { Tone } from './cells.ts';
import { shown } from './text/shown-text.ts';

/** One line of the log. The event itself is not kept: it may be a megabyte. */
export interface LogLine {
  /** 1, 2, 3 ... as the lines came: names a line while others come and go. */
  number: number;
  session_id: string;
  seq: number;
  type: string;
  atMs: number;
  group: string;
  text: string;
  tone: Tone;
}

/** How many lines are kept, and how many events of one batch become lines before the rest is only counted. */
export const logLimits = { lines: 2_000, batchLines: 250, outputLines: 100 } as const;

/**
 * The last lines of the log. Under overload the newest events of a batch become lines, and one line says how many do
 * not: a person reads a few lines a second, phrasing ten thousand would only take time from the keys.
 */
export class LogBuffer {
  /** How many events never became lines, all in all. */
  notShown = 0;
  #kept: LogLine[] = [];
  #lastNumber = 0;
  #waiting: SessionEvent[] = [];
  #leftOut: { events: number; session_id: string; seq: number; atMs: number } | undefined;
  #before: readonly LogLine[] = [];
  #remembered: { filter: string; globs: readonly string[]; number: number; lines: readonly LogLine[] } | undefined;

  /** Takes events in; they become lines with the next `flush`. */
  add(events: readonly SessionEvent[]): void {
    for (const event of events) this.#waiting.push(event);
    if (this.#waiting.length > logLimits.batchLines * 2) this.#leaveOut();
  }

  /** What happened in one session before its first line here, in place of any such lines before. */
  setBefore(events: readonly SessionEvent[]): void {
    // What came meanwhile may still wait for its place: it counts as here.
    this.flush();
    const first =
      events[0] === undefined ? undefined : this.#kept.find((line) => line.session_id === events[0]?.session_id && line.seq > 0);
    const earlier = events.filter((event) => first === undefined || event.seq < first.seq).slice(-logLimits.lines);
    // Numbers below those of all other lines, ascending.
    const lines = earlier.flatMap((event) => logLines(event, 0)).slice(-logLimits.lines);
    this.#before = lines.map((line, index) => ({ ...line, number: index - lines.length }));
    this.#remembered = undefined;
  }

  /** The number of the newest line. */
  get newest(): number {
    return this.#lastNumber;
  }

  /** A line of the dashboard itself: a gap, a reconnection. */
  note(text: string, tone: Tone, atMs: number, session_id = ''): void {
    this.flush();
    this.#push({ session_id, seq: 0, type: 'dashboard:note', atMs, group: 'dash', text, tone });
  }

  /** Makes lines of what came in since. */
  flush(): void {
    if (this.#waiting.length > logLimits.batchLines) this.#leaveOut();
    if (this.#leftOut !== undefined) {
      const { events, ...where } = this.#leftOut;
      const text = `${count(events)} events not shown here (too many at once); the journal has them all`;
      this.#push({ ...where, type: 'dashboard:skipped', group: 'dash', text, tone: 'warn' });
      this.#leftOut = undefined;
    }
    for (const event of this.#waiting) for (const line of logLines(event, 0)) this.#push(line);
    this.#waiting = [];
  }

  /** The lines that pass: of one session, by the globs, by what was typed. Oldest first. */
  lines(sessionId: string | undefined, globs: readonly string[], typed: string): readonly LogLine[] {
    if (sessionId === undefined && globs.length === 0 && typed === '') return this.#kept;
    const filter = `${sessionId ?? ''} ${typed}`;
    const all = sessionId === undefined ? this.#kept : [...this.#before.filter((line) => line.session_id === sessionId), ...this.#kept];
    const known = this.#remembered;
    if (known !== undefined && known.filter === filter && known.globs === globs && known.number === this.#lastNumber) return known.lines;
    const passes = typedFilter(typed);
    const lines = all.filter(
      (line) =>
        (sessionId === undefined || line.session_id === sessionId || line.session_id === '') &&
        (globs.length === 0 || line.group === 'dash' || globs.some((glob) => matchesGlob(glob, line.type))) &&
        passes(line),
    );
    this.#remembered = { filter, globs, number: this.#lastNumber, lines };
    return lines;
  }

  #leaveOut(): void {
    const left = this.#waiting.splice(0, this.#waiting.length - logLimits.batchLines);
    const last = left.at(-1);
    if (last === undefined) return;
    this.notShown += left.length;
    this.#leftOut = {
      events: left.length + (this.#leftOut?.events ?? 0),
      session_id: last.session_id,
      seq: last.seq,
      atMs: Date.parse(receivedAt(last)),
    };
  }

  #push(line: Omit<LogLine, 'number'>): void {
    this.#kept.push({ ...line, number: ++this.#lastNumber });
    // Cut rarely: moving the whole list for each line would cost more than the lines.
    if (this.#kept.length >= logLimits.lines * 1.25) this.#kept = this.#kept.slice(-logLimits.lines);
  }
}

/**
 * An event as a line; the output of a program as a line for each of its own.
 * @param number of the first; the others are fractions above it
 */
export function logLines(event: SessionEvent, number: number): LogLine[] {
  const { session_id, seq, type } = event;
  const line = { number, session_id, seq, type, atMs: Date.parse(receivedAt(event)) };
  const texts = outputLines(event);
  if (texts.length === 0) return [{ ...line, ...eventPhrase(event) }];
  const group = event.data['stream'] === 'stderr' ? 'stderr' : 'stdout';
  return texts.map((text, index) => ({ ...line, number: number + index / 1_000, group, text: shown(text), tone: 'plain' }));
}

function outputLines({ type, data }: SessionEvent): string[] {
  const lines = data['lines'];
  if (type !== 'process:output' || !Array.isArray(lines)) return [];
  const texts = lines.filter((line): line is string => typeof line === 'string' && line.trim() !== '');
  if (texts.length <= logLimits.outputLines) return texts;
  return [`... ${count(texts.length - logLimits.outputLines)} more lines in the journal`, ...texts.slice(-logLimits.outputLines)];
}

/** What was typed after `/`: a glob over the type where it has a star, else a part of the line; `!` turns it round. */
export function typedFilter(typed: string): (line: Pick<LogLine, 'type' | 'text'>) => boolean {
  const inverse = typed.startsWith('!');
  const wanted = (inverse ? typed.slice(1) : typed).toLowerCase();
  if (wanted === '') return () => true;
  const found = wanted.includes('*')
    ? (line: Pick<LogLine, 'type'>) => matchesGlob(wanted, line.type)
    : (line: Pick<LogLine, 'type' | 'text'>) => line.type.includes(wanted) || line.text.toLowerCase().includes(wanted);
  return (line) => found(line) !== inverse;
}
