import type { SessionEvent } from './event.ts';

/** Older names of types, and what they are called now. */
const olderTypes: ReadonlyMap<string, string> = new Map([['validation:completed', 'validation:result']]);

/** Older names of fields, by the group of the type: [as it may have come, as it is called now]. */
const olderFields: ReadonlyMap<string, readonly [string, string]> = new Map([
  ['file', ['file_path', 'path']],
  ['skill', ['skill', 'skill_name']],
  ['decision', ['title', 'question']],
]);

type Spelled = Pick<SessionEvent, 'type' | 'data'>;

/**
 * The event in today's spelling, as the fold and every view read it. The journal and deliveries keep what was
 * sent, name and payload.
 */
export function todaysSpelling<Event extends Spelled>(event: Event): Event {
  const type = olderTypes.get(event.type) ?? event.type;
  const [older, today] = olderFields.get(type.slice(0, type.indexOf(':'))) ?? [];
  const { data } = event;
  const isOlder = older !== undefined && today !== undefined && data[today] === undefined && data[older] !== undefined;
  if (!isOlder) return type === event.type ? event : { ...event, type };
  return { ...event, type, data: { ...data, [today]: data[older] } };
}
