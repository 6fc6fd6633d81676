import { may } from '../../core/access.ts';
import type { DecisionState } from '../../core/protocol/session-state.ts';
import type { LinkedDecision } from '../access/decision-links.ts';
import { decisionNotFound } from '../access/policy.ts';
import type { Principal } from '../access/principal.ts';
import type { WorkspaceParts } from './workspace-parts.ts';

/** A decision, and what a link to it stands for. @throws ShannonDashError NOT_FOUND */
export async function findDecision(
  { store, ledger }: Pick<WorkspaceParts, 'store' | 'ledger'>,
  sessionId: string,
  decisionId: string,
): Promise<{ decision: DecisionState; key: LinkedDecision }> {
  await ledger.ready(sessionId);
  const state = await store.load(sessionId);
  const decision = state?.decisions.find((each) => each.decision_id === decisionId);
  if (decision === undefined) throw decisionNotFound(decisionId);
  return { decision, key: { sessionId, decisionId, epoch: store.get(sessionId)?.head.epoch ?? '', seq: decision.seq } };
}

/** A decision with the path to answer it, for a principal that may have that, and as long as it is open. */
export function withLink(
  { links }: Pick<WorkspaceParts, 'links'>,
  { role, tenant }: Principal,
  { decision, key }: { decision: DecisionState; key: LinkedDecision },
): DecisionState & { answer_path?: string } {
  if (decision.status !== 'open' || !may(role, 'mintLink')) return decision;
  return { ...decision, answer_path: `${links.path(key)}${tenant === undefined ? '' : `?tenant=${tenant}`}` };
}
