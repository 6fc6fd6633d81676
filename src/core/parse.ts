import type { z } from 'zod';
import { ShannonDashError } from './errors.ts';

/** Parses input from outside; the error names the first fault by its path, below `at` (as `events[3].data`). */
export function parse<Schema extends z.ZodType>(schema: Schema, input: unknown, at = ''): z.output<Schema> {
  const result = schema.safeParse(input);
  if (result.success) return result.data;
  const faults = result.error.issues.map((issue) => ({ path: fieldPath(at, issue.path), message: issue.message }));
  const first = faults[0] ?? { path: at, message: 'invalid' };
  throw new ShannonDashError('INVALID', first.path === '' ? first.message : `${first.path}: ${first.message}`, faults.slice(0, 5));
}

/** `events`, [3, 'data'] becomes `events[3].data`. */
export function fieldPath(at: string, path: readonly PropertyKey[]): string {
  return path.reduce<string>((text, part) => {
    if (typeof part === 'number') return `${text}[${part}]`;
    return text === '' ? String(part) : `${text}.${String(part)}`;
  }, at);
}
