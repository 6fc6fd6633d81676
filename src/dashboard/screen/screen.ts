import { agentsPanel } from '../../view/panels/agents-panel.ts';
import { decisionHeight, decisionRows } from './decision-rows.ts';
import { decisionOnScreen, decisionsPanel, decisionTitle } from '../../view/panels/decisions-panel.ts';
import { openDecisions } from '../../view/decision-prompt.ts';
import { eventKeys, eventsPlace, eventsRows, eventsTitle, type EventsView } from './events-rows.ts';
import { count, counted } from '../../view/text/numbers.ts';
import { filesPanel } from '../../view/panels/files-panel.ts';
import { footerRow } from './footer.ts';
import { emptyRows } from './empty-rows.ts';
import { headerRows } from './header.ts';
import type { KeySituation } from '../keys/key-table.ts';
import { footerHeight, headerHeight, layoutKind, panelPlaces, type PanelPlace } from './layout.ts';
import { situationOf } from './key-situation.ts';
import { windowOf } from '../rows/list-cursor.ts';
import { overlayContent } from './overlay.ts';
import { sessionCells } from '../../view/overview.ts';
import { framed } from '../rows/panel-frame.ts';
import { panelIds, type PanelId, type PanelItem, type PanelList } from '../../view/panels/panel.ts';
import type { ScreenModel } from './screen-model.ts';
import { rowOfCells, fitted, wrapped, type Row } from '../rows/row.ts';
import type { Span } from '../../view/cells.ts';
import { skillsPanel } from '../../view/panels/skills-panel.ts';
import { tinyRows } from './tiny-screen.ts';
import { validationPanel } from '../../view/panels/validation-panel.ts';
import type { Style } from '../../view/style.ts';

/** A part of the screen that is drawn, and left alone, as a whole. */
interface Region {
  id: string;
  x: number;
  y: number;
  width: number;
  rows: readonly Row[];
}

/** A list that keys can act on: what is in it and how much of it shows. */
interface ListGeometry {
  keys: readonly string[];
  height: number;
  /** The selected item, where it is one with a detail. */
  item: PanelItem | undefined;
}

/** A whole frame, exactly as large as the window, and what keys need to know of it. */
export interface Screen {
  regions: readonly Region[];
  situation: KeySituation;
  lists: Partial<Record<PanelId | 'overview', ListGeometry>>;
  /** How far the overlay can be scrolled. */
  overlayRows: { rows: number; height: number } | undefined;
}

const lists: Record<Exclude<PanelId, 'events'>, (state: NonNullable<ScreenModel['state']>) => PanelList> = {
  skills: skillsPanel,
  agents: agentsPanel,
  files: filesPanel,
  validation: validationPanel,
  decision: decisionsPanel,
};

/** The screen for a model. Pure: the same model gives the same rows. */
export function screenOf(model: ScreenModel): Screen {
  const situation = situationOf(model);
  if (layoutKind(model.columns, model.rows) === 'tiny') {
    return {
      regions: [{ id: 'tiny', x: 0, y: 0, width: model.columns, rows: tinyRows(model) }],
      situation,
      lists: {},
      overlayRows: undefined,
    };
  }
  const body = bodyOf(model);
  const { columns, rows } = model;
  return {
    situation,
    lists: body.lists,
    overlayRows: body.overlayRows,
    regions: [
      { id: 'header', x: 0, y: 0, width: columns, rows: headerRows(model) },
      ...body.regions,
      { id: 'footer', x: 0, y: rows - footerHeight, width: columns, rows: [footerRow(model, situation)] },
    ],
  };
}

type Body = Pick<Screen, 'regions' | 'lists' | 'overlayRows'>;

function bodyOf(model: ScreenModel): Body {
  const { columns, rows, ui, style, state } = model;
  const height = rows - headerHeight - footerHeight;
  const whole = (id: string, content: Row[]): Region => ({ id, x: 0, y: headerHeight, width: columns, rows: content });
  if (ui.overlay !== undefined) {
    const { title, rows: content, foot } = overlayContent(ui.overlay, model.isReadonly, columns - 2, style);
    const room = Math.max(1, height - 2 - foot.length);
    const top = Math.max(0, Math.min(ui.overlayTop, content.length - room));
    const place = placeText(top, room, content.length, 0);
    const frame = framed([...content.slice(top, top + room), ...foot], { title, place, isFocused: true }, columns, height, style);
    return { regions: [whole('overlay', frame)], lists: {}, overlayRows: { rows: content.length, height: room } };
  }
  if (ui.sessionId === undefined) return overviewBody(model, height);
  if (state === undefined) {
    const title = ui.history === undefined ? ui.sessionId : `History ${count(ui.history.seq)} is on its way`;
    const content = ui.history === undefined ? emptyRows(model, columns - 2) : [];
    return {
      regions: [whole('guidance', framed(content, { title, place: '', isFocused: false }, columns, height, style))],
      lists: {},
      overlayRows: undefined,
    };
  }
  return panelsBody(model);
}

