import { agentLimits } from '../../core/protocol/limits.ts';
import type { EventData } from '../../core/protocol/event-table.ts';
import type { DecisionState } from '../../core/protocol/session-state.ts';
import { nothing, type Answer } from '../answer.ts';
import type { Question, Signal, SignalOf } from '../signal.ts';
import { toldText, toldValue } from './told-value.ts';

/** What an agent asks a person by a hook that it waits for. */
export type Asking = SignalOf<'question' | 'plan' | 'permission'>;

/** An answer to a decision, as an operator, the terminal or the deadline gives it. */
export interface Choice {
  choice: string;
  comment: string | null;
  by: string | null;
}

/** The option of every such decision that leaves it to the agent's own prompt. It is the default, too. */
export const leave = 'terminal';
const leaveOption = { id: leave, label: "Leave it to the agent's own prompt" };
/** The option of a question whose answer is the comment. */
const other = 'other';
/** Characters of an input that stand beside a decision: the state keeps no longer context. */
const contextChars = 2_500;

export function isAsking(signal: Signal): signal is Asking {
  return signal.kind === 'question' || signal.kind === 'plan' || signal.kind === 'permission';
}

/**
 * The decisions that a hook waits for, as the data of `decision:point`.
 * @param callId names the tool call within the session
 * @param timeoutMs how long the hook can be held: then the agent's own prompt is left to ask
 */
export function decisionsOf(
  signal: Asking,
  { callId, timeoutMs, agentId }: { callId: string; timeoutMs: number; agentId: string | null },
): EventData<'decision:point'>[] {
  const { tool } = signal;
  const about = { hook: signal.kind, tool_name: toldText(tool.name, 200), ...(tool.id === null ? {} : { tool_id: tool.id }) };
  const common = { default: leave, timeout_ms: timeoutMs, ...(agentId === null ? {} : { agent_id: agentId }) };
  switch (signal.kind) {
    case 'permission': {
      const always = signal.always === null ? [] : [{ id: 'always', label: `Allow always: ${toldText(signal.always, 300)}` }];
      return [
        {
          ...common,
          decision_id: decisionIdOf(signal, callId, 0),
          question: toldText(`May ${tool.name} run? ${summaryOf(tool.input)}`.trim(), agentLimits.questionChars),
          options: [{ id: 'deny', label: 'Deny' }, { id: 'allow', label: 'Allow once' }, ...always, leaveOption],
          context: { ...about, input: smallInput(tool.input) },
        },
      ];
    }
    case 'plan':
      return [
        {
          ...common,
          decision_id: decisionIdOf(signal, callId, 0),
          question:
            signal.plan === ''
              ? 'End the planning and begin?'
              : `Approve this plan?\n\n${toldText(signal.plan, agentLimits.questionChars)}`,
          options: [{ id: 'reject', label: 'Keep planning' }, { id: 'approve', label: 'Approve' }, leaveOption],
          context: about,
        },
      ];
    case 'question':
      return signal.questions.map((each, index) => ({
        ...common,
        decision_id: decisionIdOf(signal, callId, index),
        question: toldText(each.question, agentLimits.questionChars),
        options: [...optionsOf(each), { id: other, label: 'Another answer: the comment' }, leaveOption],
        multiple: each.isMultiple,
        context: { ...about, header: each.header, number: index + 1, of: signal.questions.length },
      }));
  }
}

/** The ids of the decisions of a hook, in the order of its questions. The same hook asked again is the same decision. */
export function decisionIdsOf(signal: Asking, callId: string): string[] {
  const count = signal.kind === 'question' ? signal.questions.length : 1;
  return Array.from({ length: count }, (_, index) => decisionIdOf(signal, callId, index));
}

function decisionIdOf({ kind }: Asking, callId: string, index: number): string {
  return `${kind}-${callId}-${index + 1}`;
}

/** Whether a decision was asked by a hook, as `decisionsOf` makes them. */
export function isOfHook({ context }: DecisionState): boolean {
  return hookContext(context) !== undefined;
}

/** The tool call that a decision of a hook is about; null where that is not known. */
export function callOf({ context }: DecisionState): { hook: string; toolId: string | null } | undefined {
  return hookContext(context);
}

function hookContext(context: unknown): { hook: string; toolId: string | null } | undefined {
  if (typeof context !== 'object' || context === null) return undefined;
  const { hook, tool_id } = context as Record<string, unknown>;
  return typeof hook === 'string' ? { hook, toolId: typeof tool_id === 'string' ? tool_id : null } : undefined;
}

/** Why a choice cannot be passed on to the agent; undefined where it can. */
export function choiceRefusal({ choice, comment }: Choice): string | undefined {
  const isEmpty = choice.split(',').some((each) => each.trim() === other) && (comment === null || comment.trim() === '');
  return isEmpty ? `"${other}" needs a comment, which is the answer: send it again with --comment` : undefined;
}

/** The answer to a hook, by the choices for its decisions in their order. */
export function answerOf(signal: Asking, choices: readonly Choice[]): Answer {
  const [first] = choices;
  if (first === undefined || choices.some(({ choice }) => choice === leave)) return nothing;
  switch (signal.kind) {
    case 'permission':
      return first.choice === 'deny'
        ? { kind: 'deny', reason: first.comment ?? `Denied by ${first.by ?? 'a person'}` }
        : { kind: 'allow', isAlways: first.choice === 'always' };
    case 'plan':
      return { kind: 'plan', isApproved: first.choice === 'approve', reason: first.comment };
    case 'question':
      return { kind: 'answers', answers: signal.questions.map((question, index) => labelsOf(question, choices[index])) };
  }
}

function labelsOf(question: Question, choice: Choice | undefined): string[] {
  if (choice === undefined) return [];
  const options = optionsOf(question);
  const chosen = options.some(({ id }) => id === choice.choice) ? [choice.choice] : choice.choice.split(',').map((each) => each.trim());
  return chosen.flatMap((id) => {
    if (id === other) return choice.comment === null ? [] : [choice.comment];
    const at = options.findIndex((option) => option.id === id);
    // The label as the agent gave it, not as it is shown.
    return question.options[at]?.label ?? [];
  });
}

/** A label is its own id where it can be typed as one: short, and without a comma, which stands between the ids of several answers. */
function optionsOf({ options }: Question): { id: string; label: string; description?: string }[] {
  const reserved = new Set<string>([other, leave]);
  return options.slice(0, 50).map(({ label, description }, index) => {
    const shown = toldText(label, 300);
    const isId = shown === label && label.length <= 60 && !label.includes(',') && label === label.trim() && !reserved.has(label);
    const id = isId ? label : `option-${index + 1}`;
    reserved.add(id);
    return { id, label: shown, ...(description === null ? {} : { description: toldText(description, 500) }) };
  });
}

/** What a tool is about to do, in one line. */
function summaryOf(input: unknown): string {
  if (typeof input !== 'object' || input === null) return '';
  const fields = input as Record<string, unknown>;
  const told = ['command', 'file_path', 'path', 'url', 'pattern', 'query', 'description', 'prompt'].find(
    (name) => typeof fields[name] === 'string' && fields[name] !== '',
  );
  return told === undefined ? '' : toldText(String(fields[told]), 500);
}

function smallInput(input: unknown): unknown {
  const told = toldValue(input);
  const json = JSON.stringify(told);
  return json.length <= contextChars ? told : toldText(json, contextChars);
}
