import type { DecisionState } from '../../core/protocol/session-state.ts';
import type { Span } from '../../view/cells.ts';
import type { DecisionPrompt } from '../../view/decision-prompt.ts';
import type { Style } from '../../view/style.ts';
import { shown } from '../../view/text/shown-text.ts';
import { rowOfCells, fitted, spansWidth, wrapped, type Row } from '../rows/row.ts';
import { textWidth } from '../rows/text-width.ts';

const questionRows = 4;

/** How many rows the whole decision takes within a panel of this inner width. */
export function decisionHeight(decision: DecisionState, width: number, style: Style): number {
  const question = wrapped(shown(decision.question, 2_000), width - 1, questionRows, style.glyphs.ellipsis).length;
  return question + (inline(decision, undefined, width) === undefined ? decision.options.length : 1) + 1;
}

/** The question, the options by number, and what to do, in at most `height` rows. */
export function decisionRows(
  decision: DecisionState,
  prompt: DecisionPrompt | undefined,
  hint: Span,
  width: number,
  height: number,
  style: Style,
): Row[] {
  const { ellipsis } = style.glyphs;
  const room = Math.max(1, height - 2);
  const question = wrapped(shown(decision.question, 2_000), width - 1, Math.max(1, Math.min(questionRows, room)), ellipsis);
  const rows: Row[] = question.map((text) => ({ spans: fitted([{ text: ` ${text}`, tone: 'strong' }], width, ellipsis) }));
  const oneRow = inline(decision, prompt, width);
  if (oneRow !== undefined) rows.push({ spans: fitted(oneRow, width, ellipsis) });
  else rows.push(...optionRows(decision, prompt, width, Math.max(1, height - question.length - 1), style));
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

function optionRows(decision: DecisionState, prompt: DecisionPrompt | undefined, width: number, height: number, style: Style): Row[] {
  const { ellipsis } = style.glyphs;
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
      spans: rowOfCells(width, [{ text: '', width: 0 }, { text, width: optionWidth }, { text: about }], ellipsis),
      reversed: isChosen,
    };
  });
}

function optionText(decision: DecisionState, index: number, isChosen: boolean): string {
  const option = decision.options[index];
  const mark = option?.recommended === true ? ' (recommended)' : '';
  return `${isChosen ? '>' : ' '}[${index + 1}] ${shown(option?.label ?? '', 200)}${mark}`;
}