function overviewBody(model: ScreenModel, height: number): Body {
  const { columns, ui, style, sessions } = model;
  const isStale = model.connection.status !== 'live';
  if (sessions.length === 0) {
    const rows = framed(emptyRows(model, columns - 2), { title: 'Sessions', place: '', isFocused: false }, columns, height, style);
    return { regions: [{ id: 'overview', x: 0, y: headerHeight, width: columns, rows }], lists: {}, overlayRows: undefined };
  }
  const eventsHeight = height >= 16 ? Math.floor(height * 0.4) : 0;
  const listHeight = height - eventsHeight - 2;
  const keys = sessions.map(({ state }) => state.session_id);
  const { top, selected } = windowOf(keys, ui.cursors.overview, listHeight);
  const rows = sessions.slice(top, top + listHeight).map((session, offset): Row => ({
    spans: padLeft(rowOfCells(columns - 4, sessionCells(session, style), style.glyphs.ellipsis)),
    reversed: top + offset === selected,
  }));
  const labels = { title: 'Sessions', place: placeText(top, listHeight, sessions.length, 0), isFocused: true, isStale };
  const regions: Region[] = [
    { id: 'overview', x: 0, y: headerHeight, width: columns, rows: framed(rows, labels, columns, listHeight + 2, style) },
  ];
  if (eventsHeight > 0) {
    const view = eventsView(model, true);
    regions.push(eventsRegion(model, view, { x: 0, y: headerHeight + listHeight + 2, width: columns, height: eventsHeight }, false));
  }
  return { regions, lists: { overview: { keys, height: listHeight, item: undefined } }, overlayRows: undefined };
}

function panelsBody(model: ScreenModel): Body {
  const { columns, rows, ui, style, state } = model;
  const decision = ui.history === undefined ? decisionOnScreen(state, ui.prompt) : undefined;
  const wanted = decision === undefined ? 0 : decisionHeight(decision, columns - 2, style) + 2;
  const places = panelPlaces({ columns, rows, focus: ui.focus, isZoomed: ui.isZoomed, decisionHeight: wanted, empty: emptyPanels(state) });
  const geometry: Screen['lists'] = {};
  const regions = places.map((place): Region => {
    if (place.id === 'events' && !place.isFolded) {
      const view = eventsView(model, false);
      const isFocused = ui.focus === 'events';
      geometry.events = { keys: isFocused ? eventKeys(view.lines) : [], height: place.height - 2, item: undefined };
      return eventsRegion(model, view, place, isFocused);
    }
    if (place.id === 'decision' && decision !== undefined) return decisionRegion(model, place);
    return listRegion(model, place, geometry);
  });
  return { regions, lists: geometry, overlayRows: undefined };
}

function emptyPanels(state: ScreenModel['state']): Set<PanelId> {
  const { skills = [], agents = [], files = [], validations = [] } = state ?? {};
  const counts: [PanelId, number][] = [
    ['skills', skills.length],
    ['agents', agents.length],
    ['files', files.length],
    ['validation', validations.length],
  ];
  return new Set(counts.filter(([, items]) => items === 0).map(([id]) => id));
}

