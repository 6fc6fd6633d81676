import { z } from 'zod';

/** What is said of a text that is none. */
export const notWellFormed = 'must be well-formed Unicode, without half of a surrogate pair';

/**
 * A text from outside. Half of a surrogate pair is no text: two ids that differ only in such halves are one to a database,
 * and strict readers refuse a whole answer that holds one.
 */
export const text = z.string().refine((value) => value.isWellFormed(), {
  // What is no text is not asked how long it is.
  abort: true,
  message: notWellFormed,
});

/** The same of at most so many characters. */
export function boundedText(maxChars: number) {
  return text.max(maxChars, `must be at most ${maxChars.toLocaleString('en')} characters`);
}

/** An object with any fields. The object itself is passed on: every field stays as it came, `__proto__` too. */
export const anyObject = z
  .custom<Record<string, unknown>>((value) => typeof value === 'object' && value !== null && !Array.isArray(value), 'must be an object')
  .meta({ type: 'object' });
