import type { DecisionState } from '../../core/protocol/session-state.ts';
import type { Span } from '../../view/cells.ts';
import { shownQuestion, type DecisionPrompt } from '../../view/decision-prompt.ts';
import { contextLines } from '../../view/panels/decisions-panel.ts';
import type { Style } from '../../view/style.ts';
import { shown } from '../../view/text/shown-text.ts';
import { rowOfCells, fitted, spansWidth, wrapped, type Row, type RowSpan } from '../rows/row.ts';
import { clip, textWidth } from '../rows/text-width.ts';

const questionRows = 4;
/** Rows of the context, before and while the decision is answered. */
const contextRows = { waiting: 3, answered: 12 };

/** How many rows the whole decision takes within a panel of this inner width. */
export function decisionHeight(decision: DecisionState, prompt: DecisionPrompt | undefined, width: number, style: Style): number {
  const question = questionOf(decision, width, questionRows, style).length;
  const options = inline(decision, undefined, width) === undefined ? decision.options.length : 1;
  return question + contextOf(decision, prompt, width, style).length + options + commentOf(prompt, width, style).length + 1;
}

/** The question, its context, the options by number, the comment, and what to do, in at most `height` rows. */
export function decisionRows(
  decision: DecisionState,
  prompt: DecisionPrompt | undefined,
  hint: Span,
  width: number,
  height: number,
  style: Style,
): Row[] {
  const { ellipsis } = style.glyphs;
  const oneRow = inline(decision, prompt, width);
  const comment = commentOf(prompt, width, style);
  const room = Math.max(1, height - 2 - comment.length);
  const question = questionOf(decision, width, Math.min(questionRows, room), style);
  // The options are needed more than what explains the question.
  const optionsWanted = oneRow === undefined ? decision.options.length : 1;
  const context = contextOf(decision, prompt, width, style).slice(
    0,
    Math.max(0, height - question.length - optionsWanted - comment.length - 1),
  );
  const left = Math.max(1, height - question.length - context.length - comment.length - 1);
  const options = oneRow === undefined ? optionRows(decision, prompt, width, left, style) : [{ spans: fitted(oneRow, width, ellipsis) }];
  const last: Row = { spans: fitted([{ text: ' ' }, hint], width, ellipsis) };
  return [...question, ...context, ...options, ...comment, last].slice(0, height);
}

function questionOf(decision: DecisionState, width: number, most: number, { glyphs }: Style): Row[] {
  return wrapped(shownQuestion(decision), width - 1, most, glyphs.ellipsis).map((text) => ({
    spans: fitted([{ text: ` ${text}`, tone: 'strong' }], width, glyphs.ellipsis),
  }));
}

function contextOf(decision: DecisionState, prompt: DecisionPrompt | undefined, width: number, { glyphs }: Style): Row[] {
  const most = prompt === undefined ? contextRows.waiting : contextRows.answered;
  const rows = contextLines(decision).flatMap((line) => wrapped(line, width - 4, most, glyphs.ellipsis));
  const kept = rows.length <= most ? rows : [...rows.slice(0, most - 1), `${rows[most - 1] ?? ''} ${glyphs.ellipsis}`];
  return kept.map((text) => ({ spans: fitted([{ text: `   ${text}` }], width, glyphs.ellipsis) }));
}

function commentOf(prompt: DecisionPrompt | undefined, width: number, { glyphs }: Style): Row[] {
  const text = prompt?.commentInput ?? prompt?.comment ?? '';
  if (prompt === undefined || (prompt.commentInput === undefined && text === '')) return [];
  const typed = prompt.commentInput === undefined ? text : `${text}_`;
  const label = ' comment: ';
  // Its end is where it grows.
  return [
    {
      spans: fitted(
        [{ text: label, tone: 'strong' }, { text: clip(typed, width - label.length, glyphs.ellipsis, 'start') }],
        width,
        glyphs.ellipsis,
      ),
    },
  ];
}

/** All options in one row, where they fit and need no explanation. */
function inline(decision: DecisionState, prompt: DecisionPrompt | undefined, width: number): RowSpan[] | undefined {
  if (decision.options.some((option) => option.description !== null)) return undefined;
  const spans = decision.options.flatMap((_, index): RowSpan[] => [
    { text: index === 0 ? ' ' : '  ' },
    { text: optionText(decision, index, prompt?.choice === index), tone: prompt?.choice === index ? 'active' : 'plain', option: index },
  ]);
  return spansWidth(spans) <= width - 1 ? spans : undefined;
}

function optionRows(decision: DecisionState, prompt: DecisionPrompt | undefined, width: number, height: number, style: Style): Row[] {
  const { ellipsis } = style.glyphs;
  const all = decision.options.length;
  if (all > height) {
    const rows = compactRows(decision, prompt, width, style);
    if (rows.length <= height) return rows;
  }
  // The explanations stand below each other.
  const widest = Math.max(...decision.options.map((_, index) => textWidth(optionText(decision, index, false))));
  const optionWidth = Math.min(widest, Math.floor(width * 0.6));
  const first = all <= height ? 0 : Math.max(0, Math.min(all - height, (prompt?.choice ?? 0) - Math.floor(height / 2)));
  return decision.options.slice(first, first + height).map((option, offset) => {
    const isChosen = prompt?.choice === first + offset;
    const text = optionText(decision, first + offset, isChosen);
    const about = option.description === null ? '' : shown(option.description);
    const spans = rowOfCells(width, [{ text: '', width: 0 }, { text, width: optionWidth }, { text: about }], ellipsis);
    return { spans: spans.map((span) => ({ ...span, option: first + offset })), reversed: isChosen };
  });
}

/** As many options in a row as fit, without what explains them. */
function compactRows(decision: DecisionState, prompt: DecisionPrompt | undefined, width: number, { glyphs }: Style): Row[] {
  const rows: RowSpan[][] = [];
  for (const index of decision.options.keys()) {
    const span: RowSpan = {
      text: ` ${optionText(decision, index, prompt?.choice === index)}`,
      tone: prompt?.choice === index ? 'active' : 'plain',
      option: index,
    };
    const row = rows.at(-1);
    if (row === undefined || spansWidth([...row, span]) > width - 1) rows.push([span]);
    else row.push({ text: ' ' }, span);
  }
  return rows.map((spans) => ({ spans: fitted(spans, width, glyphs.ellipsis) }));
}

function optionText(decision: DecisionState, index: number, isChosen: boolean): string {
  const option = decision.options[index];
  const mark = option?.recommended === true ? ' (recommended)' : '';
  return `${isChosen ? '>' : ' '}[${index + 1}] ${shown(option?.label ?? '', 200)}${mark}`;
}
