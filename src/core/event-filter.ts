import { z } from 'zod';
import { limits } from './protocol/limits.ts';
import { text } from './text/text.ts';

/** Globs over event types, `*` only. */
export const eventTypes = z
  .array(
    text.min(1, 'must not be empty').max(limits.eventTypeGlobChars, `must be at most ${limits.eventTypeGlobChars} characters`),
    'must be a list of globs such as skill:*',
  )
  .max(limits.eventTypeGlobs, `must be at most ${limits.eventTypeGlobs} globs`);

/** Stands in a history in the place of an event that cannot be read any more. Its former type is unknown, so every filter lets it pass. */
export const lostEventType = 'journal:lost';

/** Tells whether an event of this type passes. */
export type EventFilter = (type: string) => boolean;

/** The filter that every event passes. */
export const everyEvent: EventFilter = () => true;

/**
 * A filter that passes what matches any of the globs; no globs pass everything. Answers are remembered per type
 * (boundedly), so that a busy stream asks each question once.
 */
export function eventFilter(globs: readonly string[] | undefined): EventFilter {
  if (globs === undefined || globs.length === 0 || globs.includes('*')) return everyEvent;
  const known = new Map<string, boolean>();
  return (type) => {
    let passes = known.get(type);
    if (passes === undefined) {
      passes = type === lostEventType || globs.some((glob) => matchesGlob(glob, type));
      if (known.size < 1_000) known.set(type, passes);
    }
    return passes;
  };
}

/**
 * Whether a text matches a glob whose only special character is `*`. Greedy with one point to go back to: the first
 * part at the start, the last at the end, the others leftmost in between. That is linear, whatever the glob.
 */
export function matchesGlob(glob: string, text: string): boolean {
  const parts = glob.split('*');
  const first = parts[0] ?? '';
  const last = parts.at(-1) ?? '';
  if (parts.length === 1) return text === glob;
  if (!text.startsWith(first) || !text.endsWith(last) || text.length < first.length + last.length) return false;
  let at = first.length;
  const end = text.length - last.length;
  for (const part of parts.slice(1, -1)) {
    const found = text.indexOf(part, at);
    if (found === -1 || found + part.length > end) return false;
    at = found + part.length;
  }
  return true;
}
