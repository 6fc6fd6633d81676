import { overviewGroups, groupOf, overviewHeads, passesFilter, sessionCells, type OverviewGroup } from '../../view/overview.ts';
import { sessionReport } from '../../view/session-report.ts';
import type { SessionSummary } from '../../view/view-model.ts';
import { shortId } from '../../view/agents/agent-session.ts';
import { count, counted } from '../../view/text/numbers.ts';
import { framed, framesIn, type Area, type Frame } from '../rows/frames.ts';
import { fitted, rowOfCells, wrapped, type Row } from '../rows/row.ts';
import { padded } from '../rows/text-width.ts';
import { emptyRows } from './empty-rows.ts';
import { eventsFrame, eventsView } from './events-frame.ts';
import { inset, isStale, type Body } from './region.ts';
import type { ScreenModel } from './screen-model.ts';

/** From this width on the selected session is told beside the list. */
const previewColumns = 140;

/** The sessions that pass the filter, in their order. */
export function sessionsOnScreen({ sessions, ui }: Pick<ScreenModel, 'sessions' | 'ui'>): readonly SessionSummary[] {
  const filter = ui.filterInput ?? ui.sessionFilter;
  return filter === '' ? sessions : sessions.filter(({ state }) => passesFilter(state, filter));
}

/** All sessions by group, the events of all, and beside them, where there is room, what is to be said of the selected one. */
export function overviewBody(model: ScreenModel, headerHeight: number, height: number): Body {
  const { columns, ui, style } = model;
  const sessions = sessionsOnScreen(model);
  const area = { x: 0, y: headerHeight, width: columns, height };
  const bodyOf = (rows: Row[], rest: Partial<Body>): Body => ({
    regions: [{ id: 'body', x: 0, y: headerHeight, width: columns, rows }],
    lists: {},
    targets: [],
    overlayRows: undefined,
    ...rest,
  });
  if (model.sessions.length === 0) {
    return bodyOf(framed({ ...area, title: 'Sessions', place: '', isFocused: false, rows: emptyRows(model, columns - 2) }, style), {});
  }
  const hasPreview = columns >= previewColumns && sessions.length > 0;
  const width = hasPreview ? Math.floor(columns * 0.6) : columns;
  const wanted = sessions.length + overviewGroups.length + 3;
  const most = height < 16 ? height : Math.floor(height * 0.7);
  const listHeight = height < 16 ? height : Math.min(most, Math.max(wanted, hasPreview ? Math.floor(height * 0.55) : 6));
  const keys = sessions.map(({ state }) => state.session_id);
  const selected = Math.max(0, keys.indexOf(ui.cursors.overview.key ?? ''));
  const filter = ui.filterInput ?? ui.sessionFilter;
  const title = ['Sessions', filter && `with: ${filter}`, ui.marks.size > 0 && `${count(ui.marks.size)} marked`].filter(Boolean).join('  ');
  const { rows, shown } = overviewRows(model, sessions, selected, width - 2, listHeight - 2);
  if (sessions.length === 0) rows.push({ spans: inset([{ text: 'No session has these words; / changes them, Esc shows all.' }]) });
  const place = sessions.length === 0 ? '' : `${count(selected + 1)} of ${count(sessions.length)}`;
  const list = { ...area, width, height: listHeight };
  const frames: Frame[] = [{ ...list, title, place, isFocused: true, isStale: isStale(model), rows }];
  const chosen = sessions[selected];
  if (hasPreview && chosen !== undefined) frames.push(preview(model, chosen, { ...list, x: width - 1, width: columns - width + 1 }));
  if (listHeight < height) {
    const place = { ...area, y: headerHeight + listHeight - 1, height: height - listHeight + 1 };
    frames.push(eventsFrame(model, eventsView(model, true), place, false));
  }
  return bodyOf(framesIn(area, frames, style), {
    lists: { overview: { keys, height: Math.max(1, listHeight - 3), item: undefined } },
    // The heads have the first row.
    targets: [{ list: 'overview', ...list, keys: [undefined, ...shown] }],
  });
}

type Line = { heading: string } | { session: SessionSummary; index: number };

/** The heads, then those that need a human, which stay in sight, then the others as far as there is room; and which sessions show. */
function overviewRows(
  model: ScreenModel,
  sessions: readonly SessionSummary[],
  selected: number,
  width: number,
  height: number,
): { rows: Row[]; shown: (string | undefined)[] } {
  const { style, ui } = model;
  const { ellipsis } = style.glyphs;
  const grouped = Map.groupBy(
    sessions.map((session, index) => ({ session, index })),
    ({ session }) => groupOf(session.state),
  );
  const [needing = [], ...others] = overviewGroups.map((group) => linesOf(group, grouped.get(group) ?? []));
  const rest = others.flat();
  const room = height - 1;
  // Both keep at least a part of the room; what one does not need, the other has.
  const pinned = Math.min(needing.length, Math.max(Math.ceil(room * 0.6), room - rest.length));
  const shown = [...windowAround(needing, selected, pinned), ...windowAround(rest, selected, room - pinned)];
  const heads: Row = { spans: inset(rowOfCells(width - 2, overviewHeads(), ellipsis).map((span) => ({ ...span, tone: 'line' as const }))) };
  const rows = shown.map((line): Row => {
    if ('heading' in line) return { spans: fitted([{ text: ` ${line.heading}`, tone: 'strong' }], width, ellipsis) };
    const cells = sessionCells(line.session, style, ui.marks.has(line.session.state.session_id));
    return { spans: inset(rowOfCells(width - 2, cells, ellipsis)), reversed: line.index === selected };
  });
  return { rows: [heads, ...rows], shown: shown.map((line) => ('session' in line ? line.session.state.session_id : undefined)) };
}

function linesOf(group: OverviewGroup, members: readonly Line[]): Line[] {
  return members.length === 0 ? [] : [{ heading: `${group.toUpperCase()} ${count(members.length)}` }, ...members];
}

/** So many lines, the selected session among them where it is one of these; the first ones else. */
function windowAround(lines: readonly Line[], selected: number, height: number): readonly Line[] {
  const at = lines.findIndex((line) => 'index' in line && line.index === selected);
  const top = Math.max(0, Math.min(lines.length - height, at - Math.floor(height / 2)));
  const rows = lines.slice(top, top + Math.max(0, height));
  const heading = lines.slice(0, top + 1).findLast((line) => 'heading' in line);
  // The name of the group that shows first stays, with how much is above.
  if (top === 0 || heading === undefined || rows.length < 3) return rows;
  return [{ heading: `${heading.heading}, ${counted(top, 'row')} above` }, ...rows.slice(1)];
}

function preview(model: ScreenModel, { state }: SessionSummary, area: Area): Frame {
  const { style } = model;
  const { ellipsis } = style.glyphs;
  const inner = area.width - 4;
  const labelWidth = 9;
  const rows = sessionReport(state, style).flatMap(({ label, spans }): Row[] => {
    const name = { text: padded(label, labelWidth, ellipsis), tone: 'strong' as const };
    const [only, ...more] = spans;
    if (only === undefined || more.length > 0) return [{ spans: inset(fitted([name, ...spans], inner, ellipsis)) }];
    return wrapped(only.text, inner - labelWidth, 3, ellipsis).map((text, index) => ({
      spans: inset(fitted([index === 0 ? name : { text: ' '.repeat(labelWidth) }, { ...only, text }], inner, ellipsis)),
    }));
  });
  return { ...area, title: shortId(state.session_id), place: '', isFocused: false, isStale: isStale(model), rows };
}
