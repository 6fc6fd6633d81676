import { counted } from './figures.ts';
import { pendingDecisions } from './header.ts';
import type { Picture } from './picture.ts';
import { fitted, type Row, type Span } from './row.ts';
import { connectionSpan, standing, statusSpan } from './standing.ts';

/** The screen where there is no room: what must be known all the same, and the keys that act. */
export function tinyRows(picture: Picture): Row[] {
  const { columns, rows, look, state, ui } = picture;
  const decisions = pendingDecisions(picture);
  const lines: Span[] = [
    { text: `${columns}x${rows} is too small, 40x10 shows more`, tone: 'strong' },
    { text: ui.sessionId ?? `${picture.sessions.length} sessions` },
    ...(state === undefined ? [] : [statusSpan(state.status, look)]),
    ...(picture.connection.status === 'live' ? [] : [connectionSpan(picture, true)]),
    ...(decisions === 0 ? [] : [{ text: `${look.glyphs.alert} ${counted(decisions, 'decision')}`, tone: 'warn' } as const]),
    ...(ui.notice !== undefined && ui.notice.untilMs > picture.wallMs ? [{ text: ui.notice.text, tone: ui.notice.tone }] : []),
    ...standing(picture).slice(0, 1),
    // Of several, none is chosen that nobody sees.
    { text: picture.isReadonly || ui.sessionId === undefined ? 'q quit   ? when larger' : 'H halt   q quit   ? when larger' },
  ];
  const shownLines = lines.length <= rows ? lines : [...lines.slice(0, Math.max(0, rows - 1)), lines.at(-1) ?? { text: '' }].slice(-rows);
  return Array.from({ length: rows }, (_, index) => ({
    spans: fitted([shownLines[index] ?? { text: '' }], columns, look.glyphs.ellipsis),
  }));
}
