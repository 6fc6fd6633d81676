import type { EventFilter } from '../../../core/event-filter.ts';
import type { Cursor } from '../../../core/protocol/event.ts';
import type { AppendedChange } from './missed-sessions.ts';
import type { Watcher } from './watcher.ts';

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

/** Why a cursor does not fit the history; undefined when it does. Who knows nothing (`seq` 0) has missed nothing. */
export function gapAt(after: Cursor, epoch: string, seq: number): 'epoch' | 'retention' | undefined {
  if (after.seq === 0) return undefined;
  return after.epoch !== epoch || after.seq > seq ? 'epoch' : undefined;
}

/** Notes the first event of each session that a reader which still joins was not sent. */
export function noteMissed({ missed, reaches }: ReaderOfAll, changes: readonly AppendedChange[]): void {
  for (const { session_id, events } of changes) {
    const [first] = events;
    if (first !== undefined && !missed.has(session_id) && reaches?.(session_id) !== false) missed.set(session_id, first.seq);
  }
}
