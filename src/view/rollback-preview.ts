import { shown } from './text/shown-text.ts';

const maxLines = 30;

/** What a dry run answered, as lines to read before confirming: any JSON, since each orchestrator has its own words. */
export function previewLines(result: unknown): string[] {
  const lines = linesOf(result, 0);
  if (lines.length === 0) return ['the orchestrator does not say what'];
  return lines.length <= maxLines ? lines : [...lines.slice(0, maxLines - 1), `... and ${lines.length - maxLines + 1} more lines`];
}

function linesOf(value: unknown, depth: number): string[] {
  const indent = '  '.repeat(depth);
  if (value === null || value === undefined || value === '') return [];
  if (typeof value !== 'object')
    return shownValue(value)
      .split('\n', maxLines)
      .map((line) => indent + shown(line));
  if (depth > 3) return [`${indent}...`];
  if (Array.isArray(value)) {
    return value.slice(0, maxLines * 2).flatMap((each: unknown) => {
      // A small record, as a file and what happens to it, reads best in one line.
      const [first, ...rest] = isFlat(each)
        ? [
            Object.values(each)
              .map((part) => shown(shownValue(part)))
              .join('  '),
          ]
        : linesOf(each, depth + 1);
      return first === undefined ? [] : [`${indent}- ${first.trimStart()}`, ...rest];
    });
  }
  return Object.entries(value).flatMap(([field, each]) => {
    const name = shown(field.replaceAll('_', ' '), 60);
    if (typeof each !== 'object' || each === null)
      return each === null || each === '' ? [] : [`${indent}${name}: ${shown(shownValue(each))}`];
    const inner = linesOf(each, depth + 1);
    return inner.length === 0 ? [`${indent}${name}: none`] : [`${indent}${name}:`, ...inner];
  });
}

/** The checkpoint that a preview names, so that confirming restores that one and no other. */
export function previewTarget(result: unknown, otherwise: { steps: number }): { checkpoint_id: string } | { steps: number } {
  if (typeof result === 'object' && result !== null && 'checkpoint_id' in result && typeof result.checkpoint_id === 'string') {
    return { checkpoint_id: result.checkpoint_id };
  }
  return otherwise;
}

function isFlat(value: unknown): value is Record<string, unknown> {
  if (typeof value !== 'object' || value === null || Array.isArray(value)) return false;
  const parts = Object.values(value);
  return parts.length > 0 && parts.length <= 4 && parts.every((part) => typeof part !== 'object');
}

function shownValue(value: unknown): string {
  return typeof value === 'string' ? value : (JSON.stringify(value) ?? '');
}
