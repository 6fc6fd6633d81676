import type { SessionEvent } from '../protocol/event.ts';
import { numberOf, textField, valueOf, withItem } from './fold-values.ts';
import { limits } from '../protocol/limits.ts';
import type { DecisionOption, DecisionState, SessionState } from '../protocol/session-state.ts';

/** `decision:point`: a question is asked once. The same id again, after the program has restarted, is the same question with its answer. */
export function foldDecisionPoint(state: SessionState, { data, timestamp, seq }: SessionEvent): Partial<SessionState> | undefined {
  const decisionId = textField(data, 'decision_id');
  const options = optionsOf(data['options']);
  if (decisionId === null || options.length === 0 || state.decisions.some((each) => each.decision_id === decisionId)) return undefined;
  const timeoutMs = numberOf(data, 'timeout_ms');
  const given = textField(data, 'default');
  // A default that is no option could never be taken: the question stays open instead.
  const choice = given !== null && isOption(options, given) ? given : null;
  const decision: DecisionState = {
    decision_id: decisionId,
    question: textField(data, 'question') ?? '',
    options,
    default: choice,
    context: valueOf(data, 'context'),
    agent_id: textField(data, 'agent_id'),
    asked_at: timestamp,
    seq,
    deadline: timeoutMs === null || choice === null ? null : later(timestamp, timeoutMs),
    status: 'open',
    choice: null,
    made_by: null,
    made_at: null,
    comment: null,
    ignored_choice: null,
    multiple: data['multiple'] === true,
  };
  return withItem(state, 'decisions', -1, decision, isMade);
}

/** `decision:made`: the first answer that names an option wins. One that names none is marked, later ones change nothing. */
export function foldDecisionMade(state: SessionState, { data, timestamp }: SessionEvent): Partial<SessionState> | undefined {
  const decisionId = textField(data, 'decision_id');
  const choice = textField(data, 'choice');
  const at = state.decisions.findIndex((each) => each.decision_id === decisionId);
  const known = state.decisions[at];
  if (known === undefined || isMade(known) || choice === null) return undefined;
  if (!isAnswer(known, choice)) return withItem(state, 'decisions', at, { ...known, ignored_choice: choice }, isMade);
  const made: DecisionState = {
    ...known,
    status: 'made',
    choice,
    made_by: textField(data, 'made_by'),
    made_at: timestamp,
    comment: textField(data, 'comment'),
  };
  return withItem(state, 'decisions', at, made, isMade);
}

function isMade(decision: DecisionState): boolean {
  return decision.status === 'made';
}

function isOption(options: readonly DecisionOption[], choice: string): boolean {
  return options.some(({ id, label }) => id === choice || label === choice);
}

/** Whether a choice names an option, or, where several may be chosen, options with commas between them. */
function isAnswer({ options, multiple }: DecisionState, choice: string): boolean {
  return isOption(options, choice) || (multiple && choice.split(',').every((each) => isOption(options, each.trim())));
}

function optionsOf(options: unknown): DecisionOption[] {
  if (!Array.isArray(options)) return [];
  return options.slice(0, limits.decisionOptions).flatMap((option: unknown) => {
    if (typeof option === 'string' && option !== '') return [{ id: option, label: option, description: null, recommended: false }];
    if (typeof option !== 'object' || option === null) return [];
    const fields = option as Record<string, unknown>;
    const id = textField(fields, 'id') ?? textField(fields, 'label');
    if (id === null) return [];
    return [
      {
        id,
        label: textField(fields, 'label') ?? id,
        description: textField(fields, 'description'),
        recommended: fields['recommended'] === true,
      },
    ];
  });
}

function later(timestamp: string, ms: number): string | null {
  const at = new Date(Date.parse(timestamp) + ms);
  return Number.isNaN(at.getTime()) ? null : at.toISOString();
}
