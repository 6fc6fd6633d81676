import { z } from 'zod';
import { ShannonDashError } from '../protocol/errors.ts';
import { fieldPath } from './field-path.ts';

/** What a schema asks for, in words, where it has none of its own. */
const kinds: ReadonlyMap<string, string> = new Map([
  ['object', 'an object'],
  ['record', 'an object'],
  ['array', 'a list'],
  ['string', 'a text'],
  ['number', 'a number'],
  ['boolean', 'true or false'],
]);

const inWords: z.core.$ZodErrorMap = (issue) => {
  if (issue.code === 'invalid_type') return `must be ${kinds.get(issue.expected) ?? issue.expected}`;
  if (issue.code === 'too_big') return `must be at most ${issue.maximum}${issue.origin === 'string' ? ' characters' : ''}`;
  return undefined;
};

/** Parses input from outside; the error names the first fault by its path, below `at` (as `events[3].data`). */
export function parse<Schema extends z.ZodType>(schema: Schema, input: unknown, at = ''): z.output<Schema> {
  const result = check(schema, input);
  if (result.success) return result.data;
  const faults = result.error.issues.map((issue) => ({ path: fieldPath(at, issue.path), message: issue.message }));
  const first = faults[0] ?? { path: at, message: 'invalid' };
  const whole = first.message.startsWith('must ') ? `The request ${first.message}` : first.message;
  throw new ShannonDashError('INVALID', first.path === '' ? whole : `${first.path}: ${first.message}`, faults.slice(0, 5));
}

/**
 * What a schema says of input from outside, without throwing. A check that throws, as one of lengths does at
 * `{"length": {"toString": 1}}`, has found a fault like any other.
 */
export function check<Schema extends z.ZodType>(schema: Schema, input: unknown): z.ZodSafeParseResult<z.output<Schema>> {
  try {
    return schema.safeParse(input, { error: inWords });
  } catch {
    const message = 'must not be an object whose length is no number';
    const error = new z.ZodError([{ code: 'custom', path: unmeasurablePath(input), message, input }]);
    return { success: false, error: error as z.ZodError<z.output<Schema>> };
  }
}

/** How many values are looked at to find the one that made a check throw. */
const searchedValues = 10_000;

/** The path of the first object that has a length but no number for it: comparing that is what throws in checks of lengths. */
function unmeasurablePath(input: unknown): PropertyKey[] {
  const found: { value: unknown; path: PropertyKey[] }[] = [{ value: input, path: [] }];
  // The list grows while it is walked.
  for (const { value, path } of found) {
    if (typeof value !== 'object' || value === null) continue;
    const fields = value as Record<string, unknown>;
    if (['length', 'size'].some((name) => Object.hasOwn(fields, name) && typeof fields[name] === 'object')) return path;
    for (const [key, each] of Object.entries(value).slice(0, searchedValues - found.length)) {
      found.push({ value: each, path: [...path, Array.isArray(value) ? Number(key) : key] });
    }
  }
  return [];
}
