import type { DecisionState, SessionState } from '../core/protocol/session-state.ts';
import type { PanelId } from './panels/panel.ts';
import type { ViewModel } from './view-model.ts';

/** After any change of a prompt, its keys do nothing for so long: the person may have pressed them for what the screen showed before. */
export const graceMs = 400;

/** A prompt opened, changed or closed at this moment. One that the person at the keys closed is not counted. */
export interface PromptChange {
  prompt: 'decision' | 'rollback';
  atMs: number;
}

/** The decision that a person is answering. It stays with its decision until that is answered or left, also when other decisions come. */
export interface DecisionPrompt {
  decisionId: string;
  /** Index of the highlighted option. Nothing is preselected. */
  choice: number | null;
  /** The digits of a number above nine, as typed so far. */
  typed: string;
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

/** A prompt for this decision, nothing highlighted. */
export function newPrompt(decisionId: string, focusBefore: PanelId): DecisionPrompt {
  return { decisionId, choice: null, typed: '', sending: false, focusBefore };
}

/** Whether enough time has passed since the change for the prompt's keys to count again. */
export function isSettled(change: PromptChange | undefined, nowMs: number): boolean {
  return change === undefined || nowMs - change.atMs >= graceMs;
}

/** The prompt after a digit, which only highlights. Numbers above nine are typed digit after digit. */
export function withDigit(prompt: DecisionPrompt, digit: number, options: number): DecisionPrompt {
  const longer = Number(`${prompt.typed}${digit}`);
  const wanted = prompt.typed !== '' && longer <= options ? longer : digit;
  if (wanted < 1 || wanted > options) return prompt;
  return { ...prompt, choice: wanted - 1, typed: options > 9 ? String(wanted) : '' };
}
