import { clipped } from './fold/fold-values.ts';

/** Characters of what a call is about. */
const detailChars = 200;
/** Where the tools of agents say it, those that tell most first. */
const fields = ['command', 'file_path', 'path', 'filePath', 'pattern', 'query', 'url', 'description', 'prompt', 'question'] as const;

/** What a call of a tool is about, in one text: its command, its file, what it looks for; null where its input has nothing of the kind. */
export function toolDetail(input: unknown): string | null {
  if (typeof input === 'string') return input === '' ? null : clipped(input, detailChars);
  if (typeof input !== 'object' || input === null || Array.isArray(input)) return null;
  for (const field of fields) {
    const value: unknown = Object.hasOwn(input, field) ? (input as Record<string, unknown>)[field] : undefined;
    if (typeof value === 'string' && value !== '') return clipped(value, detailChars);
    if (field === 'command' && Array.isArray(value) && value.every((each) => typeof each === 'string') && value.length > 0)
      return clipped(value.join(' '), detailChars);
  }
  return null;
}
