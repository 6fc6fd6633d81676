import { ShannonDashError, type ErrorCode } from '../core/protocol/errors.ts';

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

const byErrorCode: Record<ErrorCode, number> = {
  INVALID: exitCodes.usage,
  UNAUTHENTICATED: exitCodes.notAllowed,
  FORBIDDEN: exitCodes.notAllowed,
  NOT_FOUND: exitCodes.notFound,
  CONFLICT: exitCodes.notFound,
  SUPERSEDED: exitCodes.notFound,
  TOO_LARGE: exitCodes.refused,
  UNSUPPORTED: exitCodes.refused,
  LIMIT_REACHED: exitCodes.refused,
  INTERNAL: exitCodes.refused,
  JOURNAL_FAILED: exitCodes.refused,
  UNAVAILABLE: exitCodes.unreachable,
  UNREACHABLE: exitCodes.unreachable,
  TIMEOUT: exitCodes.timedOut,
};

/** The exit code for an error. A code of a newer server counts as refused. */
export function exitCodeOf(error: unknown): number {
  return error instanceof ShannonDashError && Object.hasOwn(byErrorCode, error.code) ? byErrorCode[error.code] : exitCodes.refused;
}
