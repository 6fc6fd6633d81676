import { eventType, type EventInput } from './event.ts';
import { isKnownType, isServerOnly } from './event-table.ts';
import { ShannonDashError } from './errors.ts';
import { parse } from './parse.ts';
import { readTimestamp } from './timestamp.ts';

/** Older spellings of fields, by the group of the type: [as it came, as it is called now]. */
const olderFields: Record<string, readonly (readonly [string, string])[]> = {
  file: [['file_path', 'path']],
  skill: [['skill', 'skill_name']],
  decision: [['title', 'question']],
};

/** Older names of types. */
const olderTypes: Record<string, string> = { 'validation:completed': 'validation:result' };

/**
 * An event of the older `cli_event` channel in today's spelling. A known type is never refused for its payload; what
 * cannot be translated is passed on as it came. Only a type that is no type at all is refused.
 * @throws ShannonDashError INVALID
 */
export function translateCliEvent(cliEvent: { event_type: string; timestamp?: unknown; data?: unknown }): EventInput {
  // Most events are of a known type, and need no second look.
  const given = isKnownType(cliEvent.event_type) ? cliEvent.event_type : parse(eventType, cliEvent.event_type, 'event_type');
  const type = olderTypes[given] ?? given;
  if (isServerOnly(type)) throw new ShannonDashError('INVALID', `event_type: ${type} is written by the server only`);
  return {
    type,
    data: translateData(type, cliEvent.data),
    timestamp: readTimestamp(cliEvent.timestamp),
  };
}

function translateData(type: string, data: unknown): Record<string, unknown> {
  if (typeof data !== 'object' || data === null) return data === undefined || data === null ? {} : { value: data };
  if (Array.isArray(data)) return { value: data };
  const fields = data as Record<string, unknown>;
  let translated = fields;
  const group = type.slice(0, type.indexOf(':'));
  for (const [older, today] of Object.hasOwn(olderFields, group) ? (olderFields[group] ?? []) : []) {
    if (fields[today] === undefined && fields[older] !== undefined) translated = { ...translated, [today]: fields[older] };
  }
  return translated;
}
