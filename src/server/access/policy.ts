import { may, maySend, roles, verbMeanings, type Verb } from '../../core/access.ts';
import { matchesGlob } from '../../core/event-filter.ts';
import type { CommandType } from '../../core/protocol/command.ts';
import { ShannonDashError } from '../../core/protocol/errors.ts';
import { limits } from '../../core/protocol/limits.ts';
import { cutText } from '../../core/text/cut-text.ts';
import type { Principal } from './principal.ts';

/** Whether the globs of a principal let it reach every session. */
export function mayReachAll({ sessions }: Pick<Principal, 'sessions'>): boolean {
  return sessions.includes('*');
}

/** Whether the globs of a principal let it reach a session. */
export function mayReach({ sessions }: Pick<Principal, 'sessions'>, sessionId: string): boolean {
  return sessions.some((glob) => glob === '*' || matchesGlob(glob, sessionId));
}

/**
 * Asked before anything is loaded. A session that the principal may not reach is answered like one that does not exist.
 * @throws ShannonDashError UNAUTHENTICATED its token has ended; FORBIDDEN its role does not have the verb; NOT_FOUND its globs do not
 * match the session
 */
export function checkAccess(principal: Principal, verb: Verb, sessionId?: string): void {
  checkToken(principal);
  if (!may(principal.role, verb)) {
    const able = roles.filter((role) => may(role, verb)).join(' or ');
    throw new ShannonDashError(
      'FORBIDDEN',
      `The role ${principal.role} may not ${verbMeanings[verb]}; ask for a token of the role ${able}`,
    );
  }
  if (sessionId !== undefined && !mayReach(principal, sessionId)) throw sessionNotFound(sessionId);
}

/** @throws ShannonDashError FORBIDDEN the principal may not send commands of this type */
export function checkCommand(principal: Principal, type: CommandType): void {
  if (maySend(principal, type)) return;
  throw new ShannonDashError('FORBIDDEN', `An operator without the grant "steer" may not send ${type}; ask for a token with --steer`);
}

/** @throws ShannonDashError UNAUTHENTICATED */
function checkToken({ token }: Principal): void {
  if (token?.ended.aborted === true) throw tokenEnded();
}

/** What a caller is told of a token that is unknown, expired or revoked: the same, so that nobody learns which tokens there were. */
export function tokenEnded(): ShannonDashError {
  return new ShannonDashError('UNAUTHENTICATED', 'This token is not valid here, or not any more; ask for another one');
}

export function sessionNotFound(sessionId: string): ShannonDashError {
  return new ShannonDashError('NOT_FOUND', `Session not found: ${cutText(sessionId, limits.idChars)}`);
}

export function decisionNotFound(decisionId: string): ShannonDashError {
  return new ShannonDashError('NOT_FOUND', `Decision not found: ${decisionId}`);
}
