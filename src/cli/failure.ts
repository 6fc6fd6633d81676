import type { ListedSession } from '../core/http-answers.ts';
import { errorRow, ShannonDashError, type ErrorCode } from '../core/protocol/errors.ts';
import { exitCodeOf, exitCodes } from './exit-codes.ts';
import { systemReason } from './terminal/system-reason.ts';

/** An error with its next steps: each hint is a line of its own. */
export class Failure extends ShannonDashError {
  readonly hints: readonly string[];
  readonly exitCode: number;

  constructor(
    code: ErrorCode,
    message: string,
    { hints = [], exitCode, cause }: { hints?: string[]; exitCode?: number; cause?: unknown } = {},
  ) {
    super(code, message, undefined, cause === undefined ? undefined : { cause });
    this.hints = hints;
    this.exitCode = exitCode ?? exitCodeOf(this);
  }

  /** Whether the same again may succeed. */
  get isRetryable(): boolean {
    return errorRow(this.code)?.retryable === true;
  }
}

/** An error for wrong usage: the fault, and where the right usage is shown. */
export function usageFailure(message: string, ...hints: string[]): Failure {
  return new Failure('INVALID', message, { hints });
}

/** The server was asked and has not answered in time. */
export function noAnswer(url: string, duration: string): Failure {
  return new Failure('TIMEOUT', `no answer from ${url} in ${duration}`, {
    hints: ['wait longer: --timeout 60s', 'or point at another server: --url URL   (SHANNON_DASH_URL)'],
  });
}

/** Any thrown value as a failure: a sentence in the program's own voice, and the next step. */
export function failureOf(error: unknown): Failure {
  if (error instanceof Failure) return error;
  if (!(error instanceof ShannonDashError)) {
    const message = error instanceof Error ? error.message : String(error);
    return new Failure('INTERNAL', `unexpected: ${message}`, { hints: ['where it happened: the same command with -v'], cause: error });
  }
  return new Failure(error.code, inLowerCase(error.message), { hints: hintsOf(error), cause: error });
}

/** An error for results that could not be written. */
export function outputFailure(cause: Error): Failure {
  return new Failure('INTERNAL', `the output cannot be written: ${systemReason(cause)}`, {
    hints: ['make room where it goes, or send it elsewhere; what the command did is done'],
    exitCode: exitCodes.refused,
    cause,
  });
}

/** Several sessions are live and none was named. */
export function tooManySessions(live: readonly string[]): Failure {
  return usageFailure(`${live.length} sessions are live; name one: ${listed(live)}`, '-s SESSION   (SHANNON_DASH_SESSION)');
}

function listed(ids: readonly string[]): string {
  return ids.length > 20 ? `${ids.slice(0, 20).join(', ')}, ...` : ids.join(', ');
}

/** A name is the beginning of several sessions' names. */
export function ambiguousSession(name: string, ids: readonly string[]): Failure {
  return usageFailure(`${ids.length} sessions begin with ${name}: ${listed(ids)}`, 'name one of them');
}

/** No session has this name. @param near one with nearly the same */
export function unknownSession(name: string, near: string | undefined): Failure {
  return new Failure('NOT_FOUND', `session not found: ${name}${near === undefined ? '' : `. Did you mean ${near}?`}`, {
    hints: ['see all: shannon-dash sessions'],
  });
}

/** No session is live, so there is none to take by default. @param latest the one that changed last, if there is any */
export function noSession(latest?: Pick<ListedSession, 'session_id' | 'status'>): Failure {
  const last = latest === undefined ? '' : `; the last one was ${latest.session_id}, which is ${latest.status}`;
  return new Failure('NOT_FOUND', `no session is live${last}`, {
    hints: ['start one:  shannon-dash run -- COMMAND', 'see all:    shannon-dash sessions'],
  });
}

function hintsOf({ code, retryAfterMs }: ShannonDashError): string[] {
  if (retryAfterMs !== undefined) return ['send less at a time, or wait longer: --timeout 60s'];
  return (errorRow(code)?.hint ?? 'the server is newer than this program: update it').split('\n');
}

/** The server's sentences begin with a capital, the program's do not. Names in capitals (HALT) stay. */
function inLowerCase(sentence: string): string {
  return /^[A-Z][a-z ]/.test(sentence) ? sentence.charAt(0).toLowerCase() + sentence.slice(1) : sentence;
}
