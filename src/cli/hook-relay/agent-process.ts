import { readFileSync } from 'node:fs';

/** Agents start a command by a shell, which may stay between the two. */
const shells: ReadonlySet<string> = new Set(['sh', 'bash', 'dash', 'zsh', 'fish', 'ksh', 'ash', 'busybox']);
const mostShells = 4;

/** The process of the agent that has started this one: the nearest above it that is no shell, where the system tells; else the one above it. */
export function agentProcess(): number {
  let pid = process.ppid;
  try {
    for (let steps = 0; steps < mostShells; steps++) {
      // `PID (NAME) STATE PARENT ...`; a name can hold anything, brackets too.
      const [, name = '', parent] = /^\d+ \((.*)\) \S (\d+)/s.exec(readFileSync(`/proc/${pid}/stat`, 'utf8')) ?? [];
      if (!shells.has(name) || Number(parent) <= 1) break;
      pid = Number(parent);
    }
  } catch {
    // No /proc, or a process that is just ending.
  }
  return pid;
}
