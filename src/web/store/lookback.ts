import type { SessionEvent } from '../../core/protocol/event.ts';

/** Reads the events from one up to another, or those of them whose types pass the globs. */
export type ReadPart = (part: { from: number; to: number; types?: string | undefined }) => Promise<readonly SessionEvent[]>;

interface LookbackOptions<Line> {
  /** The newest event. */
  seq: number;
  /** Only these types are read; undefined: all. */
  types: string | undefined;
  linesOf: (event: SessionEvent) => readonly Line[];
  /** How many events are looked through at a time. */
  windowEvents: number;
  /** How many lines more end a look. */
  enoughLines: number;
  mostLines: number;
  read: ReadPart;
  onNews: () => void;
}

/** Lines of a session's history: the last ones, those that come live, and earlier ones as they are asked for. */
export class Lookback<Line> {
  /** Oldest first. */
  lines: readonly Line[] = [];
  /** All events from this one on have been looked through. */
  from: number;
  isReading = false;
  /** How many lines have come before the one that was the first, less those that were let go: what keeps its place by it stays there. */
  shift = 0;
  readonly #options: LookbackOptions<Line>;
  #isClosed = false;

  constructor(options: LookbackOptions<Line>) {
    this.#options = options;
    this.from = options.seq + 1;
    void this.earlier();
  }

  /** Takes events that have come live. */
  add(events: readonly SessionEvent[]): void {
    const { linesOf, mostLines } = this.#options;
    const fresh = events.flatMap(linesOf);
    if (fresh.length === 0) return;
    const whole = [...this.lines, ...fresh];
    this.lines = whole.slice(-mostLines);
    this.shift -= whole.length - this.lines.length;
  }

  /** Looks further back, until there is enough to see or the beginning is reached. */
  async earlier(): Promise<void> {
    if (this.isReading) return;
    this.isReading = true;
    const { linesOf, windowEvents, enoughLines, mostLines, read, types, onNews } = this.#options;
    const enough = Math.min(this.lines.length + enoughLines, mostLines);
    try {
      while (this.from > 1 && this.lines.length < enough && !this.#isClosed) {
        const from = Math.max(1, this.from - windowEvents);
        const events = await read({ from, to: this.from - 1, types });
        const earlier = events.flatMap(linesOf);
        this.lines = [...earlier, ...this.lines];
        this.shift += earlier.length;
        this.from = from;
        onNews();
      }
    } catch {
      // The server is away: the button that looks further is there when it is back.
    } finally {
      this.isReading = false;
      onNews();
    }
  }

  close(): void {
    this.#isClosed = true;
  }
}
