import type { DecisionState, SessionState } from '../core/protocol/session-state.ts';
import { shown } from './text/shown-text.ts';
import type { PanelId } from './panels/panel.ts';
import type { ViewModel } from './view-model.ts';

/** After any change of a prompt, its keys do nothing for so long: the person may have pressed them for what the screen showed before. */
export const graceMs = 400;

/** A prompt opened, changed or closed at this moment. One that the person at the keys closed is not counted. */
export interface PromptChange {
  prompt: 'decision' | 'rollback' | 'stop';
  atMs: number;
}

/** The decision that a person is answering. It stays with its decision until that is answered or left, also when other decisions come. */
export interface DecisionPrompt {
  decisionId: string;
  /** Index of the highlighted option. Nothing is preselected. */
  choice: number | null;
  /** The digits of a number above nine, as typed so far. */
  typed: string;
  /** Why, in the words of who decides; empty: nothing is said. */
  comment: string;
  /** The comment while it is typed; undefined at other times. */
  commentInput: string | undefined;
  sending: boolean;
  /** The panel that had the focus before. */
  focusBefore: PanelId;
}

/** The open decisions, the oldest first: in the order they were asked. */
export function openDecisions(state: SessionState | undefined): DecisionState[] {
  return state === undefined ? [] : state.decisions.filter((decision) => decision.status === 'open');
}

/** How many decisions wait: in the session on screen, or, without one, in all of them. */
export function pendingDecisions({ live, sessions }: Pick<ViewModel, 'live' | 'sessions'>, sessionId: string | undefined): number {
  if (sessionId !== undefined) return openDecisions(live).length;
  return sessions.reduce((sum, { state }) => sum + openDecisions(state).length, 0);
}

/** What a decision asks, as it is shown. */
export function shownQuestion({ question, multiple }: Pick<DecisionState, 'question' | 'multiple'>): string {
  return `${shown(question, 2_000)}${multiple ? ' (several may be chosen: send DECISION --choice A,B)' : ''}`;
}

/** A prompt for this decision, nothing highlighted. */
export function newPrompt(decisionId: string, focusBefore: PanelId): DecisionPrompt {
  return { decisionId, choice: null, typed: '', comment: '', commentInput: undefined, sending: false, focusBefore };
}

/** Whether enough time has passed since the change for the prompt's keys to count again. */
export function isSettled(change: PromptChange | undefined, nowMs: number): boolean {
  return change === undefined || nowMs - change.atMs >= graceMs;
}

/** The prompt with the next option highlighted, or the one before; from none, the first or the last. */
export function withStep(prompt: DecisionPrompt, by: 1 | -1, options: number): DecisionPrompt {
  if (options === 0) return prompt;
  const choice = prompt.choice === null ? (by === 1 ? 0 : options - 1) : Math.max(0, Math.min(options - 1, prompt.choice + by));
  return { ...prompt, choice, typed: '' };
}

/** The prompt after a digit, which only highlights. Numbers above nine are typed digit after digit. */
export function withDigit(prompt: DecisionPrompt, digit: number, options: number): DecisionPrompt {
  const longer = Number(`${prompt.typed}${digit}`);
  const wanted = prompt.typed !== '' && longer <= options ? longer : digit;
  if (wanted < 1 || wanted > options) return prompt;
  return { ...prompt, choice: wanted - 1, typed: options > 9 ? String(wanted) : '' };
}
