import type { AttachRequest } from '../../core/protocol/messages.ts';
import type { Principal } from '../access/principal.ts';
import type { Attached } from '../commands/attachment/attaching.ts';
import { hashOfLease } from '../commands/attachment/lease.ts';
import type { WorkspaceParts } from './workspace-parts.ts';

/** What an orchestrator is answered that attaches: with a token for its child where it asks for one, and children need one. */
export function withChildToken(
  { childTokens, asksEverybody }: Pick<WorkspaceParts, 'childTokens' | 'asksEverybody'>,
  { tenant, token }: Principal,
  { session_id, child_token, under }: AttachRequest,
  attached: Attached,
): Attached & { child_token?: string } {
  if (child_token !== true || under !== undefined || (token === undefined && !asksEverybody)) return attached;
  const lease = { tenant, sessionId: session_id, sha256: hashOfLease(attached.lease) };
  return { ...attached, child_token: childTokens.mint(lease, token) };
}
