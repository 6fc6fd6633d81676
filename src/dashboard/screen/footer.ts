import type { KeySituation } from '../keys/key-binding.ts';
import { offeredKeys } from '../keys/key-table.ts';
import type { UiState } from '../ui-state.ts';
import type { ScreenModel } from './screen-model.ts';
import { framed } from '../rows/frames.ts';
import { fitted, rowOfCells, spansWidth, type Row } from '../rows/row.ts';
import { count } from '../../view/text/numbers.ts';
import { footerHeight } from './layout.ts';
import { inset, type Region } from './region.ts';
import type { Span } from '../../view/cells.ts';
import { clip, textWidth } from '../rows/text-width.ts';
import { shown } from '../../view/text/shown-text.ts';

const mostCandidates = 10;

/** The row at the bottom: the keys that do something now, or a notice. The key for the help is always in it. */
export function footerRow(model: ScreenModel, situation: KeySituation): Row {
  const { columns, ui, style, wallMs } = model;
  const { ellipsis } = style.glyphs;
  const typing = typedNow(ui);
  if (typing !== undefined) {
    const label: Span = { text: ` ${typing.label}`, tone: 'strong' };
    const hint = typing.hints.find((each) => textWidth(each) <= columns * 0.6) ?? '  Esc ? help';
    // Its end is where it grows.
    const room = columns - spansWidth([label, { text: hint }]);
    const typed = clip(`${shown(typing.text, 200)}_`, room, ellipsis, 'start');
    return { spans: fitted([label, { text: typed }, { text: hint }], columns, ellipsis) };
  }
  if (ui.notice !== undefined && ui.notice.untilMs > wallMs) {
    return { spans: fitted([{ text: ' ? help  ' }, { text: ui.notice.text, tone: ui.notice.tone }], columns, ellipsis) };
  }
  let offered = offeredKeys(situation);
  while (spansWidth(labels(offered)) > columns && offered.length > 1) {
    const highest = Math.max(...offered.map((binding) => binding.rank ?? 0));
    const last = offered.findLastIndex((binding) => (binding.rank ?? 0) === highest);
    offered = offered.toSpliced(last, 1);
  }
  return { spans: fitted(labels(offered), columns, ellipsis) };
}

/** What can stand at the end of the command line, above it; undefined where nothing is typed or fits. */
export function candidatesRegion(model: ScreenModel, headerHeight: number): Region | undefined {
  const { candidates, columns, rows, style, ui } = model;
  if (candidates.length === 0) return undefined;
  const most = Math.max(1, Math.min(mostCandidates, Math.floor((rows - headerHeight - footerHeight) * 0.6) - 2));
  const height = Math.min(candidates.length, most);
  const chosen = ui.commandChoice ?? 0;
  const top = Math.max(0, Math.min(candidates.length - height, chosen - Math.floor(height / 2)));
  const lines = candidates.slice(top, top + height).map(({ label, says }, index): Row => ({
    spans: inset(
      rowOfCells(
        columns - 4,
        [{ text: label, width: { oneOf: 4, least: 12, most: 32 }, cut: 'middle', tone: 'strong' }, { text: says }],
        style.glyphs.ellipsis,
      ),
    ),
    reversed: top + index === ui.commandChoice,
  }));
  const place = candidates.length <= height ? '' : `${count(chosen + 1)} of ${count(candidates.length)}`;
  const area = { x: 0, y: rows - footerHeight - height - 2, width: columns, height: height + 2 };
  const title = ui.commandChoice === null ? 'Tab takes the first' : 'Enter takes it';
  return {
    id: 'candidates',
    x: area.x,
    y: area.y,
    width: columns,
    rows: framed({ ...area, title, place, isFocused: true, rows: lines }, style),
  };
}

/** The text that is being typed, what it is, and what can be typed or pressed, the longest hint first. */
function typedNow({ commandInput, filterInput, prompt, sessionId }: UiState): { text: string; label: string; hints: string[] } | undefined {
  const keeps = '   Enter keeps  Esc drops  Esc ? help';
  if (commandInput !== undefined) {
    const hints = [
      '   Tab completes, arrows choose, Enter goes   Esc ? help',
      '   Tab completes, arrows choose   Esc ? help',
      '   Tab completes   Esc ? help',
    ];
    return { text: commandInput, label: ':', hints };
  }
  if (prompt?.commentInput !== undefined) return { text: prompt.commentInput, label: 'comment: ', hints: [keeps] };
  if (filterInput === undefined) return undefined;
  return sessionId === undefined
    ? { text: filterInput, label: 'sessions with: ', hints: ['   Enter keeps it, Esc drops it, as: failed, needs you   Esc ? help', keeps] }
    : { text: filterInput, label: 'filter: ', hints: ['   Enter keeps it, Esc drops it, ! first: all but   Esc ? help', keeps] };
}

function labels(offered: ReturnType<typeof offeredKeys>): Span[] {
  return [
    { text: ' ' },
    ...offered.flatMap((binding): Span[] => [{ text: binding.shown, tone: 'strong' }, { text: ` ${binding.label ?? ''}  ` }]),
  ];
}
