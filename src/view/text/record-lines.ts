import { shown } from './shown-text.ts';

/** No more of a value is read than this many lines. */
const mostLines = 30;

const noNames: ReadonlyMap<string, string> = new Map();

/** Any JSON as lines to read, clean, what lies deeper indented. @param names words for fields that have better ones than their own */
export function recordLines(value: unknown, names = noNames): string[] {
  return linesOf(value, 0, names);
}

function linesOf(value: unknown, depth: number, names: ReadonlyMap<string, string>): string[] {
  const indent = '  '.repeat(depth);
  if (value === null || value === undefined || value === '') return [];
  if (typeof value !== 'object')
    return shownValue(value)
      .split('\n', mostLines)
      .map((line) => indent + shown(line));
  if (depth > 3) return [`${indent}...`];
  if (Array.isArray(value)) {
    return value.slice(0, mostLines * 2).flatMap((each: unknown) => {
      // A small record, as a file and what happens to it, reads best in one line.
      const [first, ...rest] = isFlat(each)
        ? [
            Object.values(each)
              .map((part) => shown(shownValue(part)))
              .join('  '),
          ]
        : linesOf(each, depth + 1, names);
      return first === undefined ? [] : [`${indent}- ${first.trimStart()}`, ...rest];
    });
  }
  return Object.entries(value).flatMap(([field, each]) => {
    if (saysNothing(field, each, value)) return [];
    const name = names.get(field) ?? shown(field.replaceAll('_', ' '), 60);
    if (typeof each !== 'object' || each === null)
      return each === null || each === '' ? [] : [`${indent}${name}: ${shown(shownValue(each))}`];
    const inner = linesOf(each, depth + 1, names);
    return inner.length === 0 ? [] : [`${indent}${name}:`, ...inner];
  });
}

/** Counts of nothing, and a count of what is listed whole beside it. */
function saysNothing(field: string, value: unknown, beside: object): boolean {
  if (!field.endsWith('_count')) return false;
  const list: unknown = (beside as Record<string, unknown>)[field.slice(0, -'_count'.length)];
  return value === 0 || (Array.isArray(list) && list.length === value);
}

function isFlat(value: unknown): value is Record<string, unknown> {
  if (typeof value !== 'object' || value === null || Array.isArray(value)) return false;
  const parts = Object.values(value);
  return parts.length > 0 && parts.length <= 4 && parts.every((part) => typeof part !== 'object');
}

function shownValue(value: unknown): string {
  return typeof value === 'string' ? value : (JSON.stringify(value) ?? '');
}
