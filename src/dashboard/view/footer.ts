import { offeredKeys, type KeySituation } from './key-table.ts';
import type { Picture } from './picture.ts';
import { fitted, spansWidth, type Row, type Span } from './row.ts';
import { shown } from './text.ts';

/** The row at the bottom: what can be done now, or what has just happened. The way to the help is always there. */
export function footerRow(picture: Picture, situation: KeySituation): Row {
  const { columns, ui, look, wallMs } = picture;
  const { ellipsis } = look.glyphs;
  if (ui.filterInput !== undefined) {
    const spans: Span[] = [
      { text: ' filter: ', tone: 'strong' },
      { text: `${shown(ui.filterInput, 200)}_` },
      { text: '   Enter keeps it, Esc drops it, ! first: all but' },
    ];
    return { spans: fitted(spans, columns, ellipsis) };
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
