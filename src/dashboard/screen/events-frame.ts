import { fitted, type Row } from '../rows/row.ts';
import type { Area, Frame } from '../rows/frames.ts';
import { eventsPlace, eventsRows, eventsTitle, type EventsView } from './events-rows.ts';
import { isStale, inset } from './region.ts';
import type { ScreenModel } from './screen-model.ts';

/** What the log shows of this model. */
export function eventsView(model: ScreenModel, withSession: boolean): EventsView {
  const { ui, state, lines, globs } = model;
  return {
    lines,
    follow: ui.follow,
    cursor: ui.cursors.events,
    globs,
    typed: withSession ? '' : (ui.filterInput ?? ui.filter),
    startedAtMs: Date.parse(state?.started_at ?? state?.created_at ?? '') || 0,
    withSession,
    until: ui.history?.seq,
    notShown: model.notShown,
    earlier: withSession ? 0 : model.earlier,
  };
}

/** The log in its border. */
export function eventsFrame(model: ScreenModel, view: EventsView, area: Area, isFocused: boolean): Frame {
  const { style } = model;
  const { x, y, width, height } = area;
  const rows = eventsRows(view, width - 4, height - 2, isFocused, style).map((row): Row => ({ ...row, spans: inset(row.spans) }));
  if (rows.length === 0) {
    const text =
      view.typed === '' && view.globs.length === 0
        ? ' No event yet. Each shows here as it comes.'
        : ' No event passes the filter; / changes it.';
    rows.push({ spans: fitted([{ text }], width - 2, style.glyphs.ellipsis) });
  }
  const labels = { title: `6 ${eventsTitle(view)}`, place: eventsPlace(view, height - 2, style), isFocused, isStale: isStale(model) };
  return { x, y, width, height, ...labels, rows };
}
