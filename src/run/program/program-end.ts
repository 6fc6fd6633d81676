import type { ChildProcess } from 'node:child_process';
import { constants } from 'node:os';

/** How a program ended: with a code, or by a signal. */
export interface ProgramEnd {
  code: number;
  signal: NodeJS.Signals | null;
}

/** The name of a signal number; null for none, or for a number that Node does not name. */
export function signalName(signal: number | undefined): NodeJS.Signals | null {
  if (signal === undefined || signal === 0) return null;
  const found = Object.entries(constants.signals).find(([, number]) => number === signal);
  return found === undefined ? null : (found[0] as NodeJS.Signals);
}

/** Resolves when a child process ends. */
export function endOf(child: ChildProcess): Promise<ProgramEnd> {
  return new Promise((resolve) => {
    child.once('exit', (code, signal) => resolve({ code: code ?? 128 + constants.signals[signal ?? 'SIGKILL'], signal }));
  });
}
