import { emptyState } from '../../view/empty-state.ts';
import { fitted, wrapped, type Row } from '../rows/row.ts';
import type { ScreenModel } from './screen-model.ts';

/** What stands in the body while there is nothing else to show. */
export function emptyRows(model: ScreenModel, width: number): Row[] {
  const { ellipsis } = model.style.glyphs;
  return emptyState(model, model.ui.sessionId).flatMap(({ text, tone }) => {
    const indent = `  ${/^ */.exec(text)?.[0] ?? ''}`;
    const parts = wrapped(text.trimStart(), width - indent.length - 1, 5, ellipsis);
    return (parts.length === 0 ? [''] : parts).map((part) => ({
      spans: fitted([{ text: indent }, { text: part, tone }], width, ellipsis),
    }));
  });
}
