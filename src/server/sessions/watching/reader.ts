import type { EventFilter } from '../../../core/event-filter.ts';
import type { Cursor } from '../../../core/protocol/event.ts';
import type { SessionHead } from '../../../journal/journal.ts';
import type { AppendedChange } from './changes.ts';
import type { Watcher } from './watcher.ts';

export type GapReason = 'epoch' | 'retention';

/** A watcher's subscription to one session, as the hub keeps it. */
export interface Reader {
  watcher: Watcher;
  filter: EventFilter;
  isLive: boolean;
  isClosed: boolean;
}

/** One of all sessions, with what came in each of them since it began to join: the first event that it was not sent. */
export interface ReaderOfAll extends Reader {
  missed: Map<string, number>;
  /** Tells which sessions it may see; undefined: all. */
  reaches: ((sessionId: string) => boolean) | undefined;
}

/** Why a cursor does not fit the history; undefined when it does. Who knows nothing (`seq` 0) has missed nothing of another one. */
export function gapAt(after: Cursor, { epoch, seq, cut = 0 }: Pick<SessionHead, 'epoch' | 'seq' | 'cut'>): GapReason | undefined {
  if (after.seq > 0 && (after.epoch !== epoch || after.seq > seq)) return 'epoch';
  return after.seq < cut ? 'retention' : undefined;
}

/** Whether a session is the one that it was. A recording of it, imported in its place, has its epoch. */
export function isOneHistory(before: SessionHead | undefined, head: SessionHead | undefined): boolean {
  return before?.epoch === head?.epoch && before?.imported?.at === head?.imported?.at;
}

/** Notes the first event of each session that a reader which still joins was not sent. */
export function noteMissed({ missed, reaches }: ReaderOfAll, changes: readonly AppendedChange[]): void {
  for (const { session_id, events } of changes) {
    const [first] = events;
    if (first !== undefined && !missed.has(session_id) && reaches?.(session_id) !== false) missed.set(session_id, first.seq);
  }
}
