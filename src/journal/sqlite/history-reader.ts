import type { JournalEvent, ReadRange } from '../journal.ts';
import { seqOfServerMadeId } from '../stamping.ts';
import { areAllWanted, isWanted } from '../wanted-events.ts';
import type { StoredBlocks, Stretch } from './database/stored-blocks.ts';
import type { StoredEvents } from './database/stored-events.ts';
import { databaseSeq, waitingEvent, type NewestEvents } from './newest-events.ts';

export interface HistoryParts {
  stored: StoredEvents;
  blocks: StoredBlocks;
  /** Turns what the database throws into an error of the journal. */
  guarded: (work: () => void) => void;
  isClosed: () => boolean;
}

/** Reads a session's history, from the database and from what the database has yet to get, and lets others work in between. */
export async function readHistory(session: NewestEvents, range: ReadRange, parts: HistoryParts): Promise<JournalEvent[]> {
  const { after, limit, through = Infinity, maxChars = Infinity, reverse = false } = range;
  const { stored, blocks, guarded, isClosed } = parts;
  const found: JournalEvent[] = [];
  const left: Stretch = { first: after + 1, through: Math.min(through, session.head.seq) };
  let chars = 0;
  const isDone = () => left.first > left.through || found.length >= limit || chars >= maxChars;
  /** Takes the events of a part of what is left, at its beginning or with `reverse` at its end. */
  const take = (events: Iterable<JournalEvent>, part: Stretch) => {
    for (const event of events) {
      if (event.seq < part.first || event.seq > part.through) return;
      if (reverse) left.through = event.seq - 1;
      else left.first = event.seq + 1;
      if (isWanted(event, range)) {
        found.push(event);
        chars += event.json.length;
      }
      // Event by event: what is not wanted any more is not read either.
      if (isDone()) return;
    }
  };
  /** What is to be read next. What lies before it, or with `reverse` behind it, holds nothing that is wanted. */
  const nextPart = (): Stretch | undefined => {
    const { key } = session;
    if (key === undefined || areAllWanted(range)) return left;
    const known = { first: left.first, through: Math.min(left.through, databaseSeq(session)) };
    const part = blocks.stretch(key, known, { wanted: range, reverse });
    if (part === undefined) {
      if (reverse) left.through = left.first - 1;
      else left.first = known.through + 1;
    } else if (reverse) left.through = part.through;
    else left.first = part.first;
    return part;
  };
  const readPart = () => {
    const part = nextPart();
    if (part !== undefined) take(reverse ? stored.before(session, part.through) : stored.after(session, part.first - 1), part);
  };
  while (!isDone()) {
    const { cut = 0 } = session.head;
    if (cut >= left.first) {
      // What was taken away meanwhile is missing in what was found: the next reader is told.
      if (found.length > 0 && !reverse) return found;
      left.first = cut + 1;
      continue;
    }
    const next = reverse ? left.through : left.first;
    if (next > databaseSeq(session)) {
      take([waitingEvent(session, next)], left);
      continue;
    }
    guarded(readPart);
    // The database has nothing there.
    if ((reverse ? left.through : left.first) === next) return found;
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
