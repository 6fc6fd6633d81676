import type { SessionState } from '../../core/protocol/session-state.ts';
import { checkAccess } from '../access/policy.ts';
import type { Principal } from '../access/principal.ts';
import { checkHolder, hashOfLease, type Claim } from '../commands/attachment/lease.ts';
import type { Publishing } from '../sessions/event-intake.ts';
import type { WorkspaceParts } from './workspace-parts.ts';
import type { PublishOptions } from './workspace-requests.ts';

/** By what a principal proves that an attachment is its own. @param lease the one that it shows */
export function claimOf({ role, token }: Principal, lease: string | undefined): Claim {
  const leases = [token?.lease, lease === undefined ? undefined : hashOfLease(lease)].filter((each) => each !== undefined);
  return { isAdmin: role === 'admin', owner: token?.owner, leases };
}

/** How a principal publishes: to the sessions that it may reach, and that no orchestrator of another token is attached to. */
export function publishingAs(
  principal: Principal,
  { store, lost, limits }: Pick<WorkspaceParts, 'store' | 'lost' | 'limits'>,
  { checkSession, onSession, wantsAnswer }: PublishOptions,
): Publishing {
  return {
    source: principal.source,
    wantsAnswer,
    count: limits.publishing(principal),
    mayPublish: (sessionId, lease) => {
      checkAccess(principal, 'publish', sessionId);
      checkSession?.(sessionId);
      const claim = claimOf(principal, lease);
      const pass = (state: SessionState | undefined) => {
        if (state !== undefined) checkHolder(state, claim);
        onSession?.(sessionId);
        lost.noteHeardHere(sessionId);
        return undefined;
      };
      const state = claim.isAdmin ? undefined : store.attachments(sessionId);
      return state instanceof Promise ? state.then(pass) : pass(state);
    },
  };
}
