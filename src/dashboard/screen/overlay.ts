import { helpBindings, type KeyBinding, type KeyContext } from '../keys/key-table.ts';
import type { DetailField } from '../../view/panels/panel.ts';
import type { Overlay, RollbackDialog } from '../ui-state.ts';
import { rowOfCells, fitted, wrapped, type Row } from '../rows/row.ts';
import type { Style } from '../../view/style.ts';

/** What lies over the panels: more rows than fit are scrolled, those of `foot` always show. */
export interface OverlayContent {
  title: string;
  rows: Row[];
  foot: Row[];
}

export function overlayContent(overlay: Overlay, isReadonly: boolean, width: number, style: Style): OverlayContent {
  switch (overlay.kind) {
    case 'help':
      return { title: 'Help', rows: helpRows(isReadonly, width, style), foot: [] };
    case 'detail':
      return { title: overlay.title, rows: detailRows(overlay.fields, width, style), foot: [] };
    case 'rollback':
      return { title: `Roll back ${overlay.sessionId}?`, ...rollbackContent(overlay, width, style) };
  }
}

function helpRows(isReadonly: boolean, width: number, style: Style): Row[] {
  const { ellipsis } = style.glyphs;
  const arrows = (text: string) => (ellipsis === '…' ? text : text.replace(' ↓', ' Down').replace(' ↑', ' Up'));
  const heading = (text: string): Row => ({ spans: fitted([{ text: ` ${text}`, tone: 'strong' }], width, ellipsis) });
  const row = (binding: KeyBinding): Row[] =>
    wrapped(binding.does, Math.max(10, width - 14), 9, ellipsis).map((text, index) => ({
      spans: rowOfCells(
        width,
        [{ text: '', width: 0 }, { text: index === 0 ? arrows(binding.shown) : '', width: 11, tone: 'strong' }, { text }],
        ellipsis,
      ),
    }));
  const bindings = helpBindings(isReadonly);
  const only = (context: KeyContext) => bindings.filter((binding) => binding.in.length === 1 && binding.in[0] === context);
  const special = new Set([...only('decision'), ...only('rollback'), ...only('overview')]);
  return [
    ...bindings.filter((binding) => !special.has(binding)).flatMap(row),
    heading('In the overview of all sessions'),
    ...only('overview').flatMap(row),
    ...(isReadonly
      ? []
      : [
          heading('While you decide'),
          ...only('decision').flatMap(row),
          heading('In the rollback dialog'),
          ...only('rollback').flatMap(row),
        ]),
  ];
}

function detailRows(fields: readonly DetailField[], width: number, style: Style): Row[] {
  const { ellipsis } = style.glyphs;
  return fields
    .filter(([, value]) => value !== '')
    .flatMap(([label, value]) =>
      wrapped(value, Math.max(10, width - 18), 200, ellipsis).map((text, index) => ({
        spans: rowOfCells(width, [{ text: '', width: 0 }, { text: index === 0 ? label : '', width: 14 }, { text }], ellipsis),
      })),
    );
}

function rollbackContent(dialog: RollbackDialog, width: number, style: Style): Pick<OverlayContent, 'rows' | 'foot'> {
  const { ellipsis } = style.glyphs;
  const said = dialog.lines.flatMap((line) => wrapped(line, width - 3, 20, ellipsis));
  const row = (text: string, tone: 'plain' | 'strong' | 'warn' | 'bad' = 'plain'): Row => ({
    spans: fitted([{ text: ` ${text}`, tone }], width, ellipsis),
  });
  const lines = said.map((line) => row(line));
  const foot = (text: string) => [row(''), row(text, 'strong')];
  switch (dialog.stage) {
    case 'asking':
      return { rows: [row('Asking the orchestrator what would be undone ...')], foot: foot('[ Cancel ]  Enter or Esc') };
    case 'refused':
      return { rows: [row('Cannot be rolled back now:', 'bad'), ...lines], foot: foot('[ Close ]  Enter or Esc') };
    case 'sending':
      return { rows: [row('Rolling back ...', 'warn'), ...lines], foot: [] };
    case 'ready':
      return { rows: [row('This would be undone:', 'warn'), ...lines], foot: foot('[ Cancel ]  Enter or Esc      y  roll back') };
  }
}
