import { pendingDecisions } from '../../view/decision-prompt.ts';
import { clock, count, counted, rate } from '../../view/text/numbers.ts';
import type { ScreenModel } from './screen-model.ts';
import { fitted, sides, spansWidth, type Row } from '../rows/row.ts';
import type { Span } from '../../view/cells.ts';
import { skillCounts } from '../../view/panels/skills-panel.ts';
import { connectionSpan, ranMs, statusLine, statusSpan } from '../../view/status-line.ts';
import { clip } from '../rows/text-width.ts';

/** The two rows at the top: which session and how it stands; how far it is. */
export function headerRows(model: ScreenModel): Row[] {
  const decisions = pendingDecisions(model, model.ui.sessionId);
  return [{ spans: titleSpans(model, decisions), reversed: decisions > 0 }, { spans: progressSpans(model) }];
}

function titleSpans(model: ScreenModel, decisions: number): Span[] {
  const { columns, style, state, ui } = model;
  const { ellipsis } = style.glyphs;
  const right = titleRight(model, decisions);
  const name = ui.sessionId ?? `all sessions ${model.sessions.length}`;
  const status: Span[] = state === undefined ? [] : [{ text: '  ' }, statusSpan(state.status, style)];
  const elapsed: Span[] = state === undefined ? [] : [{ text: `  ${clock(ranMs(state, style.nowMs))}` }];
  const room = columns - spansWidth(right) - spansWidth(status) - 2;
  const withElapsed = room - spansWidth(elapsed) >= Math.min(name.length, 12) ? elapsed : [];
  const roomForName = Math.max(6, room - spansWidth(withElapsed));
  const left: Span[] = [
    { text: ` ${clip(name, roomForName, ellipsis, 'middle')}`, tone: 'strong' },
    ...status,
    ...withElapsed,
    { text: ' ' },
  ];
  return sides(left, right, columns, ellipsis);
}

/** Connection, rate, decisions; where room is short the rate goes first and the decisions never. */
function titleRight(model: ScreenModel, decisions: number): Span[] {
  const { columns, ui, style, connection } = model;
  const waiting: Span[] = decisions === 0 ? [] : [{ text: `  ${style.glyphs.alert} ${counted(decisions, 'decision')}`, tone: 'warn' }];
  const readonly: Span[] = model.isReadonly ? [{ text: '  read only' }] : [];
  const moment: Span[] =
    ui.history === undefined
      ? []
      : [{ text: `HISTORY ${count(ui.history.seq)}/${count(model.live?.seq ?? 0)}`, tone: 'warn' }, { text: '  l live' }];
  const where = connectionSpan(model);
  const speed: Span[] = connection.status === 'live' ? [{ text: `  ${rate(model.eventsPerSecond)} ev/s` }] : [];
  const choices: Span[][] =
    ui.history === undefined
      ? [[where, ...speed, ...readonly], [where, ...speed], [where], [connectionSpan(model, true)]]
      : [[where, { text: '  ' }, ...moment, ...readonly], moment, moment.slice(0, 1)];
  const room = columns * 0.62 - spansWidth(waiting);
  const found = choices.find((spans) => spansWidth(spans) <= room) ?? choices.at(-1) ?? [];
  const kept = spansWidth(found) <= room ? found : fitted(found, Math.max(0, Math.floor(room)), style.glyphs.ellipsis);
  return [...kept, ...waiting, { text: ' ' }];
}

function progressSpans(model: ScreenModel): Span[] {
  const { columns, style, state, ui } = model;
  const { ellipsis, full, empty } = style.glyphs;
  const sentences = statusLine(model).flatMap((sentence): Span[] => [{ text: '  ' }, sentence]);
  if (state === undefined) {
    const text = ui.sessionId === undefined ? 'sorted by what needs you first' : '';
    return fitted([{ text: ` ${text}` }, ...sentences], columns, ellipsis);
  }
  const { done, failed, total } = skillCounts(state);
  const figures: Span[] = [
    ...(state.progress === null ? [] : [{ text: `  ${Math.round(state.progress)}%` }]),
    ...(total === 0 ? [] : [{ text: `  ${done}/${total} skills` }]),
    ...(failed === 0 ? [] : [{ text: `  ${failed} failed`, tone: 'bad' } as const]),
    ...(model.connection.status === 'live' || ui.history !== undefined ? [] : [{ text: '  stale', tone: 'bad' } as const]),
    ...sentences,
  ];
  const part = state.progress === null ? (total === 0 ? null : done / total) : state.progress / 100;
  // A bar that can never fill says less than nothing.
  if (part === null) return fitted([{ text: ' ' }, ...trimmedStart(figures)], columns, ellipsis);
  const width = Math.max(8, Math.min(Math.floor(columns / 2), columns - spansWidth(figures) - 3));
  const filled = Math.round(Math.min(1, part) * width);
  const bar: Span[] = [
    { text: ` ${full.repeat(filled)}`, tone: state.status === 'failed' ? 'bad' : 'active' },
    { text: empty.repeat(width - filled), tone: 'line' },
  ];
  return fitted([...bar, ...figures], columns, ellipsis);
}

/** The spans without the space that sets the first one off. */
function trimmedStart([first, ...rest]: Span[]): Span[] {
  if (first === undefined) return [];
  return first.text.trim() === '' ? trimmedStart(rest) : [{ ...first, text: first.text.trimStart() }, ...rest];
}
