import type { JournalEvent, ReadRange } from '../journal.ts';
import { seqOfServerMadeId } from '../stamping.ts';
import type { StoredEvents } from './database/stored-events.ts';
import { databaseSeq, waitingEvent, type NewestEvents } from './newest-events.ts';

export interface HistoryParts {
  stored: StoredEvents;
  /** Turns what the database throws into an error of the journal. */
  guarded: (work: () => void) => void;
  isClosed: () => boolean;
}

/** Reads a session's history, from the database and from what the database has yet to get, and lets others work in between. */
export async function readHistory(session: NewestEvents, range: ReadRange, parts: HistoryParts): Promise<JournalEvent[]> {
  const { after, limit, filter, through = Infinity, maxChars = Infinity, reverse = false } = range;
  const { stored, guarded, isClosed } = parts;
  const found: JournalEvent[] = [];
  let [first, last] = [after + 1, Math.min(through, session.head.seq)];
  let chars = 0;
  const isDone = () => first > last || found.length >= limit || chars >= maxChars;
  const take = (events: Iterable<JournalEvent>) => {
    for (const event of events) {
      if (event.seq < first || event.seq > last) return;
      if (reverse) last = event.seq - 1;
      else first = event.seq + 1;
      if (filter?.(event.type) !== false) {
        found.push(event);
        chars += event.json.length;
      }
      // Event by event: what is not wanted any more is not read either.
      if (isDone()) return;
    }
  };
  while (!isDone()) {
    const next = reverse ? last : first;
    if (next > databaseSeq(session)) {
      take([waitingEvent(session, next)]);
      continue;
    }
    guarded(() => take(reverse ? stored.before(session, last) : stored.after(session, first - 1)));
    // The database has nothing there.
    if ((reverse ? last : first) === next) return found;
    if (!isDone()) await new Promise((resolve) => setImmediate(resolve));
    if (isClosed()) return found;
  }
  return found;
}

/** The event with this id; undefined if the session has none. */
export function findEvent(session: NewestEvents, id: string, stored: StoredEvents): JournalEvent | undefined {
  const seq = seqOfServerMadeId(session.head.epoch, id) ?? session.waitingIds.get(id) ?? 0;
  if (seq <= databaseSeq(session)) return stored.findById(session, id);
  const event = seq > session.head.seq ? undefined : waitingEvent(session, seq);
  return event?.event.id === id ? event : undefined;
}
