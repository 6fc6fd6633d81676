import { errorRow, ShannonDashError } from '../core/protocol/errors.ts';
import type { DashboardEnding } from '../dashboard/board.ts';

/** The exit codes of the program, as a script reads them. */
export const exitCodes = {
  ok: 0,
  /** Refused or failed. */
  refused: 1,
  usage: 2,
  /** Timed out; the outcome is not known. */
  timedOut: 3,
  /** Not authenticated or not allowed. */
  notAllowed: 4,
  /** The run that was watched failed (`--exit-status`). */
  runFailed: 5,
  /** Unreachable or lost. */
  unreachable: 6,
  /** Not found, or in conflict with the current state. */
  notFound: 7,
  /** A decision is pending (`--fail-on-decision`). */
  decisionPending: 8,
  /** As a shell's, for what is no program or cannot be run, and for a command that is not there. */
  notExecutable: 126,
  noSuchCommand: 127,
  hungUp: 129,
  interrupted: 130,
  terminated: 143,
} as const;

/** The exit code for an error. A code of a newer server counts as refused. */
export function exitCodeOf(error: unknown): number {
  return exitCodes[(error instanceof ShannonDashError ? errorRow(error.code)?.exit : undefined) ?? 'refused'];
}

/** The exit code for the way in which a watch has ended, on the dashboard or in lines. */
export function exitCodeOfWatch(
  ending: DashboardEnding,
  { exitStatus, failOnDecision }: { exitStatus: boolean; failOnDecision: boolean },
): number {
  switch (ending) {
    case 'run-failed':
      return exitStatus ? exitCodes.runFailed : exitCodes.ok;
    case 'decision-pending':
      return failOnDecision ? exitCodes.decisionPending : exitCodes.ok;
    case 'refused':
      return exitCodes.notAllowed;
    case 'broken':
      return exitCodes.refused;
    case 'interrupted':
      return exitCodes.interrupted;
    case 'terminated':
      return exitCodes.terminated;
    case 'hung-up':
      return exitCodes.hungUp;
    case 'run-completed':
    case 'event-reached':
    case 'left':
      return exitCodes.ok;
  }
}
