import { createHash } from 'node:crypto';

export type SpanAttributes = Record<string, string | number | boolean>;

/** What happened at one moment of a span. Times are milliseconds since 1970. */
export interface SpanEvent {
  name: string;
  atMs: number;
  attributes: SpanAttributes;
}

/** A span that has ended. Ids are in hexadecimal, times milliseconds since 1970. */
export interface TracedSpan {
  name: string;
  traceId: string;
  spanId: string;
  parentSpanId: string | undefined;
  startMs: number;
  endMs: number;
  /** Why it failed; undefined where it did not. */
  error: string | undefined;
  attributes: SpanAttributes;
  events: readonly SpanEvent[];
  droppedEvents: number;
}

/** The id of a session's trace: the same whenever, and by whichever server, it is made. */
export function traceIdOf({ epoch, session_id }: { epoch: string; session_id: string }): string {
  return hash(`${epoch}${session_id}`).slice(0, 32);
}

/** The id of a span. @param seq of the event that began it; one event may begin several, of different kinds */
export function spanIdOf(traceId: string, kind: string, seq: number): string {
  return hash(`${traceId} ${kind} ${seq}`).slice(0, 16);
}

function hash(text: string): string {
  return createHash('sha256').update(text).digest('hex');
}
