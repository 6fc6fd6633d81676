import type { SessionEvent } from '../core/protocol/event.ts';
import { limits } from '../core/protocol/limits.ts';
import type { HistoryServer } from './history-pages.ts';

/** How many events are looked through at first, and at most, at a time; and how many times as many where only some types come. */
const [firstEvents, mostEvents, timesByType] = [250, 2_000, 100];

/** What is looked for, and from where: after an event up to the newest, or before it down to the first. */
export interface Search {
  sessionId: string;
  from: number;
  direction: 1 | -1;
  newest: number;
  /** Globs over the types with commas between them, which all that passes is of. */
  types: string | undefined;
  passes: (event: SessionEvent) => boolean;
  /** Called as it goes on, with the event up to which nothing was found. */
  onLook?: (seq: number) => void;
}

/** Looks through the history of a session, a part at a time, however long it is. One search goes on at a time. */
export class EventFinder {
  readonly #server: HistoryServer;
  #turn = 0;

  constructor(server: HistoryServer) {
    this.#server = server;
  }

  /** Gives up what is being looked for. */
  stop(): void {
    this.#turn++;
  }

  /** The nearest event that passes; null: there is none; undefined: given up. */
  async find({ sessionId, from, direction, newest, types, passes, onLook }: Search): Promise<SessionEvent | null | undefined> {
    const turn = ++this.#turn;
    const times = types === undefined ? 1 : timesByType;
    let at = from;
    for (let events = firstEvents * times; direction === 1 ? at < newest : at > 1; events = Math.min(mostEvents * times, events * 2)) {
      const [first, last] = direction === 1 ? [at + 1, Math.min(newest, at + events)] : [Math.max(1, at - events), at - 1];
      const found = await this.#inPart(sessionId, { first, last, direction, types, passes });
      if (turn !== this.#turn) return undefined;
      if (found !== undefined) return found;
      at = direction === 1 ? last : first;
      onLook?.(at);
    }
    return null;
  }

  /** The first event of a part that passes, or the last. An answer that grew too large ends early: the rest is asked for then. */
  async #inPart(
    sessionId: string,
    { first, last, direction, types, passes }: { first: number; last: number } & Pick<Search, 'direction' | 'types' | 'passes'>,
  ): Promise<SessionEvent | undefined> {
    let found: SessionEvent | undefined;
    for (let after = first - 1; after < last;) {
      const limit = Math.min(limits.historyEvents, last - after);
      const query = { after, limit, through: last, ...(types === undefined ? {} : { types }) };
      const { events, next } = await this.#server.read('history', { path: { id: sessionId }, query });
      const hit = direction === 1 ? events.find(passes) : events.findLast(passes);
      if (direction === 1 && hit !== undefined) return hit;
      found = hit ?? found;
      if (next <= after) break;
      after = next;
    }
    return found;
  }
}
