import { receivedAt, type SessionEvent } from '../../core/protocol/event.ts';
import { matchesGlob } from '../../core/event-filter.ts';
import { count, counted } from '../text/numbers.ts';
import type { SessionState } from '../../core/protocol/session-state.ts';
import { foldedLines } from './going-on.ts';
import { Lengths } from './lengths.ts';
import { logLimits, logLines, type LogLine } from './log-lines.ts';
import { PastLines } from './past-lines.ts';
import type { Tone } from '../cells.ts';

/** The number of the line that stands for events between the past and what came live. */
const holeNumber = -0.5;

/** The key of a cursor on that line. */
export const holeKey = String(holeNumber);

/**
 * The last lines of the log. Under overload the newest events of a batch become lines, and one line says how many do
 * not: a person reads a few lines a second, phrasing ten thousand would only take time from the keys.
 */
export class LogBuffer {
  /** How many events never became lines, all in all. */
  notShown = 0;
  readonly #stateOf: (sessionId: string) => SessionState | undefined;
  #kept: readonly LogLine[] = [];
  /** For each session that has lines, the first event from which on what came live is here. */
  readonly #liveFrom = new Map<string, number>();
  #lastNumber = 0;
  #waiting: SessionEvent[] = [];
  #leftOut: { events: number; session_id: string; seq: number; atMs: number } | undefined;
  #past: PastLines | undefined;
  #remembered: { filter: string; globs: readonly string[]; number: number; lines: readonly LogLine[] } | undefined;

  /** @param stateOf the states of the sessions, which know how long something took */
  constructor(stateOf: (sessionId: string) => SessionState | undefined = () => undefined) {
    this.#stateOf = stateOf;
  }

