import { offeredKeys, type KeySituation } from '../keys/key-table.ts';
import type { ScreenModel } from './screen-model.ts';
import { fitted, spansWidth, type Row } from '../rows/row.ts';
import type { Span } from '../../view/cells.ts';
import { clip, textWidth } from '../rows/text-width.ts';
import { shown } from '../../view/text/shown-text.ts';

/** The row at the bottom: the keys that do something now, or a notice. The key for the help is always in it. */
export function footerRow(model: ScreenModel, situation: KeySituation): Row {
  const { columns, ui, style, wallMs } = model;
  const { ellipsis } = style.glyphs;
  if (ui.filterInput !== undefined) {
    const label: Span = { text: ' filter: ', tone: 'strong' };
    const hints = ['   Enter keeps it, Esc drops it, ! first: all but   Esc ? help', '   Enter keeps  Esc drops  Esc ? help'];
    const hint = hints.find((each) => textWidth(each) <= columns * 0.6) ?? '  Esc ? help';
    // Its end is where it grows.
    const room = columns - spansWidth([label, { text: hint }]);
    const typed = clip(`${shown(ui.filterInput, 200)}_`, room, ellipsis, 'start');
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

function labels(offered: ReturnType<typeof offeredKeys>): Span[] {
  return [
    { text: ' ' },
    ...offered.flatMap((binding): Span[] => [{ text: binding.shown, tone: 'strong' }, { text: ` ${binding.label ?? ''}  ` }]),
  ];
}
