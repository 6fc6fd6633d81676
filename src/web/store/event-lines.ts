import { receivedAt, type SessionEvent } from '../../core/protocol/event.ts';
import type { Tone } from '../../view/cells.ts';
import { eventPhrase } from '../../view/text/event-phrase.ts';

/** An event as a line of the page. The event itself is not kept: it may be a megabyte. */
export interface EventLine {
  seq: number;
  type: string;
  atMs: number;
  group: string;
  text: string;
  tone: Tone;
}

/** The line of an event. */
export function eventLine(event: SessionEvent): EventLine {
  return { seq: event.seq, type: event.type, atMs: Date.parse(receivedAt(event)), ...eventPhrase(event) };
}

/** How many events a page of the history has, and how many pages are kept. */
const pageEvents = 200;
const mostPages = 60;

/** Reads events of the history: after this one, at most so many. */
export type ReadHistory = (after: number, limit: number) => Promise<readonly SessionEvent[]>;

interface Page {
  lines: (EventLine | undefined)[];
  /** Whether the journal was asked for it. What it did not have then, it has no more. */
  isRead: boolean;
}

/**
 * The lines of a session's whole history by their places in it: what is looked at comes page by page, and what was not looked at for
 * longest goes again. So a history of a million events takes no more room than one of thousands.
 */
export class EventLines {
  readonly #read: ReadHistory;
  readonly #onNews: () => void;
  /** By their number, those used last at the end. */
  #pages = new Map<number, Page>();
  #wanted: readonly number[] = [];
  /** What is looked at. */
  #sight = { from: 0, to: 0 };
  #isReading = false;

  constructor(read: ReadHistory, onNews: () => void) {
    this.#read = read;
    this.#onNews = onNews;
  }

  /** Takes events that have come live. */
  add(events: readonly SessionEvent[]): void {
    for (const event of events) this.#pageOf(event.seq).lines[(event.seq - 1) % pageEvents] = eventLine(event);
    this.#letGo();
  }

  /** Undefined: it has not come yet. Null: it is not kept any more. */
  line(seq: number): EventLine | null | undefined {
    const page = this.#pages.get(numberOf(seq));
    const line = page?.lines[(seq - 1) % pageEvents];
    return line ?? (page?.isRead === true ? null : undefined);
  }

  /** Has the events from one to another brought, as far as they are not here. Of what is asked for meanwhile, only the last is done. */
  want(from: number, to: number): void {
    this.#sight = { from, to };
    const numbers: number[] = [];
    for (let number = numberOf(Math.max(1, from)); number <= numberOf(to); number++) {
      if (isWhole(this.#pages.get(number), number, to)) this.#use(number);
      else numbers.push(number);
    }
    this.#wanted = numbers;
    if (!this.#isReading && numbers.length > 0) void this.#readWanted();
  }

  /** Has what is looked at brought, where the server could not give it before. */
  wantAgain(): void {
    if (!this.#isReading && this.#sight.to > 0) this.want(this.#sight.from, this.#sight.to);
  }

  /** Forgets everything: it is another history now. */
  clear(): void {
    this.#pages = new Map();
    this.#wanted = [];
    this.#sight = { from: 0, to: 0 };
  }

  async #readWanted(): Promise<void> {
    this.#isReading = true;
    try {
      for (let number; (number = this.#wanted[0]) !== undefined;) {
        this.#wanted = this.#wanted.slice(1);
        const pages = this.#pages;
        const events = await this.#read(number * pageEvents, pageEvents);
        // It may be another history now.
        if (pages !== this.#pages) continue;
        const last = (number + 1) * pageEvents;
        this.add(events.filter(({ seq }) => seq <= last));
        this.#pageOf(number * pageEvents + 1).isRead = true;
        this.#onNews();
      }
    } catch {
      // The server is away. What is still looked at is asked for again once it is back.
      this.#wanted = [];
    } finally {
      this.#isReading = false;
    }
  }

  #pageOf(seq: number): Page {
    const number = numberOf(seq);
    const known = this.#pages.get(number);
    if (known !== undefined) return known;
    const page: Page = { lines: [], isRead: false };
    this.#pages.set(number, page);
    return page;
  }

  #use(number: number): void {
    const page = this.#pages.get(number);
    if (page === undefined) return;
    this.#pages.delete(number);
    this.#pages.set(number, page);
  }

  #letGo(): void {
    for (const number of this.#pages.keys()) {
      if (this.#pages.size <= mostPages) return;
      this.#pages.delete(number);
    }
  }
}

function numberOf(seq: number): number {
  return Math.floor((seq - 1) / pageEvents);
}

/** Whether all lines of a page up to an event are here, or are not to be had. */
function isWhole(page: Page | undefined, number: number, to: number): boolean {
  if (page === undefined || page.isRead) return page !== undefined;
  const count = Math.min(pageEvents, to - number * pageEvents);
  for (let at = 0; at < count; at++) if (page.lines[at] === undefined) return false;
  return true;
}
