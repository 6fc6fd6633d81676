import { z } from 'zod';
import { ShannonDashError } from './errors.ts';
import { dataSchema, isServerOnly, type KnownEventType } from './event-table.ts';
import { isCommandStepId, sessionId, shortId } from './ids.ts';
import { limits } from './limits.ts';
import { fieldPath, parse } from './parse.ts';

const eventTypePattern = /^[a-z][a-z0-9_-]*(?::[a-z0-9_.-]+)+$/;

/**
 * A checked `group:name`. The colon also keeps a type from ever being one of Socket.IO's reserved event names
 * (`connect`, `disconnect`, ...), which would make every JavaScript client drop its connection.
 */
export const eventType = z
  .string('must be a text')
  .max(limits.idChars, `must be at most ${limits.idChars} characters`)
  .regex(eventTypePattern, 'must be group:name in lower case, as skill:started')
  .refine(
    (type) => !type.startsWith('session:') && !type.startsWith('server:'),
    'session:* and server:* are messages of the server itself',
  );

/** An event as a producer sends it. */
export const eventInput = z.object({
  type: eventType,
  data: z.record(z.string(), z.unknown(), 'must be an object').default({}),
  id: shortId.optional(),
  timestamp: z.string().optional().catch(undefined),
});

export type EventInput = z.output<typeof eventInput>;

/** An event as the journal holds it and the wire carries it. */
export interface SessionEvent {
  session_id: string;
  /** 1, 2, 3 ... per session, without gaps. */
  seq: number;
  id: string;
  type: KnownEventType | (string & {});
  /** ISO 8601, UTC, with milliseconds. */
  timestamp: string;
  data: Record<string, unknown>;
  /** The name that the producer's connection gave itself. */
  source?: string;
}

/** A place in a session's journal: everything up to and with `seq` is known. */
export interface Cursor {
  epoch: string;
  seq: number;
}

export const cursor = z.object({
  epoch: z.string('must be a text').max(limits.idChars),
  seq: z.int('must be a whole number').nonnegative('must not be negative'),
});

/** `publish`: events for one session, refused as a whole with the path of the first fault. */
export const publishRequest = z.object({
  session_id: sessionId,
  events: z
    .array(z.unknown(), 'must be a list')
    .min(1, 'must have at least one event')
    .max(limits.publishEvents, `must have at most ${limits.publishEvents} events`),
});

/**
 * Checks one event from a producer: its envelope, then the `data` of a known type.
 * @throws ShannonDashError INVALID with the path of the first fault below `at`
 */
export function parseEventInput(input: unknown, at: string): EventInput {
  const event = parse(eventInput, input, at);
  if (isServerOnly(event.type)) {
    throw new ShannonDashError('INVALID', `${fieldPath(at, ['type'])}: ${event.type} is written by the server only`);
  }
  if (event.id !== undefined && isCommandStepId(event.id)) {
    throw new ShannonDashError('INVALID', `${fieldPath(at, ['id'])}: ${event.id} is an id of the server's own, for a step of a command`);
  }
  const schema = dataSchema(event.type);
  if (schema !== undefined) parse(schema, event.data, fieldPath(at, ['data']));
  return event;
}

const normalForm = /^\d{4}-(?:0[1-9]|1[0-2])-(?:0[1-9]|[12]\d|3[01])T(?:[01]\d|2[0-3]):[0-5]\d:[0-5]\d\.\d{3}Z$/;

/** The timestamp as ISO 8601 UTC with milliseconds if it is a valid date with a zone (or is taken as UTC), else undefined. */
export function normalTimestamp(timestamp: string | undefined): string | undefined {
  // The form that we want already, as most producers send it: parsing it only to format it again would be the costliest step.
  if (timestamp === undefined || (normalForm.test(timestamp) && isDay(timestamp.slice(0, 10)))) return timestamp;
  if (timestamp.length > 40 || !/^\d{4}-\d\d-\d\dT\d\d:\d\d/.test(timestamp) || !isDay(timestamp.slice(0, 10))) return undefined;
  const date = new Date(/(?:Z|[+-]\d\d:?\d\d)$/i.test(timestamp) ? timestamp : `${timestamp}Z`);
  if (Number.isNaN(date.getTime())) return undefined;
  const normal = date.toISOString();
  // Longer for the years before 0 and after 9999.
  return normal.length === 24 ? normal : undefined;
}

/** Whether the calendar has this day: `Date` takes 30 February for 2 March. */
function isDay(day: string): boolean {
  if (day.slice(8) <= '28') return true;
  const date = new Date(`${day}T00:00:00.000Z`);
  return !Number.isNaN(date.getTime()) && date.toISOString().startsWith(day);
}
