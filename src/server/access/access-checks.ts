import { verbMeanings, type Verb } from '../../core/access.ts';
import type { CommandType } from '../../core/protocol/command.ts';
import { ShannonDashError, type ErrorCode } from '../../core/protocol/errors.ts';
import { limits } from '../../core/protocol/limits.ts';
import { cutText } from '../../core/text/cut-text.ts';
import { checkAccess, checkCommand, mayReachAll } from './policy.ts';
import type { Principal } from './principal.ts';

/** What a known caller was denied. It names the token and never holds it. */
export interface Denial {
  code: ErrorCode;
  /** The name and the id of the token. */
  by: string;
  token: string | undefined;
  role: string;
  verb: string;
  session: string | undefined;
}

/** Asks the policy for one workspace, and tells of what it denies. */
export class AccessChecks {
  readonly #onDenial: (denial: Denial) => void;

  constructor(onDenial: (denial: Denial) => void) {
    this.#onDenial = onDenial;
  }

  /** @throws ShannonDashError as `checkAccess` */
  check(principal: Principal, verb: Verb, sessionId?: string): void {
    this.#told(principal, verb, sessionId, () => checkAccess(principal, verb, sessionId));
  }

  /** For verbs whose answer sums up every session. @throws ShannonDashError FORBIDDEN the principal does not reach all of them */
  checkOfAll(principal: Principal, verb: Verb): void {
    this.#told(principal, verb, undefined, () => {
      checkAccess(principal, verb);
      if (!mayReachAll(principal))
        throw new ShannonDashError(
          'FORBIDDEN',
          `A token for some sessions may not ${verbMeanings[verb]}; ask for one that reaches all sessions`,
        );
    });
  }

  /** @throws ShannonDashError as `checkAccess` and `checkCommand` */
  checkCommand(principal: Principal, type: CommandType, sessionId: string | undefined): void {
    this.#told(principal, `command ${type}`, sessionId, () => {
      checkAccess(principal, 'command', sessionId === '*' ? undefined : sessionId);
      checkCommand(principal, type);
    });
  }

  /**
   * For a command that is in the ledger. @param isOwn the caller has sent it
   * @throws ShannonDashError as `checkCommand` of the policy
   */
  checkSent(principal: Principal, { verb, type, sessionId }: { verb: Verb; type: CommandType; sessionId: string }, isOwn = false): void {
    if (!isOwn) this.#told(principal, `${verb} ${type}`, sessionId, () => checkCommand(principal, type));
  }

  #told(principal: Principal, verb: string, sessionId: string | undefined, check: () => void): void {
    try {
      check();
    } catch (error) {
      if (error instanceof ShannonDashError) {
        const { by, role, token } = principal;
        const session = sessionId === undefined ? undefined : cutText(sessionId, limits.idChars);
        this.#onDenial({ code: error.code, by, token: token?.id, role, verb, session });
      }
      throw error;
    }
  }
}
