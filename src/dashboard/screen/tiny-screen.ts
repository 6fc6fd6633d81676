import { counted } from '../../view/text/numbers.ts';
import { pendingDecisions } from '../../view/decision-prompt.ts';
import type { ScreenModel } from './screen-model.ts';
import { fitted, type Row } from '../rows/row.ts';
import type { Span } from '../../view/cells.ts';
import { connectionSpan, statusLine, statusSpan } from '../../view/status-line.ts';

/** The screen where there is no room: what must be known all the same, and the keys that act. */
export function tinyRows(model: ScreenModel): Row[] {
  const { columns, rows, style, state, ui } = model;
  const decisions = pendingDecisions(model, model.ui.sessionId);
  const lines: Span[] = [
    { text: `${columns}x${rows} is too small, 40x10 shows more`, tone: 'strong' },
    { text: ui.sessionId ?? `${model.sessions.length} sessions` },
    ...(state === undefined ? [] : [statusSpan(state.status, style)]),
    ...(model.connection.status === 'live' ? [] : [connectionSpan(model, true)]),
    ...(decisions === 0 ? [] : [{ text: `${style.glyphs.alert} ${counted(decisions, 'decision')}`, tone: 'warn' } as const]),
    ...(ui.notice !== undefined && ui.notice.untilMs > model.wallMs ? [{ text: ui.notice.text, tone: ui.notice.tone }] : []),
    ...statusLine(model).slice(0, 1),
    // The list of sessions does not fit: H would halt one that is not on screen.
    { text: model.isReadonly || ui.sessionId === undefined ? 'q quit   ? when larger' : 'H halt   q quit   ? when larger' },
  ];
  const shownLines = lines.length <= rows ? lines : [...lines.slice(0, Math.max(0, rows - 1)), lines.at(-1) ?? { text: '' }].slice(-rows);
  return Array.from({ length: rows }, (_, index) => ({
    spans: fitted([shownLines[index] ?? { text: '' }], columns, style.glyphs.ellipsis),
  }));
}
