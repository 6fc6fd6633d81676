import type { DecisionState, SessionState } from '../../core/protocol/session-state.ts';
import { openDecisions, type DecisionPrompt } from './decision-prompt.ts';
import { duration, durationSince } from './figures.ts';
import type { PanelItem, PanelList } from './panel-list.ts';
import { columns, fitted, spansWidth, wrapped, type Look, type Row, type Span } from './row.ts';
import { shown, textWidth } from './text.ts';

const questionRows = 4;

/** What panel 5 shows while nothing is asked: the decisions made, the latest first. */
export function decisionPanel(state: SessionState): PanelList {
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
export function decisionTitle(decision: DecisionState, index: number, total: number, look: Look): string {
  const from = decision.agent_id === null ? '' : `  from ${shown(decision.agent_id, 40)}`;
  const deadline =
    decision.deadline === null
      ? ''
      : `  answers "${shown(decision.default ?? '', 40)}" itself in ${duration(Date.parse(decision.deadline) - look.nowMs)}`;
  return `Decision ${index + 1} of ${total}  (oldest first)${from}  ${durationSince(decision.asked_at, look.nowMs)} ago${deadline}`;
}

/** The decision to show: the one being answered, else the oldest. */
export function decisionOnScreen(state: SessionState | undefined, prompt: DecisionPrompt | undefined): DecisionState | undefined {
  const open = openDecisions(state);
  return prompt === undefined ? open[0] : (open.find((each) => each.decision_id === prompt.decisionId) ?? open[0]);
}

/** How many rows the whole decision takes within a panel of this inner width. */
export function decisionHeight(decision: DecisionState, width: number, look: Look): number {
  const question = wrapped(shown(decision.question, 2_000), width - 1, questionRows, look.glyphs.ellipsis).length;
  return question + (inline(decision, undefined, width) === undefined ? decision.options.length : 1) + 1;
}

/** The question, the options by number, and what to do, in at most `height` rows. */
export function decisionRows(
  decision: DecisionState,
  prompt: DecisionPrompt | undefined,
  hint: Span,
  width: number,
  height: number,
  look: Look,
): Row[] {
  const { ellipsis } = look.glyphs;
  const room = Math.max(1, height - 2);
  const question = wrapped(shown(decision.question, 2_000), width - 1, Math.max(1, Math.min(questionRows, room)), ellipsis);
  const rows: Row[] = question.map((text) => ({ spans: fitted([{ text: ` ${text}`, tone: 'strong' }], width, ellipsis) }));
  const oneRow = inline(decision, prompt, width);
  if (oneRow !== undefined) rows.push({ spans: fitted(oneRow, width, ellipsis) });
  else rows.push(...optionRows(decision, prompt, width, Math.max(1, height - question.length - 1), look));
  rows.push({ spans: fitted([{ text: ' ' }, hint], width, ellipsis) });
  return rows.slice(0, height);
}

/** All options in one row, where they fit and need no explanation. */
function inline(decision: DecisionState, prompt: DecisionPrompt | undefined, width: number): Span[] | undefined {
  if (decision.options.some((option) => option.description !== null)) return undefined;
  const spans = decision.options.flatMap((_, index): Span[] => [
    { text: index === 0 ? ' ' : '  ' },
    { text: optionText(decision, index, prompt?.choice === index), tone: prompt?.choice === index ? 'active' : 'plain' },
  ]);
  return spansWidth(spans) <= width - 1 ? spans : undefined;
}

function optionRows(decision: DecisionState, prompt: DecisionPrompt | undefined, width: number, height: number, look: Look): Row[] {
  const { ellipsis } = look.glyphs;
  const all = decision.options.length;
  // The explanations stand below each other.
  const widest = Math.max(...decision.options.map((_, index) => textWidth(optionText(decision, index, false))));
  const optionWidth = Math.min(widest, Math.floor(width * 0.6));
  const first = all <= height ? 0 : Math.max(0, Math.min(all - height, (prompt?.choice ?? 0) - Math.floor(height / 2)));
  return decision.options.slice(first, first + height).map((option, offset) => {
    const isChosen = prompt?.choice === first + offset;
    const text = optionText(decision, first + offset, isChosen);
    const about = option.description === null ? '' : shown(option.description);
    return {
      spans: columns(width, [{ text: '', width: 0 }, { text, width: optionWidth }, { text: about }], ellipsis),
      reversed: isChosen,
    };
  });
}

function optionText(decision: DecisionState, index: number, isChosen: boolean): string {
  const option = decision.options[index];
  const mark = option?.recommended === true ? ' (recommended)' : '';
  return `${isChosen ? '>' : ' '}[${index + 1}] ${shown(option?.label ?? '', 200)}${mark}`;
}

function madeItem(decision: DecisionState): PanelItem {
  const question = shown(decision.question, 2_000);
  const choice = shown(decision.choice ?? '', 200);
  const by = shown(decision.made_by ?? '?', 100);
  return {
    key: decision.decision_id,
    row: (width, look) =>
      columns(
        width,
        [
          { text: look.glyphs.done, width: 1, tone: 'good' },
          { text: question },
          { text: choice, width: Math.max(8, Math.min(20, Math.floor(width / 4))), tone: 'strong' },
          { text: `by ${by}`, width: 14, optional: true },
        ],
        look.glyphs.ellipsis,
      ),
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
