import type { Connection } from '../../client/connection/connection.ts';
import type { SessionEvent } from '../../core/protocol/event.ts';
import { reasonOf } from '../../feed/command-desk.ts';
import type { Feed } from '../../feed/feed.ts';
import { readEvents } from '../../feed/history-pages.ts';
import { Scrubber } from '../../feed/scrubber.ts';
import type { Tone } from '../../view/cells.ts';
import { EventLines } from './event-lines.ts';
import { EventSearch } from './event-search.ts';
import type { Lookback, ReadPart } from './lookback.ts';
import { outputLines, type OutputLine } from './output-lines.ts';

/** What the page holds of the session that it shows, beside its state: its history, its output, a search, a moment of the past. */
export class SessionWork {
  readonly session: string;
  readonly events: EventLines;
  readonly scrubber: Scrubber;
  search: EventSearch | undefined;
  output: Lookback<OutputLine> | undefined;
  readonly #connection: Connection;
  readonly #read: ReadPart;
  readonly #onNews: () => void;
  #seq = 0;

  constructor(connection: Connection, session: string, onNews: () => void, say: (text: string, tone: Tone) => void) {
    this.session = session;
    this.#connection = connection;
    this.#onNews = onNews;
    this.#read = (part) => readEvents(connection, session, part);
    this.events = new EventLines((after, limit) => this.#read({ from: after + 1, to: after + limit }), onNews);
    this.scrubber = new Scrubber(
      connection,
      (error) => {
        if (error !== undefined) say(`history: ${reasonOf(error)}`, 'bad');
        onNews();
      },
      { keepsLog: false },
    );
  }

  /** Takes events that have come live. */
  add(events: readonly SessionEvent[]): void {
    // What is opened now looks back from here, and hears of what comes after it.
    this.#seq = Math.max(this.#seq, events.at(-1)?.seq ?? 0);
    this.events.add(events);
    this.search?.add(events);
    this.output?.add(events);
  }

  /** Looks whether the session has begun anew: then nothing of what was here is of it. */
  see(feed: Feed | undefined): void {
    const seq = feed?.state(this.session)?.seq ?? 0;
    if (seq < this.#seq) {
      this.events.clear();
      this.close();
      this.search = undefined;
      this.output = undefined;
    }
    this.#seq = seq;
    if (this.#connection.state.status === 'live') this.events.wantAgain();
  }

  /** Nobody looks any more: nothing further is read. */
  close(): void {
    this.search?.close();
    this.output?.close();
  }

  /** Shows the session as it was after this event; undefined: as it is now. */
  at(seq: number | undefined): void {
    if (seq === undefined) this.scrubber.leave();
    else if (this.scrubber.view?.seq !== seq) this.scrubber.go(this.session, seq);
  }

  /** Looks for events that pass a filter; an empty one shows all again. */
  find(typed: string): void {
    if (this.search?.typed === typed) return;
    this.search?.close();
    this.search = typed === '' ? undefined : new EventSearch(typed, this.#seq, this.#read, this.#onNews);
    this.#onNews();
  }

  /** The first event of a time, in milliseconds since 1970, or after it; undefined: there is none. */
  async firstSince(ms: number): Promise<number | undefined> {
    const query = { since: new Date(ms).toISOString(), limit: 1 };
    const { events } = await this.#connection.read('history', { path: { id: this.session }, query });
    return events[0]?.seq;
  }

  /** Has the output of the program brought. */
  openOutput(): void {
    this.output ??= outputLines(this.#seq, this.#read, this.#onNews);
  }
}
