import type { DecisionState, SessionState } from '../../core/protocol/session-state.ts';
import { openDecisions, type DecisionPrompt } from '../decision-prompt.ts';
import type { Style } from '../style.ts';
import { duration, durationSince } from '../text/numbers.ts';
import { shown } from '../text/shown-text.ts';
import type { PanelItem, PanelList } from './panel.ts';

/** What the panel shows while nothing is asked: the decisions made, the latest first. */
export function decisionsPanel(state: SessionState): PanelList {
  const made = state.decisions.filter((decision) => decision.status === 'made').toReversed();
  return {
    title: made.length === 0 ? 'Decision' : `Decisions made ${made.length + state.let_go.decisions}`,
    items: made.map(madeItem),
    empty: 'No decision is pending. decision:point events ask here; d opens the oldest.',
    summary: made[0] === undefined ? [] : [{ text: `last: ${shown(made[0].choice ?? '')} by ${shown(made[0].made_by ?? '?')}` }],
    letGo: state.let_go.decisions,
  };
}

/** The title of a pending decision. */
export function decisionTitle(decision: DecisionState, index: number, total: number, style: Style): string {
  const from = decision.agent_id === null ? '' : `  from ${shown(decision.agent_id, 40)}`;
  const deadline =
    decision.deadline === null
      ? ''
      : `  answers "${shown(decision.default ?? '', 40)}" itself in ${duration(Date.parse(decision.deadline) - style.nowMs)}`;
  return `Decision ${index + 1} of ${total}  (oldest first)${from}  ${durationSince(decision.asked_at, style.nowMs)} ago${deadline}`;
}

/** The decision to show: the one being answered, else the oldest. */
export function decisionOnScreen(state: SessionState | undefined, prompt: DecisionPrompt | undefined): DecisionState | undefined {
  const open = openDecisions(state);
  return prompt === undefined ? open[0] : (open.find((each) => each.decision_id === prompt.decisionId) ?? open[0]);
}

function madeItem(decision: DecisionState): PanelItem {
  const question = shown(decision.question, 2_000);
  const choice = shown(decision.choice ?? '', 200);
  const by = shown(decision.made_by ?? '?', 100);
  return {
    key: decision.decision_id,
    cells: (style) => [
      { text: style.glyphs.done, width: 1, tone: 'good' },
      { text: question },
      { text: choice, width: { oneOf: 4, least: 8, most: 20 }, tone: 'strong' },
      { text: `by ${by}`, width: 14, optional: true },
    ],
    detail: () => [
      ['question', question],
      ['choice', choice],
      ['by', by],
      ['at', decision.made_at ?? ''],
      ['comment', shown(decision.comment ?? '', 2_000)],
      ['ignored', decision.ignored_choice == null ? '' : `"${shown(decision.ignored_choice, 200)}" is no option`],
      ['options', decision.options.map((option) => shown(option.label, 200)).join(', ')],
      ['id', shown(decision.decision_id)],
    ],
    copy: `${question} ${choice}`,
  };
}
