import { errorRow, ShannonDashError } from '../core/protocol/errors.ts';
import type { DashboardEnding } from '../dashboard/board.ts';

/** The exit codes of the program, as a script reads them. */
export const exitCodes = {
  ok: 0,
  refused: 1,
  usage: 2,
  timedOut: 3,
  notAllowed: 4,
  runFailed: 5,
  unreachable: 6,
  notFound: 7,
  decisionPending: 8,
  notExecutable: 126,
  noSuchCommand: 127,
  hungUp: 129,
  interrupted: 130,
  terminated: 143,
} as const;

/** What each exit code says. `run` ends with the code of its program. */
export const exitCodeMeanings: Record<keyof typeof exitCodes, string> = {
  ok: 'Done.',
  refused: 'Refused or failed.',
  usage: 'Wrong usage: an option, an argument or a setting.',
  timedOut: 'No answer in time; the outcome is not known.',
  notAllowed: 'Not authenticated or not allowed.',
  runFailed: 'The run that was watched failed (`watch --exit-status`).',
  unreachable: 'The server is unreachable or lost.',
  notFound: 'Not found, or in conflict with the current state.',
  decisionPending: 'A decision is pending (`watch --fail-on-decision`).',
  notExecutable: '`run`: the program cannot be run.',
  noSuchCommand: '`run`: there is no such program.',
  hungUp: 'Its terminal went away (SIGHUP).',
  interrupted: 'Ctrl-C (SIGINT).',
  terminated: 'SIGTERM.',
};

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
    case 'timed-out':
      return exitCodes.timedOut;
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
