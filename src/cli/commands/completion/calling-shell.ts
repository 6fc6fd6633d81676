import { readFileSync } from 'node:fs';
import { basename } from 'node:path';
import type { ShellName } from './definition.ts';

const namesOfPrograms: ReadonlyMap<string, ShellName> = new Map([
  ['bash', 'bash'],
  ['zsh', 'zsh'],
  ['fish', 'fish'],
  ['pwsh', 'powershell'],
]);
const mostAncestors = 20;

/**
 * The shell that this program is called from: the nearest one above it, where the system tells; else the user's login shell. Undefined
 * where it is another one.
 */
export function callingShell(): ShellName | undefined {
  if (process.platform === 'win32') return 'powershell';
  return shellAbove(process.ppid) ?? namesOfPrograms.get(basename(process.env['SHELL'] ?? ''));
}

function shellAbove(first: number): ShellName | undefined {
  try {
    for (let pid = first, steps = 0; pid > 1 && steps < mostAncestors; steps++) {
      // `PID (NAME) STATE PARENT ...`; a name can hold anything, brackets too.
      const [, name = '', parent] = /^\d+ \((.*)\) \S (\d+)/s.exec(readFileSync(`/proc/${pid}/stat`, 'utf8')) ?? [];
      const shell = namesOfPrograms.get(name);
      if (shell !== undefined) return shell;
      pid = Number(parent);
    }
  } catch {
    // No /proc, or a process that is just ending.
  }
  return undefined;
}
