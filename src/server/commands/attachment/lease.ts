import { createHash, randomBytes } from 'node:crypto';
import { ShannonDashError } from '../../../core/protocol/errors.ts';
import type { Lease, SessionState } from '../../../core/protocol/session-state.ts';
import { holderOf } from '../../../core/fold/executor.ts';

/** By what a caller proves that it may act for an attachment. */
export interface Claim {
  /** It may act for every attachment, as the user may who runs the server. */
  isAdmin: boolean;
  /** Whose token it has; undefined where it has none. */
  owner: string | undefined;
  /** The hashes of the leases that it shows, or that its token stands for. */
  leases: readonly string[];
}

/** A new lease: the text for the link that has attached, of which the journal keeps the hash. */
export function newLease(): string {
  return randomBytes(32).toString('base64url');
}

/** SHA-256 as hex: 256 random bits need no slower hash. */
export function hashOfLease(lease: string): string {
  return createHash('sha256').update(lease).digest('hex');
}

/** Whether an attachment, be it one that has ended, is the caller's own. */
export function isOwn(lease: Lease, { isAdmin, owner, leases }: Claim): boolean {
  return isAdmin || (owner !== undefined && lease.owner === owner) || (lease.sha256 !== undefined && leases.includes(lease.sha256));
}

/**
 * While an orchestrator is attached, only its own token, an admin's, or its lease lets a caller publish to the session, take it over
 * or attach under it. Of a program that is attached alone, the same holds.
 * @throws ShannonDashError FORBIDDEN
 */
export function checkHolder(state: SessionState, claim: Claim): void {
  const holder = holderOf(state, 'primary') ?? holderOf(state, 'delegate');
  if (holder !== undefined && !isOwn(holder.lease, claim)) throw notOwn(state.session_id);
}

/** The instance is not named: its name is no proof, and needs no telling. */
export function notOwn(sessionId: string): ShannonDashError {
  return new ShannonDashError(
    'FORBIDDEN',
    `The orchestrator of ${sessionId} was attached with another token; use that token, or show the lease that it was given`,
  );
}
