import { helpBindings, type KeyBinding, type KeyContext } from './key-table.ts';
import type { DetailField } from './panel-list.ts';
import type { Overlay, RollbackDialog } from './picture.ts';
import { columns, fitted, wrapped, type Look, type Row } from './row.ts';

/** Title and rows of what lies over the panels; more rows than fit are scrolled. */
export function overlayContent(overlay: Overlay, isReadonly: boolean, width: number, look: Look): { title: string; rows: Row[] } {
  switch (overlay.kind) {
    case 'help':
      return { title: 'Help', rows: helpRows(isReadonly, width, look) };
    case 'detail':
      return { title: overlay.title, rows: detailRows(overlay.fields, width, look) };
    case 'rollback':
      return { title: `Roll back ${overlay.sessionId}?`, rows: rollbackRows(overlay, width, look) };
  }
}

function helpRows(isReadonly: boolean, width: number, look: Look): Row[] {
  const { ellipsis } = look.glyphs;
  const arrows = (text: string) => (ellipsis === '…' ? text : text.replace(' ↓', ' Down').replace(' ↑', ' Up'));
  const heading = (text: string): Row => ({ spans: fitted([{ text: ` ${text}`, tone: 'strong' }], width, ellipsis) });
  const row = (binding: KeyBinding): Row => ({
    spans: columns(
      width,
      [{ text: '', width: 0 }, { text: arrows(binding.shown), width: 11, tone: 'strong' }, { text: binding.does }],
      ellipsis,
    ),
  });
  const bindings = helpBindings(isReadonly);
  const only = (context: KeyContext) => bindings.filter((binding) => binding.in.length === 1 && binding.in[0] === context);
  const special = new Set([...only('decision'), ...only('rollback'), ...only('overview')]);
  return [
    ...bindings.filter((binding) => !special.has(binding)).map(row),
    heading('In the overview of all sessions'),
    ...only('overview').map(row),
    ...(isReadonly
      ? []
      : [heading('While you decide'), ...only('decision').map(row), heading('In the rollback dialog'), ...only('rollback').map(row)]),
  ];
}

function detailRows(fields: readonly DetailField[], width: number, look: Look): Row[] {
  const { ellipsis } = look.glyphs;
  return fields
    .filter(([, value]) => value !== '')
    .flatMap(([label, value]) =>
      wrapped(value, Math.max(10, width - 18), 200, ellipsis).map((text, index) => ({
        spans: columns(width, [{ text: '', width: 0 }, { text: index === 0 ? label : '', width: 14 }, { text }], ellipsis),
      })),
    );
}

function rollbackRows(dialog: RollbackDialog, width: number, look: Look): Row[] {
  const { ellipsis } = look.glyphs;
  const said = dialog.lines.flatMap((line) => wrapped(line, width - 3, 20, ellipsis));
  const row = (text: string, tone: 'plain' | 'strong' | 'warn' | 'bad' = 'plain'): Row => ({
    spans: fitted([{ text: ` ${text}`, tone }], width, ellipsis),
  });
  switch (dialog.stage) {
    case 'asking':
      return [row('Asking the orchestrator what would be undone ...'), row(''), row('[ Cancel ]  Enter or Esc', 'strong')];
    case 'refused':
      return [
        row('Cannot be rolled back now:', 'bad'),
        ...said.map((line) => row(line)),
        row(''),
        row('[ Close ]  Enter or Esc', 'strong'),
      ];
    case 'sending':
      return [row('Rolling back ...', 'warn'), ...said.map((line) => row(line))];
    case 'ready':
      return [
        row('This would be undone:', 'warn'),
        ...said.map((line) => row(line)),
        row(''),
        row('[ Cancel ]  Enter or Esc      y  roll back', 'strong'),
      ];
  }
}
