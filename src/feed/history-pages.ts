import type { Connection } from '../client/connection/connection.ts';
import type { SessionEvent } from '../core/protocol/event.ts';
import { limits } from '../core/protocol/limits.ts';
import type { LogBuffer } from '../view/log/log-buffer.ts';

/** How many events come at once as somebody scrolls. */
const pageEvents = 500;
/** Where most of a page folds into few lines, further ones come until there are so many lines, or so many pages. */
const [enoughLines, mostPages] = [100, 10];
/** How many events come before and after one that is gone to. */
const aroundEvents = 250;

/** A page of the history: its beginning, what came before the first line of the log, or a part of the hole in the log, from above or below. */
export type HistoryPage = 'first' | 'older' | 'hole-above' | 'hole-below';

/** What is read from: the server, as far as history goes. */
export type HistoryServer = Pick<Connection, 'read'>;

/**
 * Reads the events from one up to another, or those of them whose types pass the globs. An answer that would be too large ends early:
 * the rest is asked for then.
 */
export async function readEvents(
  server: HistoryServer,
  sessionId: string,
  { from, to, types }: { from: number; to: number; types?: string | undefined },
): Promise<SessionEvent[]> {
  const found: SessionEvent[] = [];
  for (let after = from - 1; after < to;) {
    const query = { after, limit: Math.min(limits.historyEvents, to - after), through: to, ...(types === undefined ? {} : { types }) };
    const { events, next } = await server.read('history', { path: { id: sessionId }, query });
    for (const event of events) found.push(event);
    if (next <= after) break;
    after = next;
  }
  return found;
}

/** Brings pages of a session's history into a log as somebody scrolls. */
export class HistoryPages {
  readonly #server: HistoryServer;
  readonly #log: LogBuffer;
  readonly #onNews: () => void;
  #isPaging = false;
  #wanted: { sessionId: string; page: HistoryPage } | undefined;

  /** @param onNews called after each page that has come */
  constructor(server: HistoryServer, log: LogBuffer, onNews: () => void) {
    this.#server = server;
    this.#log = log;
    this.#onNews = onNews;
  }

  /** Brings a page into the log. Of what is asked for while one is on its way, only the last is done. */
  async load(sessionId: string, page: HistoryPage): Promise<void> {
    this.#wanted = { sessionId, page };
    if (this.#isPaging) return;
    this.#isPaging = true;
    try {
      for (let wanted; (wanted = this.#wanted) !== undefined;) {
        this.#wanted = undefined;
        await this.#load(wanted.sessionId, wanted.page);
      }
    } finally {
      this.#isPaging = false;
    }
  }

  /** Puts the events from one up to another into the log, in place of what it had of the past. */
  async show(sessionId: string, from: number, to: number): Promise<void> {
    const events = await readEvents(this.#server, sessionId, { from, to });
    this.#log.setPast(sessionId, events, { from, to });
    this.#onNews();
  }

  /** Brings what came before, where what is here folds into few lines. */
  async fill(sessionId: string): Promise<void> {
    if (this.#log.lines(sessionId, [], '').length < enoughLines) await this.load(sessionId, 'older');
  }

  /** Has the log show an event, with what was around it, unless it does. */
  async showAround(sessionId: string, seq: number): Promise<void> {
    if (!this.#log.covers(sessionId, seq)) await this.show(sessionId, Math.max(1, seq - aroundEvents), seq + aroundEvents);
  }

  async #load(id: string, page: HistoryPage): Promise<void> {
    const first = this.#log.firstSeq(id);
    const hole = this.#log.hole(id);
    if (page === 'first' && first !== undefined && first > pageEvents) await this.show(id, 1, pageEvents);
    else if ((page === 'first' || page === 'older') && first !== undefined) await this.#loadOlder(id);
    else if (page === 'hole-above' && hole !== undefined) {
      const to = Math.min(hole.to, hole.from + pageEvents - 1);
      this.#log.addPast(id, await readEvents(this.#server, id, { from: hole.from, to }), { newer: to });
      this.#onNews();
    } else if (page === 'hole-below' && hole !== undefined) await this.show(id, Math.max(1, hole.to - pageEvents + 1), hole.to);
  }

  async #loadOlder(id: string): Promise<void> {
    for (let [pages, lines] = [0, 0]; pages < mostPages && lines < enoughLines; pages++) {
      const first = this.#log.firstSeq(id) ?? 1;
      if (first <= 1) return;
      const from = Math.max(1, first - pageEvents);
      lines += this.#log.addPast(id, await readEvents(this.#server, id, { from, to: first - 1 }), { older: from });
      this.#onNews();
    }
  }
}