function listRegion(model: ScreenModel, place: PanelPlace, geometry: Screen['lists']): Region {
  const { state, ui, style } = model;
  const { id, x, y, width, height } = place;
  if (state === undefined || id === 'events') return { id, x, y, width, rows: [] };
  const list = lists[id](state);
  const title = `${panelIds.indexOf(id) + 1} ${list.title}`;
  if (place.isFolded) return { id, x, y, width, rows: [foldedRow(title, list, width, style)] };
  const isFocused = ui.focus === id;
  const keys = list.items.map((item) => item.key);
  const inner = height - 2;
  const { top, selected } = windowOf(keys, ui.cursors[id], inner);
  geometry[id] = { keys, height: inner, item: list.items[selected] };
  const rows = list.items.slice(top, top + inner).map((item, offset): Row => ({
    spans: padLeft(rowOfCells(width - 4, item.cells(style), style.glyphs.ellipsis)),
    reversed: isFocused && top + offset === selected,
  }));
  if (rows.length === 0) {
    for (const text of wrapped(list.empty, width - 4, inner, style.glyphs.ellipsis)) rows.push({ spans: padLeft([{ text }]) });
  }
  const labels = { title, place: placeText(top, inner, list.items.length, list.letGo), isFocused, isStale: isStale(model) };
  return { id, x, y, width, rows: framed(rows, labels, width, height, style) };
}

function foldedRow(title: string, list: PanelList, width: number, style: Style): Row {
  const summary: readonly Span[] = list.summary.length === 0 ? [{ text: list.empty }] : list.summary;
  return { spans: fitted([{ text: ` ${title}  `, tone: 'strong' }, ...summary], width, style.glyphs.ellipsis) };
}

function decisionRegion(model: ScreenModel, place: PanelPlace): Region {
  const { state, ui, style, isReadonly } = model;
  const { id, x, y, width, height } = place;
  const open = openDecisions(state);
  const decision = decisionOnScreen(state, ui.prompt);
  if (decision === undefined) return { id, x, y, width, rows: [] };
  const title = `5 ${decisionTitle(decision, open.indexOf(decision), open.length, style)}`;
  const rows = decisionRows(
    decision,
    ui.prompt,
    decisionHint(decision.options.length, ui.prompt, isReadonly),
    width - 2,
    height - 2,
    style,
  );
  const labels = { title, place: '', isFocused: ui.focus === 'decision' || ui.prompt !== undefined, isStale: isStale(model) };
  return { id, x, y, width, rows: framed(rows, labels, width, height, style) };
}

function decisionHint(options: number, prompt: ScreenModel['ui']['prompt'], isReadonly: boolean): Span {
  if (isReadonly) return { text: 'read only: somebody else decides' };
  if (prompt === undefined) return { text: 'd  decide this' };
  if (prompt.sending) return { text: 'sending ...', tone: 'warn' };
  if (prompt.choice === null) return { text: `choose 1-${options}, then Enter        Esc leaves it open` };
  return { text: `Enter sends option ${prompt.choice + 1}        Esc leaves it open`, tone: 'active' };
}

function eventsView(model: ScreenModel, withSession: boolean): EventsView {
  const { ui, state, lines, globs } = model;
  return {
    lines,
    follow: ui.follow,
    cursor: ui.cursors.events,
    globs,
    typed: ui.filterInput ?? ui.filter,
    startedAtMs: Date.parse(state?.started_at ?? state?.created_at ?? '') || 0,
    withSession,
    notShown: model.notShown,
  };
}

function eventsRegion(
  model: ScreenModel,
  view: EventsView,
  place: Pick<PanelPlace, 'x' | 'y' | 'width' | 'height'>,
  isFocused: boolean,
): Region {
  const { style } = model;
  const { x, y, width, height } = place;
  const rows = eventsRows(view, width - 4, height - 2, isFocused, style).map((row): Row => ({ ...row, spans: padLeft(row.spans) }));
  if (rows.length === 0) {
    const text =
      view.typed === '' && view.globs.length === 0
        ? ' No event yet. Each shows here as it comes.'
        : ' No event passes the filter; / changes it.';
    rows.push({ spans: fitted([{ text }], width - 2, style.glyphs.ellipsis) });
  }
  const labels = { title: `6 ${eventsTitle(view)}`, place: eventsPlace(view, height - 2, style), isFocused, isStale: isStale(model) };
  return { id: 'events', x, y, width, rows: framed(rows, labels, width, height, style) };
}

function padLeft(spans: readonly Span[]): Span[] {
  return [{ text: ' ' }, ...spans, { text: ' ' }];
}

function placeText(top: number, height: number, total: number, letGo: number): string {
  const older = letGo === 0 ? '' : `, ${counted(letGo, 'older one')} in the journal`;
  return total <= height && letGo === 0 ? '' : `${count(top + 1)}-${count(Math.min(total, top + height))} of ${count(total)}${older}`;
}

function isStale({ connection, ui }: ScreenModel): boolean {
  return connection.status !== 'live' && ui.history === undefined;
}
