import { errorRow, ShannonDashError } from '../core/protocol/errors.ts';

/** What the program's exit code says to a script. */
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
  /** Not found or in conflict with what is. */
  notFound: 7,
  /** A decision is pending (`--fail-on-decision`). */
  decisionPending: 8,
  /** As a shell's, for what is no program or cannot be run, and for a command that is not there. */
  notExecutable: 126,
  noSuchCommand: 127,
  interrupted: 130,
  terminated: 143,
} as const;

/** The exit code for an error. A code of a newer server counts as refused. */
export function exitCodeOf(error: unknown): number {
  return exitCodes[(error instanceof ShannonDashError ? errorRow(error.code)?.exit : undefined) ?? 'refused'];
}
