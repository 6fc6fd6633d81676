import type { DecisionState, SessionState } from '../../core/protocol/session-state.ts';
import { openDecisions, shownQuestion, type DecisionPrompt } from '../decision-prompt.ts';
import type { Style } from '../style.ts';
import { duration, durationSince } from '../text/numbers.ts';
import { recordLines } from '../text/record-lines.ts';
import { shown } from '../text/shown-text.ts';
import type { DetailField, PanelItem, PanelList } from './panel.ts';

/** What the panel shows while nothing is asked: the decisions made, the latest first. */
export function decisionsPanel(state: SessionState): PanelList {
  const made = state.decisions.filter((decision) => decision.status === 'made').toReversed();
  return {
    title: made.length === 0 ? 'Decision' : `Decisions made ${made.length + state.let_go.decisions}`,
    items: made.map(madeItem),
    empty: 'none; questions for you show here',
    summary: made[0] === undefined ? [] : [{ text: `last: ${shown(made[0].choice ?? '')} by ${shown(made[0].made_by ?? '?')}` }],
    letGo: state.let_go.decisions,
  };
}

/** The title of a pending decision. */
export function decisionTitle(decision: DecisionState, index: number, total: number, style: Style): string {
  const from = decision.agent_id === null ? '' : `  from ${shown(decision.agent_id, 40)}`;
  return `Decision ${index + 1} of ${total}${from}  ${durationSince(decision.asked_at, style.nowMs)} ago`;
}

/** What happens when nobody answers, and when; empty where it stays open. */
export function deadlineText({ deadline, default: choice, options }: DecisionState, style: Style): string {
  if (deadline === null) return '';
  const left = Date.parse(deadline) - style.nowMs;
  const label = options.find(({ id }) => id === choice)?.label ?? choice ?? '';
  return `${left > 0 ? `in ${duration(left)}` : 'now'} it answers itself: "${shown(label, 60)}"`;
}

/** What was said to explain the question, as lines, clean. */
export function contextLines({ context }: DecisionState): string[] {
  return recordLines(context);
}

/** The decision to show: the one being answered, else the oldest. */
export function decisionOnScreen(state: SessionState | undefined, prompt: DecisionPrompt | undefined): DecisionState | undefined {
  const open = openDecisions(state);
  return prompt === undefined ? open[0] : (open.find((each) => each.decision_id === prompt.decisionId) ?? open[0]);
}

/** What has become of a decision that was open at a moment of the past. */
export function sinceThen(decision: DecisionState, live: SessionState | undefined): string {
  const known = live?.decisions.find((each) => each.decision_id === decision.decision_id && each.seq === decision.seq);
  if (known === undefined) return '';
  if (known.status === 'open') return 'it is still open now';
  const waited = Date.parse(known.made_at ?? '') - Date.parse(known.asked_at);
  const length = Number.isNaN(waited) ? '' : ` after ${duration(waited)}`;
  return `since then "${shown(known.choice ?? '', 60)}" by ${shown(known.made_by ?? '?', 60)}${length}`;
}

/** All decisions that wait, each whole, as one item. @param live the session as it is now, where they are of the past */
export function openDecisionsItem(open: readonly DecisionState[], live: SessionState | undefined): PanelItem {
  return {
    key: 'Decisions',
    cells: () => [],
    detail: (style) =>
      open.flatMap((decision): DetailField[] => [
        ['question', shownQuestion(decision), 'strong'],
        ['from', shown(decision.agent_id ?? '', 100)],
        ['asked', decision.asked_at],
        ...contextLines(decision).map((line, index): DetailField => [index === 0 ? 'context' : '', line]),
        ...decision.options.map(({ label, description }, index): DetailField => [
          index === 0 ? 'options' : '',
          `[${index + 1}] ${shown(label, 200)}${description === null ? '' : `: ${shown(description, 500)}`}`,
        ]),
        ['deadline', deadlineText(decision, style)],
        ['since', live === undefined ? '' : sinceThen(decision, live)],
        ['id', shown(decision.decision_id)],
      ]),
    copy: open.map(shownQuestion).join('\n'),
  };
}

function madeItem(decision: DecisionState): PanelItem {
  const question = shownQuestion(decision);
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
