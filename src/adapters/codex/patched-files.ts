import { fieldsOf } from '../said.ts';
import type { FileChange, ToolCall } from '../signal.ts';

const header = /^\*\*\* (Add|Update|Delete) File: (.+)$/;
const changes = { Add: 'created', Update: 'modified', Delete: 'deleted' } as const;

/**
 * The files that a call of apply_patch has changed: its input is the patch. A patch that did not fit has no end of its call. What a shell
 * changes is not in it. Of a deleted file the lines are not said.
 */
export function patchedFiles({ name, input }: ToolCall): FileChange[] {
  const patch = fieldsOf(input)['command'];
  if (name !== 'apply_patch' || typeof patch !== 'string') return [];
  const files: { path: string; change: FileChange['change']; linesAdded: number; linesRemoved: number }[] = [];
  for (const line of patch.split('\n')) {
    const [, kind, path] = header.exec(line) ?? [];
    if (kind !== undefined && path !== undefined) {
      files.push({ path, change: changes[kind as keyof typeof changes], linesAdded: 0, linesRemoved: 0 });
      continue;
    }
    const file = files.at(-1);
    if (file === undefined) continue;
    if (line.startsWith('+')) file.linesAdded += 1;
    if (line.startsWith('-')) file.linesRemoved += 1;
  }
  return files.map((file) => (file.change === 'deleted' ? { ...file, linesAdded: null, linesRemoved: null } : file));
}
