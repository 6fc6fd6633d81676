import {
  parseCommand,
  type CancelRequest,
  type CommandRequest,
  type CommandResult,
  type ResendRequest,
} from '../../core/protocol/command.ts';
import type { CommandState } from '../../core/protocol/session-state.ts';
import { decisionNotFound } from '../access/policy.ts';
import type { Principal } from '../access/principal.ts';
import type { Canceller } from '../commands/command-recall.ts';
import { findDecision } from './find-decision.ts';
import type { WorkspaceParts } from './workspace-parts.ts';

/** The link by which anybody may answer a decision. */
export interface AnswerLink {
  sessionId: string;
  decisionId: string;
  token: string;
}

export interface LinkedAnswer {
  choice: string;
  comment?: string | undefined;
}

type Parts = Pick<WorkspaceParts, 'checks' | 'limits' | 'ledger'>;

/** Sends a command again, for a principal that may send commands of its type. */
export async function resendAs(
  { checks, limits, ledger }: Parts,
  principal: Principal,
  sender: Canceller,
  request: ResendRequest,
): Promise<CommandResult> {
  await limits.command(principal);
  const { session_id: sessionId } = request;
  return ledger.resend(request, sender, ({ command_type }) =>
    checks.checkSent(principal, { verb: 'resend', type: command_type, sessionId }),
  );
}

/** Takes a command back, for its sender, and for a principal that may send commands of its type. */
export async function cancelAs(
  { checks, limits, ledger }: Parts,
  principal: Principal,
  canceller: Canceller,
  { session_id: sessionId, command_id: commandId }: CancelRequest,
): Promise<CommandState> {
  await limits.command(principal);
  return ledger.cancel({ sessionId, commandId }, canceller, ({ command_type, by }) =>
    checks.checkSent(principal, { verb: 'cancel', type: command_type, sessionId }, by === principal.by),
  );
}

/** The command that an answer by the link of a decision stands for. @throws ShannonDashError NOT_FOUND the token does not belong to this decision */
export async function linkedAnswer(
  parts: Pick<WorkspaceParts, 'store' | 'ledger' | 'links'>,
  { sessionId, decisionId, token }: AnswerLink,
  answer: () => LinkedAnswer,
): Promise<CommandRequest> {
  const { key } = await findDecision(parts, sessionId, decisionId);
  if (!parts.links.isValid(key, token)) throw decisionNotFound(decisionId);
  return { ...parseCommand({ ...answer(), type: 'DECISION', decision_id: decisionId }), session_id: sessionId };
}
