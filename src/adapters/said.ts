import { z } from 'zod';
import type { Signal, SignalOf } from './signal.ts';

/** A signal before its common fields are added to it, kind by kind. */
export type Said = Signal extends infer Each ? (Each extends Signal ? Omit<Each, 'event' | 'session' | 'cwd' | 'payload'> : never) : never;

/** How a session begins, by the agents' words for it; by any other word it is new. A map: the word may be `constructor`. */
export const beginnings: ReadonlyMap<unknown, SignalOf<'session-started'>['how']> = new Map([
  ['resume', 'resumed'],
  ['fork', 'forked'],
  ['clear', 'cleared'],
  ['compact', 'compacted'],
]);

/** The id of an agent's session, and the name of its event: without them nothing can be done with a hook. */
export const required = z.string('must be a text').min(1, 'must not be empty').max(100, 'must be at most 100 characters');

/** A text that may be missing or of another form: then the field is unknown, and not the event. */
export const maybeText = z.string().nullish().catch(null);

/** The same for a number. */
export const maybeNumber = z.number().nullish().catch(null);

/** Null for what is missing or empty. */
export function textOf(value: string | null | undefined): string | null {
  return value === undefined || value === null || value === '' ? null : value;
}

/** The fields of an object; none of anything else. */
export function fieldsOf(value: unknown): Record<string, unknown> {
  return typeof value === 'object' && value !== null && !Array.isArray(value) ? (value as Record<string, unknown>) : {};
}
