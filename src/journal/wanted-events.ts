import { everyEvent } from '../core/event-filter.ts';
import type { EventsWanted, JournalEvent } from './journal.ts';
import { typeAndTimeOf } from './stamping.ts';

/** Whether an event is one of those that are wanted. */
export function isWanted({ type, json }: JournalEvent, { filter, since, until }: EventsWanted): boolean {
  if (filter?.(type) === false) return false;
  if (since === undefined && until === undefined) return true;
  const at = typeAndTimeOf(json).at;
  return (since === undefined || at >= since) && (until === undefined || at <= until);
}

/** Whether every event is. */
export function areAllWanted({ filter, since, until }: EventsWanted): boolean {
  return (filter === undefined || filter === everyEvent) && since === undefined && until === undefined;
}