  /** Takes events in; they become lines with the next `flush`. */
  add(events: readonly SessionEvent[]): void {
    for (const event of events) this.#waiting.push(event);
    if (this.#waiting.length > logLimits.batchLines * 2) this.#leaveOut();
  }

  /** What happened in one session before its first line here, in place of any such lines before. @param covers which events were asked for */
  setPast(sessionId: string, events: readonly SessionEvent[], covers: { from: number; to: number }): void {
    // What came meanwhile may still wait for its place: it counts as here.
    this.flush();
    const to = Math.min(covers.to, (this.#firstLive(sessionId) ?? Infinity) - 1);
    const end = this.#past?.sessionId === sessionId ? this.#past.end : 0;
    this.#past = new PastLines(
      sessionId,
      events.filter(({ seq }) => seq <= to),
      { from: covers.from, to, end },
      this.#stateOf(sessionId),
    );
    this.#remembered = undefined;
  }

  /** Takes in more of that: what came before it from a seq on, or after it up to one. @returns how many lines that makes */
  addPast(sessionId: string, events: readonly SessionEvent[], to: { older: number } | { newer: number }): number {
    if (this.#past?.sessionId !== sessionId) return 0;
    this.#remembered = undefined;
    return 'older' in to ? this.#past.addOlder(events, to.older) : this.#past.addNewer(events, to.newer);
  }

  /** Whether an event of a session is in the log, as far as overload has not kept it out. */
  covers(sessionId: string, seq: number): boolean {
    if (seq >= (this.#firstLive(sessionId) ?? Infinity)) return true;
    return this.#past?.sessionId === sessionId && seq >= this.#past.from && seq <= this.#past.to;
  }

  /** The first event of a session that has a line here; undefined: none has. */
  firstSeq(sessionId: string): number | undefined {
    const live = this.#firstLive(sessionId);
    return this.#past?.sessionId === sessionId ? Math.min(this.#past.from, live ?? Infinity) : live;
  }

  /** The events of a session that are missing between others that have lines: from the one up to the other. */
  hole(sessionId: string): { from: number; to: number } | undefined {
    if (this.#past?.sessionId !== sessionId) return undefined;
    const from = this.#past.to + 1;
    const to = (this.#firstLive(sessionId) ?? this.#past.end + 1) - 1;
    return to < from ? undefined : { from, to };
  }

  /** The number of the newest line. */
  get newest(): number {
    return this.#lastNumber;
  }

  /** A line of the dashboard itself: a gap, a reconnection. */
  note(text: string, tone: Tone, atMs: number, session_id = ''): void {
    this.flush();
    this.#push([{ session_id, seq: 0, type: 'dashboard:note', atMs, group: 'dash', text, tone }]);
  }

  /** Makes lines of what came in since. */
  flush(): void {
    if (this.#waiting.length > logLimits.batchLines) this.#leaveOut();
    if (this.#leftOut !== undefined) {
      const { events, ...where } = this.#leftOut;
      const text = `${count(events)} events not shown here (too many at once); the journal has them all`;
      this.#push([{ ...where, type: 'dashboard:skipped', group: 'dash', text, tone: 'warn' }]);
      this.#leftOut = undefined;
    }
    if (this.#waiting.length === 0) return;
    this.#push(this.#waiting.flatMap((event) => logLines(event, 0, new Lengths(this.#stateOf(event.session_id)))));
    this.#waiting = [];
  }

  /** The lines that pass: of one session, by the globs, by what was typed. Oldest first. */
  lines(sessionId: string | undefined, globs: readonly string[], typed: string): readonly LogLine[] {
    if (sessionId === undefined && globs.length === 0 && typed === '') return this.#kept;
    const filter = `${sessionId ?? ''} ${typed}`;
    const known = this.#remembered;
    if (known !== undefined && known.filter === filter && known.globs === globs && known.number === this.#lastNumber) return known.lines;
    const passes = typedFilter(typed);
    const lines = this.#all(sessionId).filter(
      (line) =>
        (sessionId === undefined || line.session_id === sessionId || line.session_id === '') &&
        (line.number === holeNumber ||
          ((globs.length === 0 || line.group === 'dash' || globs.some((glob) => matchesGlob(glob, line.type))) && passes(line))),
    );
    this.#remembered = { filter, globs, number: this.#lastNumber, lines };
    return lines;
  }

  #all(sessionId: string | undefined): readonly LogLine[] {
    if (sessionId === undefined || this.#past?.sessionId !== sessionId) return this.#kept;
    const hole = this.hole(sessionId);
    const { lines } = this.#past;
    if (hole === undefined) return foldedLines([...lines, ...this.#kept]);
    const text = `${counted(hole.to - hole.from + 1, 'event')} between these lines; they come as one scrolls, G goes to the newest`;
    const atMs = lines.at(-1)?.atMs ?? 0;
    const line = {
      number: holeNumber,
      session_id: sessionId,
      seq: 0,
      type: 'dashboard:hole',
      atMs,
      group: 'dash',
      text,
      tone: 'warn',
    } as const;
    return [...lines, line, ...this.#kept];
  }

  #firstLive(sessionId: string): number | undefined {
    return this.#liveFrom.get(sessionId);
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

  #push(fresh: readonly Omit<LogLine, 'number'>[]): void {
    const numbered = fresh.map((line) => ({ ...line, number: ++this.#lastNumber }));
    for (const { session_id, seq } of numbered) if (seq > 0 && !this.#liveFrom.has(session_id)) this.#liveFrom.set(session_id, seq);
    this.#kept = foldedLines([...this.#kept, ...numbered]);
    // Cut rarely: what is asked of the first lines is asked anew then.
    if (this.#kept.length >= logLimits.lines * 1.25) this.#cut();
  }

  #cut(): void {
    let at = this.#kept.length - logLimits.lines;
    // The lines of one event go together.
    while (this.#kept[at]?.seq === this.#kept[at - 1]?.seq && at < this.#kept.length) at++;
    const gone = this.#kept.slice(0, at);
    this.#kept = this.#kept.slice(at);
    for (const { session_id, seq } of gone) if (seq > 0) this.#liveFrom.set(session_id, seq + 1);
    const here = new Set(this.#kept.map(({ session_id }) => session_id));
    for (const id of this.#liveFrom.keys()) if (!here.has(id)) this.#liveFrom.delete(id);
  }
}

/** What was typed after `/` where the journal can look for it itself, by the types alone. */
export function typedGlob(typed: string): string | undefined {
  return /^[a-z0-9_:*.-]{1,128}$/.test(typed) && typed.includes('*') ? typed : undefined;
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
