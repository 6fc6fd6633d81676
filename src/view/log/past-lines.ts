import type { SessionEvent } from '../../core/protocol/event.ts';
import type { SessionState } from '../../core/protocol/session-state.ts';
import { foldedLines } from './going-on.ts';
import { Lengths } from './lengths.ts';
import { logLines, logLimits, type LogLine } from './log-lines.ts';

/** Below the numbers of all lines that came live, ascending with the events. */
const firstNumber = -(2 ** 40);

/** The key of a cursor on the first line there is. */
export const firstLineKey = String(firstNumber);

/** The lines of the events from one to another. Pages come and go as a whole: what a folded line counts stays true. */
interface Page {
  from: number;
  to: number;
  lines: readonly LogLine[];
}

/** How many lines a page has before they are folded, or few more: one event may have several. */
const pageLines = 250;

/** Lines of the events of one session from one seq to another: a part of its history, which moves as somebody scrolls. */
export class PastLines {
  readonly sessionId: string;
  /** The highest event that was ever covered. */
  end: number;
  readonly #state: SessionState | undefined;
  #pages: readonly Page[];
  #lines: readonly LogLine[] | undefined;

  /**
   * @param covers the events from one seq up to another, as they were asked for; the highest that was covered before
   * @param state of the session, at the end of what is covered or later
   */
  constructor(
    sessionId: string,
    events: readonly SessionEvent[],
    covers: { from: number; to: number; end: number },
    state: SessionState | undefined,
  ) {
    this.sessionId = sessionId;
    this.#state = state;
    this.end = Math.max(covers.end, covers.to);
    this.#pages = pagesOf(events, covers, state);
    this.#cut('oldest');
  }

  /** The first event that it covers. */
  get from(): number {
    return this.#pages[0]?.from ?? 1;
  }

  /** The last event that it covers: past it begins what came live, or a hole. */
  get to(): number {
    return this.#pages.at(-1)?.to ?? 0;
  }

  get lines(): readonly LogLine[] {
    return (this.#lines ??= foldedLines(this.#pages.flatMap(({ lines }) => lines)));
  }

  /** Takes in what happened from this event on up to its first; what is too much goes at its end. @returns how many lines that makes */
  addOlder(events: readonly SessionEvent[], from: number): number {
    const pages = pagesOf(events, { from, to: this.from - 1 }, this.#state);
    this.#pages = [...pages, ...this.#pages];
    this.#cut('newest');
    return linesIn(pages);
  }

  /** Takes in what happened after its last event up to this one; what is too much goes at its beginning. @returns how many lines that makes */
  addNewer(events: readonly SessionEvent[], to: number): number {
    const pages = pagesOf(events, { from: this.to + 1, to }, this.#state);
    this.#pages = [...this.#pages, ...pages];
    this.end = Math.max(this.end, to);
    this.#cut('oldest');
    return linesIn(pages);
  }

  #cut(end: 'oldest' | 'newest'): void {
    this.#lines = undefined;
    const from = end === 'oldest' ? this.#pages.toReversed() : this.#pages;
    let room: number = logLimits.lines;
    // The last page that came stays whatever its size.
    const beyond = from.findIndex(({ lines }, index) => (room -= lines.length) < 0 && index > 0);
    if (beyond === -1) return;
    this.#pages = end === 'oldest' ? this.#pages.slice(-beyond) : this.#pages.slice(0, beyond);
  }
}

function linesIn(pages: readonly Page[]): number {
  return pages.reduce((sum, { lines }) => sum + lines.length, 0);
}

/** Pages for the events from one to another, at least one. */
function pagesOf(events: readonly SessionEvent[], { from, to }: { from: number; to: number }, state: SessionState | undefined): Page[] {
  const lengths = new Lengths(state);
  const pages: Page[] = [];
  let start = from;
  let lines: LogLine[] = [];
  for (const event of events) {
    lines.push(...logLines(event, firstNumber + event.seq, lengths));
    if (lines.length < pageLines || event.seq >= to) continue;
    pages.push({ from: start, to: event.seq, lines: foldedLines(lines) });
    start = event.seq + 1;
    lines = [];
  }
  return [...pages, { from: start, to, lines: foldedLines(lines) }];
}
