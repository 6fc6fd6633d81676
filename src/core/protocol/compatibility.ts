import { eventType, type EventInput } from './event.ts';
import { isKnownType, isServerOnly } from './event-table.ts';
import { ShannonDashError } from './errors.ts';
import { parse } from '../json/parse.ts';
import { readTimestamp } from '../timestamp.ts';

/**
 * An event of the older `cli_event` channel, name and payload as they were sent: a known type is never refused for its
 * payload. Only a type that is no type at all is refused.
 * @throws ShannonDashError INVALID
 */
export function eventOfCli(cliEvent: { event_type: string; timestamp?: unknown; data?: unknown }): EventInput {
  // Most events are of a known type, and need no second look.
  const type = isKnownType(cliEvent.event_type) ? cliEvent.event_type : parse(eventType, cliEvent.event_type, 'event_type');
  if (isServerOnly(type)) throw new ShannonDashError('INVALID', `event_type: ${type} is written by the server only`);
  return { type, data: asObject(cliEvent.data), timestamp: readTimestamp(cliEvent.timestamp) };
}

function asObject(data: unknown): Record<string, unknown> {
  if (data === undefined || data === null) return {};
  return typeof data === 'object' && !Array.isArray(data) ? (data as Record<string, unknown>) : { value: data };
}
