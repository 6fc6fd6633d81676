import { z } from 'zod';
import { check } from '../../core/json/parse.ts';
import type { FileChange } from '../signal.ts';
import type { HookPayload } from './hook-payload.ts';

const patch = z.array(z.object({ lines: z.array(z.string()) }));
/** What Write and Edit answer; of a notebook the path stands in its input. */
const response = z.object({
  type: z.string().optional().catch(undefined),
  filePath: z.string(),
  structuredPatch: patch.catch([]),
  content: z.string().optional().catch(undefined),
  originalFile: z.string().nullish().catch(undefined),
});
const notebook = z.object({ notebook_path: z.string() });

/** The files that a tool call has changed, as its result says it: Write, Edit and NotebookEdit. What a shell does is not in it. */
export function changedFiles({ tool_name, tool_input, tool_response }: HookPayload): FileChange[] {
  if (tool_name === 'NotebookEdit') {
    const { data } = check(notebook, tool_input);
    return data === undefined ? [] : [{ path: data.notebook_path, change: 'modified', linesAdded: null, linesRemoved: null }];
  }
  if (tool_name !== 'Write' && tool_name !== 'Edit' && tool_name !== 'MultiEdit') return [];
  const { data } = check(response, tool_response);
  if (data === undefined) return [];
  const isNew = data.type === 'create';
  // The patch of a new file is empty: all of it is new.
  if (isNew && data.structuredPatch.length === 0) {
    return [{ path: data.filePath, change: 'created', linesAdded: linesIn(data.content ?? ''), linesRemoved: 0 }];
  }
  const lines = data.structuredPatch.flatMap((hunk) => hunk.lines);
  const count = (sign: string) => lines.filter((line) => line.startsWith(sign)).length;
  return [{ path: data.filePath, change: isNew ? 'created' : 'modified', linesAdded: count('+'), linesRemoved: count('-') }];
}

function linesIn(text: string): number {
  if (text === '') return 0;
  return text.split('\n').length - (text.endsWith('\n') ? 1 : 0);
}
