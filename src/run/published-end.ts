import type { Orchestrator } from '../client/orchestrator/orchestrator-contract.ts';
import type { ProgramEnd } from './program/program-end.ts';
import type { Survivor } from './tree/survivors.ts';

/** How a run has ended, beside the end of its program. */
export interface RunEnding {
  durationMs: number;
  /** Who stopped the program, in words. */
  stopped: string | undefined;
  /** What the program has started, and what goes on. */
  survivors: readonly Survivor[];
}

/** For events that must not be dropped when the outbox is full. */
export const kept = { whenFull: 'wait' } as const;

/** Tells how a program has ended. */
export function publishEnd(run: Orchestrator, { code, signal }: ProgramEnd, { durationMs, stopped, survivors }: RunEnding): void {
  const end = { exit_code: code, signal, duration_ms: durationMs, ...(survivors.length === 0 ? {} : { survivors: [...survivors] }) };
  if (stopped !== undefined) void run.emit('execution:failed', { error: stopped, ...end }, kept);
  else if (code === 0 && signal === null) void run.emit('execution:completed', { result: end }, kept);
  else void run.emit('execution:failed', { error: signal === null ? `exit code ${code}` : `ended by ${signal}`, ...end }, kept);
}
