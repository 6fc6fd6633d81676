import { isFinal, type CommandRequest } from '../../../core/protocol/command.ts';
import { isEnded, type SessionState, type SessionStatus } from '../../../core/protocol/session-state.ts';

/** Why the server refuses a command in this state; undefined when it takes it. The texts are part of the protocol. */
export function refusal(state: SessionState, { type, fields }: CommandRequest): string | undefined {
  // A HALT that is still on its way can be taken back.
  const gate = gateStatus(state);
  if (type === 'RESUME' && gate !== 'halted' && gate !== 'halting') return `Cannot resume - execution is ${state.status}`;
  const refused = type === 'DECISION' ? decisionRefusal(state, String(fields['decision_id']), String(fields['choice'])) : undefined;
  if (refused !== undefined) return refused;
  // Nobody would carry it out; the next run of this name must not.
  return isEnded(state.status) ? `Cannot ${type === 'DECISION' ? 'decide' : type.toLowerCase()} - execution is ${state.status}` : undefined;
}

/** How it stands with the gate: of a lost session, what it comes back to. */
export function gateStatus({ status, lost }: SessionState): SessionStatus {
  return lost?.from ?? status;
}

function decisionRefusal(state: SessionState, decisionId: string, choice: string): string | undefined {
  const decision = state.decisions.find((each) => each.decision_id === decisionId);
  if (decision === undefined) return `Decision not found: ${decisionId}`;
  if (decision.status === 'made')
    return `Decision ${decisionId} was already made: "${decision.choice}" by ${decision.made_by ?? 'unknown'}`;
  const options = decision.options.map((option) => option.id);
  const named = decision.multiple ? choice.split(',').map((each) => each.trim()) : [choice];
  if (!options.includes(choice) && !named.every((each) => options.includes(each)))
    return `"${choice}" is not an option of ${decisionId} (${options.join(', ')})`;
  const earlier = state.commands.find(
    (each) => each.command_type === 'DECISION' && !isFinal(each.status) && each.parameters['decision_id'] === decisionId,
  );
  if (earlier !== undefined) {
    return `Decision ${decisionId} was already made: "${String(earlier.parameters['choice'])}" by ${earlier.by ?? 'unknown'}`;
  }
  return undefined;
}
