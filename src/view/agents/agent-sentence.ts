import { agentRow, isAgentSession } from './agent-session.ts';
import type { SessionState } from '../../core/protocol/session-state.ts';
import type { Span } from '../cells.ts';
import { durationSince } from '../text/numbers.ts';
import { shown } from '../text/shown-text.ts';
import type { ViewModel } from '../view-model.ts';

/** Of an agent that waits: since when, and for what. */
export function agentSentence({ state, style }: Pick<ViewModel, 'state' | 'style'>): Span[] {
  if (state === undefined || !isAgentSession(state)) return [];
  const { state: standing, since, waiting_for } = agentRow(state);
  if (standing !== 'waits') return [];
  return [{ text: `waits ${durationSince(since, style.nowMs)} for ${shown(waiting_for ?? 'you', 200)}`, tone: 'warn' }];
}

/** Where a session works: its folder and its branch; empty where it does not say. */
export function placeText({ folder, branch }: Pick<SessionState, 'folder' | 'branch'>): string {
  return shown([folder, branch].filter((each) => each !== null).join('@'), 60);
}
