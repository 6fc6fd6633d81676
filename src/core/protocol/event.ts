import { z } from 'zod';
import { ShannonDashError } from './errors.ts';
import { dataSchema, isServerOnly, type KnownEventType } from './event-table.ts';
import { isServerEventId, sessionId, shortId } from '../ids.ts';
import { limits } from './limits.ts';
import { fieldPath } from '../json/field-path.ts';
import { openObject } from '../json/open-object.ts';
import { parse } from '../json/parse.ts';
import { anyObject, boundedText } from '../text/text.ts';
import { readTimestamp } from '../timestamp.ts';

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

const unreadTimestamp = 'must be a date and time such as 2026-01-02T03:04:05Z, or seconds or milliseconds since 1970';

/** An event as a producer sends it. */
export const eventInput = z.object({
  type: eventType,
  data: anyObject.default(() => ({})),
  id: shortId.optional(),
  timestamp: z
    .unknown()
    .transform((value, context) => {
      const timestamp = readTimestamp(value);
      if (timestamp === undefined && value !== undefined && value !== null) context.addIssue(unreadTimestamp);
      return timestamp;
    })
    .optional(),
});

export type EventInput = z.output<typeof eventInput>;

/** An event as the journal holds it and the wire carries it. */
export const sessionEvent = openObject({
  session_id: z.string('must be a text'),
  /** 1, 2, 3 ... per session, without gaps. */
  seq: z.number('must be a number'),
  id: z.string('must be a text'),
  type: z.custom<KnownEventType | (string & {})>((type) => typeof type === 'string', 'must be a text').meta({ type: 'string' }),
  /** ISO 8601, UTC, with milliseconds. */
  timestamp: z.string('must be a text'),
  data: anyObject,
  /** The name that the producer's connection gave itself. */
  source: z.string('must be a text').optional(),
  /** When the server received it, like `timestamp`. Only where the producer's clock says something else. */
  received_at: z.string('must be a text').optional(),
});

export interface SessionEvent extends z.output<typeof sessionEvent> {}

/**
 * Events as a client receives them. Only what everybody relies on is looked at, without a copy: the schema of each event costs
 * ten times as much, and this is the path that every delivered event takes. A test holds the two against each other.
 */
export const eventList = z.custom<SessionEvent[]>((events) => Array.isArray(events) && events.every(isEvent), 'must be a list of events');

function isEvent(value: unknown): boolean {
  if (typeof value !== 'object' || value === null) return false;
  const { session_id, seq, id, type, timestamp, data, source, received_at } = value as Record<string, unknown>;
  return (
    typeof seq === 'number' &&
    typeof type === 'string' &&
    typeof data === 'object' &&
    data !== null &&
    !Array.isArray(data) &&
    typeof session_id === 'string' &&
    typeof id === 'string' &&
    typeof timestamp === 'string' &&
    (source === undefined || typeof source === 'string') &&
    (received_at === undefined || typeof received_at === 'string')
  );
}

/** When it happened by the server's clock, which ages, durations and clocks are told by. */
export function receivedAt(event: Pick<SessionEvent, 'timestamp' | 'received_at'>): string {
  return event.received_at ?? event.timestamp;
}

/** A place in a session's journal: everything up to and with `seq` is known. */
export const cursor = z.object({
  epoch: boundedText(limits.idChars),
  seq: z.int('must be a whole number').nonnegative('must not be negative'),
});

export interface Cursor extends z.output<typeof cursor> {}

/** `publish`: events for one session, refused as a whole with the path of the first fault. */
export const publishRequest = z.object({
  session_id: sessionId,
  /** Of a caller with another token than that of the orchestrator that is attached: the lease that this one was given. */
  lease: boundedText(limits.idChars).optional(),
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
  if (event.id !== undefined && isServerEventId(event.id)) {
    throw new ShannonDashError('INVALID', `${fieldPath(at, ['id'])}: ${event.id} is an id of the server's own, for a step of a command`);
  }
  const schema = dataSchema(event.type);
  if (schema !== undefined) parse(schema, event.data, fieldPath(at, ['data']));
  return event;
}
