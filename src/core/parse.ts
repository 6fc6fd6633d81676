import type { z } from 'zod';
import { ShannonDashError } from './errors.ts';

/** What a schema asks for, in words, where it has none of its own. */
const kinds: Partial<Record<string, string>> = {
  object: 'an object',
  record: 'an object',
  array: 'a list',
  string: 'a text',
  number: 'a number',
  boolean: 'true or false',
};

const inWords: z.core.$ZodErrorMap = (issue) => {
  if (issue.code === 'invalid_type') return `must be ${kinds[issue.expected] ?? issue.expected}`;
  if (issue.code === 'too_big') return `must be at most ${issue.maximum}${issue.origin === 'string' ? ' characters' : ''}`;
  return undefined;
};

/** Parses input from outside; the error names the first fault by its path, below `at` (as `events[3].data`). */
export function parse<Schema extends z.ZodType>(schema: Schema, input: unknown, at = ''): z.output<Schema> {
  const result = schema.safeParse(input, { error: inWords });
  if (result.success) return result.data;
  const faults = result.error.issues.map((issue) => ({ path: fieldPath(at, issue.path), message: issue.message }));
  const first = faults[0] ?? { path: at, message: 'invalid' };
  const whole = first.message.startsWith('must ') ? `The request ${first.message}` : first.message;
  throw new ShannonDashError('INVALID', first.path === '' ? whole : `${first.path}: ${first.message}`, faults.slice(0, 5));
}

/** `events`, [3, 'data'] becomes `events[3].data`. */
export function fieldPath(at: string, path: readonly PropertyKey[]): string {
  return path.reduce<string>((text, part) => {
    if (typeof part === 'number') return `${text}[${part}]`;
    return text === '' ? String(part) : `${text}.${String(part)}`;
  }, at);
}
