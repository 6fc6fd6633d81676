import { isFinal, type CommandRequest } from '../core/command.ts';
import type { SessionState } from '../core/session-state.ts';

/** Why the server refuses a command in this state; undefined when it takes it. The texts are part of the protocol. */
export function refusal(state: SessionState, { type, fields }: CommandRequest): string | undefined {
  const isFinished = state.status === 'completed' || state.status === 'failed';
  if (type === 'HALT' && isFinished) return `Cannot halt - execution is ${state.status}`;
  if (type === 'RESUME' && state.status !== 'halted') return `Cannot resume - execution is ${state.status}`;
  if (type === 'DECISION') return decisionRefusal(state, String(fields['decision_id']), String(fields['choice']));
  return undefined;
}

function decisionRefusal(state: SessionState, decisionId: string, choice: string): string | undefined {
  const decision = state.decisions.find((each) => each.decision_id === decisionId);
  if (decision === undefined) return `Decision not found: ${decisionId}`;
  if (decision.status === 'made')
    return `Decision ${decisionId} was already made: "${decision.choice}" by ${decision.made_by ?? 'unknown'}`;
  const options = decision.options.map((option) => option.id);
  if (!options.includes(choice)) return `"${choice}" is not an option of ${decisionId} (${options.join(', ')})`;
  const earlier = state.commands.find(
    (each) => each.command_type === 'DECISION' && !isFinal(each.status) && each.parameters['decision_id'] === decisionId,
  );
  if (earlier !== undefined) {
    return `Decision ${decisionId} was already made: "${String(earlier.parameters['choice'])}" by ${earlier.by ?? 'unknown'}`;
  }
  return undefined;
}
