import type { KeyBinding, KeyContext } from '../keys/key-binding.ts';
import { helpBindings } from '../keys/key-table.ts';
import type { DetailField } from '../../view/panels/panel.ts';
import type { Overlay, RollbackDialog } from '../ui-state.ts';
import type { SessionState } from '../../core/protocol/session-state.ts';
import { stopSentences } from '../../view/stop-question.ts';
import { rowOfCells, fitted, wrapped, type Row } from '../rows/row.ts';
import type { Style } from '../../view/style.ts';
import type { Tone } from '../../view/cells.ts';

/** What lies over the panels: more rows than fit are scrolled, those of `foot` always show. */
export interface OverlayContent {
  title: string;
  rows: Row[];
  foot: Row[];
}

/** @param subject the session that a dialog is about */
export function overlayContent(
  overlay: Overlay,
  { isReadonly, subject }: { isReadonly: boolean; subject: SessionState | undefined },
  width: number,
  style: Style,
): OverlayContent {
  switch (overlay.kind) {
    case 'help':
      return { title: 'Help', rows: helpRows(isReadonly, width, style), foot: [] };
    case 'detail':
      return { title: overlay.title, rows: detailRows(overlay.fields, width, style), foot: [] };
    case 'rollback':
      return { title: `Roll back ${overlay.sessionId}?`, ...rollbackContent(overlay, width, style) };
    case 'stop':
      return {
        title: `Stop ${overlay.sessionId}?`,
        rows: (subject === undefined ? [] : stopSentences(subject)).flatMap((text) => textRows(text, width, style)),
        foot:
          overlay.stage === 'sending'
            ? textRows('Ending the program ...', width, style, 'warn')
            : ['', '[ Cancel ]  Enter or Esc      y  end the program'].flatMap((text) => textRows(text, width, style, 'strong')),
      };
  }
}

/** What the mouse does, as the help says it. */
const mouseHelp = { shown: 'Mouse', does: 'wheel scrolls, click chooses; Shift: copy' };

/** From this width on the help has two columns. */
const twoColumns = 98;

function helpRows(isReadonly: boolean, width: number, style: Style): Row[] {
  const { ellipsis } = style.glyphs;
  if (width < twoColumns) return helpEntries(isReadonly, width, style).flat();
  const gap = [{ text: ' ' }, { text: style.glyphs.vertical, tone: 'line' as const }];
  const left = Math.floor((width - gap.length) / 2);
  const right = width - gap.length - left;
  const entries = helpEntries(isReadonly, left, style);
  const half = Math.ceil(entries.flat().length / 2);
  const cut = entries.findIndex((_, index) => entries.slice(0, index + 1).flat().length >= half) + 1;
  const [first, second] = [entries.slice(0, cut).flat(), entries.slice(cut).flat()];
  return first.map((row, index) => ({
    spans: [...fitted(row.spans, left, ellipsis), ...gap, ...fitted(second[index]?.spans ?? [], right, ellipsis)],
  }));
}

/** Each key, with the rows that it takes; what counts on one screen only stands below its name. */
function helpEntries(isReadonly: boolean, width: number, style: Style): Row[][] {
  const { ellipsis } = style.glyphs;
  const arrows = (text: string) =>
    ellipsis === '…' ? text : text.replace(' ↓', ' Down').replace(' ↑', ' Up').replace(' →', ' Right').replace(' ←', ' Left');
  const heading = (text: string): Row[] => [{ spans: fitted([{ text: ` ${text}`, tone: 'strong' }], width, ellipsis) }];
  const entry = (binding: Pick<KeyBinding, 'shown' | 'does'>): Row[] =>
    wrapped(binding.does, Math.max(10, width - 14), 9, ellipsis).map((text, index) => ({
      spans: rowOfCells(
        width,
        [{ text: '', width: 0 }, { text: index === 0 ? arrows(binding.shown) : '', width: 11, tone: 'strong' }, { text }],
        ellipsis,
      ),
    }));
  const bindings = helpBindings(isReadonly);
  const only = (context: KeyContext) => bindings.filter((binding) => binding.in.length === 1 && binding.in[0] === context);
  const special = new Set([...only('decision'), ...only('rollback'), ...only('stop'), ...only('overview')]);
  return [
    ...bindings.filter((binding) => !special.has(binding)).map(entry),
    entry(mouseHelp),
    heading('In the overview of all sessions'),
    ...only('overview').map(entry),
    ...(isReadonly
      ? []
      : [
          heading('While you decide'),
          ...only('decision').map(entry),
          heading('In the rollback dialog'),
          ...only('rollback').map(entry),
          heading('In the stop dialog'),
          ...only('stop').map(entry),
        ]),
  ];
}

/** From this width on the lines of a detail stand beside their name. */
const wideDetail = 90;

function detailRows(fields: readonly DetailField[], width: number, style: Style): Row[] {
  const { ellipsis } = style.glyphs;
  return fields
    .filter(([label, value]) => value !== '' || label === '')
    .flatMap(([label, value, tone], at, all) => {
      // Where room is short, a field of many lines has all of it, below its name.
      const isBelow = width < wideDetail && (label === '' || all[at + 1]?.[0] === '');
      const names = isBelow ? [] : [14];
      const room = width - (isBelow ? 3 : 18);
      // Lines of JSON and of differences keep their indent.
      const indent = (/^ */.exec(value)?.[0] ?? '').slice(0, Math.floor(width / 3));
      const row = (text: string, name: string, textTone: Tone | undefined): Row => ({
        spans: rowOfCells(
          width,
          [{ text: '', width: 0 }, ...names.map((nameWidth) => ({ text: name, width: nameWidth })), { text, tone: textTone }],
          ellipsis,
        ),
      });
      const lines = wrapped(value.trimStart(), Math.max(10, room - indent.length), 200, ellipsis);
      const rows = (lines.length === 0 ? [''] : lines).map((text, index) => row(indent + text, index === 0 ? label : '', tone));
      return isBelow && label !== '' ? [row(label, '', undefined), ...rows] : rows;
    });
}

function textRows(text: string, width: number, { glyphs }: Style, tone: Tone = 'plain'): Row[] {
  const parts = wrapped(text, width - 3, 20, glyphs.ellipsis);
  return (parts.length === 0 ? [''] : parts).map((part) => ({ spans: fitted([{ text: ` ${part}`, tone }], width, glyphs.ellipsis) }));
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
      return { rows: [row('Asking the program what would be undone ...')], foot: foot('[ Cancel ]  Enter or Esc') };
    case 'refused':
      return { rows: [row('Cannot be rolled back now:', 'bad'), ...lines], foot: foot('[ Close ]  Enter or Esc') };
    case 'sending':
      return { rows: [row('Rolling back ...', 'warn'), ...lines], foot: [] };
    case 'ready':
      return {
        rows: [...dialog.checkpoint.map((line) => row(line, 'strong')), row('This would be undone:', 'warn'), ...lines],
        foot: foot('[ Cancel ]  Enter or Esc      y  roll back'),
      };
  }
}
