import { agentsPanel } from './agents-panel.ts';
import { decisionHeight, decisionOnScreen, decisionPanel, decisionRows, decisionTitle } from './decision-panel.ts';
import { openDecisions } from './decision-prompt.ts';
import { eventKeys, eventsPlace, eventsRows, eventsTitle, type EventsView } from './events-panel.ts';
import { count, counted } from './figures.ts';
import { filesPanel } from './files-panel.ts';
import { footerRow } from './footer.ts';
import { guidanceRows } from './guidance.ts';
import { headerRows } from './header.ts';
import type { KeyNeed, KeySituation } from './key-table.ts';
import { footerHeight, headerHeight, layoutKind, panelPlaces, type PanelPlace } from './layout.ts';
import { windowOf } from './list-cursor.ts';
import { overlayContent } from './overlay.ts';
import { sessionRow } from './overview.ts';
import { framed } from './panel-frame.ts';
import { panelIds, type PanelId, type PanelItem, type PanelList } from './panel-list.ts';
import type { Picture } from './picture.ts';
import { fitted, wrapped, type Row, type Span } from './row.ts';
import { skillsPanel } from './skills-panel.ts';
import { takesRollbacks } from './standing.ts';
import { tinyRows } from './tiny-screen.ts';
import { validationPanel } from './validation-panel.ts';
import { isLive } from '../../core/protocol/session-state.ts';

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

const lists: Record<Exclude<PanelId, 'events'>, (state: NonNullable<Picture['state']>) => PanelList> = {
  skills: skillsPanel,
  agents: agentsPanel,
  files: filesPanel,
  validation: validationPanel,
  decision: decisionPanel,
};

/** The screen for a picture. Pure: the same picture gives the same rows. */
export function screenOf(picture: Picture): Screen {
  const situation = situationOf(picture);
  if (layoutKind(picture.columns, picture.rows) === 'tiny') {
    return {
      regions: [{ id: 'tiny', x: 0, y: 0, width: picture.columns, rows: tinyRows(picture) }],
      situation,
      lists: {},
      overlayRows: undefined,
    };
  }
  const body = bodyOf(picture);
  const { columns, rows } = picture;
  return {
    situation,
    lists: body.lists,
    overlayRows: body.overlayRows,
    regions: [
      { id: 'header', x: 0, y: 0, width: columns, rows: headerRows(picture) },
      ...body.regions,
      { id: 'footer', x: 0, y: rows - footerHeight, width: columns, rows: [footerRow(picture, situation)] },
    ],
  };
}

function situationOf(picture: Picture): KeySituation {
  const { ui, state, isReadonly } = picture;
  // Commands are for now, also while history is on screen.
  const subject = ui.sessionId === undefined ? selectedSession(picture) : picture.live;
  const has = new Set<KeyNeed>();
  if (subject !== undefined) has.add('session');
  if (ui.history !== undefined) has.add('history');
  if (subject !== undefined && isLive(subject.status)) {
    if (subject.status === 'halted') has.add('can-resume');
    else if (subject.status !== 'halting') has.add('can-halt');
    if (ui.sessionId !== undefined && ui.history === undefined && takesRollbacks(subject)) has.add('can-rollback');
  }
  if (openDecisions(state).length > 0 && ui.history === undefined) has.add('decision');
  if (
    (ui.hasOverview && ui.sessionId !== undefined) ||
    ui.overlay !== undefined ||
    ui.prompt !== undefined ||
    ui.isZoomed ||
    ui.filter !== ''
  )
    has.add('overview');
  if (ui.overlay?.kind === 'rollback' && ui.overlay.stage === 'ready') has.add('preview');
  if (ui.prompt !== undefined && ui.prompt.choice !== null) has.add('choice');
  return { context: contextOf(picture), canOperate: !isReadonly && picture.connection.status === 'live', has };
}

function contextOf({ columns, rows, ui }: Picture): KeySituation['context'] {
  if (layoutKind(columns, rows) === 'tiny') return 'tiny';
  if (ui.filterInput !== undefined) return 'filter';
  if (ui.overlay !== undefined) return ui.overlay.kind;
  if (ui.prompt !== undefined) return 'decision';
  return ui.sessionId === undefined ? 'overview' : 'session';
}

type Body = Pick<Screen, 'regions' | 'lists' | 'overlayRows'>;

function bodyOf(picture: Picture): Body {
  const { columns, rows, ui, look, state } = picture;
  const height = rows - headerHeight - footerHeight;
  const whole = (id: string, content: Row[]): Region => ({ id, x: 0, y: headerHeight, width: columns, rows: content });
  if (ui.overlay !== undefined) {
    const { title, rows: content, foot } = overlayContent(ui.overlay, picture.isReadonly, columns - 2, look);
    const room = Math.max(1, height - 2 - foot.length);
    const top = Math.max(0, Math.min(ui.overlay.top, content.length - room));
    const place = placeText(top, room, content.length, 0);
    const frame = framed([...content.slice(top, top + room), ...foot], { title, place, isFocused: true }, columns, height, look);
    return { regions: [whole('overlay', frame)], lists: {}, overlayRows: { rows: content.length, height: room } };
  }
  if (ui.sessionId === undefined) return overviewBody(picture, height);
  if (state === undefined) {
    const title = ui.history === undefined ? ui.sessionId : `History ${count(ui.history.seq)} is on its way`;
    const content = ui.history === undefined ? guidanceRows(picture, columns - 2) : [];
    return {
      regions: [whole('guidance', framed(content, { title, place: '', isFocused: false }, columns, height, look))],
      lists: {},
      overlayRows: undefined,
    };
  }
  return panelsBody(picture);
}

function overviewBody(picture: Picture, height: number): Body {
  const { columns, ui, look, sessions } = picture;
  const isStale = picture.connection.status !== 'live';
  if (sessions.length === 0) {
    const rows = framed(guidanceRows(picture, columns - 2), { title: 'Sessions', place: '', isFocused: false }, columns, height, look);
    return { regions: [{ id: 'overview', x: 0, y: headerHeight, width: columns, rows }], lists: {}, overlayRows: undefined };
  }
  const eventsHeight = height >= 16 ? Math.floor(height * 0.4) : 0;
  const listHeight = height - eventsHeight - 2;
  const keys = sessions.map(({ state }) => state.session_id);
  const { top, selected } = windowOf(keys, ui.cursors.overview, listHeight);
  const rows = sessions
    .slice(top, top + listHeight)
    .map((session, offset): Row => ({ spans: padLeft(sessionRow(session, columns - 4, look)), reversed: top + offset === selected }));
  const labels = { title: 'Sessions', place: placeText(top, listHeight, sessions.length, 0), isFocused: true, isStale };
  const regions: Region[] = [
    { id: 'overview', x: 0, y: headerHeight, width: columns, rows: framed(rows, labels, columns, listHeight + 2, look) },
  ];
  if (eventsHeight > 0) {
    const view = eventsView(picture, true);
    regions.push(eventsRegion(picture, view, { x: 0, y: headerHeight + listHeight + 2, width: columns, height: eventsHeight }, false));
  }
  return { regions, lists: { overview: { keys, height: listHeight, item: undefined } }, overlayRows: undefined };
}

function panelsBody(picture: Picture): Body {
  const { columns, rows, ui, look, state } = picture;
  const decision = ui.history === undefined ? decisionOnScreen(state, ui.prompt) : undefined;
  const wanted = decision === undefined ? 0 : decisionHeight(decision, columns - 2, look) + 2;
  const places = panelPlaces({ columns, rows, focus: ui.focus, isZoomed: ui.isZoomed, decisionHeight: wanted, empty: emptyPanels(state) });
  const geometry: Screen['lists'] = {};
  const regions = places.map((place): Region => {
    if (place.id === 'events' && !place.isFolded) {
      const view = eventsView(picture, false);
      const isFocused = ui.focus === 'events';
      geometry.events = { keys: isFocused ? eventKeys(view.lines) : [], height: place.height - 2, item: undefined };
      return eventsRegion(picture, view, place, isFocused);
    }
    if (place.id === 'decision' && decision !== undefined) return decisionRegion(picture, place);
    return listRegion(picture, place, geometry);
  });
  return { regions, lists: geometry, overlayRows: undefined };
}

function emptyPanels(state: Picture['state']): Set<PanelId> {
  const { skills = [], agents = [], files = [], validations = [] } = state ?? {};
  const counts: [PanelId, number][] = [
    ['skills', skills.length],
    ['agents', agents.length],
    ['files', files.length],
    ['validation', validations.length],
  ];
  return new Set(counts.filter(([, items]) => items === 0).map(([id]) => id));
}

function listRegion(picture: Picture, place: PanelPlace, geometry: Screen['lists']): Region {
  const { state, ui, look } = picture;
  const { id, x, y, width, height } = place;
  if (state === undefined || id === 'events') return { id, x, y, width, rows: [] };
  const list = lists[id](state);
  const title = `${panelIds.indexOf(id) + 1} ${list.title}`;
  if (place.isFolded) return { id, x, y, width, rows: [foldedRow(title, list, width, look)] };
  const isFocused = ui.focus === id;
  const keys = list.items.map((item) => item.key);
  const inner = height - 2;
  const { top, selected } = windowOf(keys, ui.cursors[id], inner);
  geometry[id] = { keys, height: inner, item: list.items[selected] };
  const rows = list.items
    .slice(top, top + inner)
    .map((item, offset): Row => ({ spans: padLeft(item.row(width - 4, look)), reversed: isFocused && top + offset === selected }));
  if (rows.length === 0) {
    for (const text of wrapped(list.empty, width - 4, inner, look.glyphs.ellipsis)) rows.push({ spans: padLeft([{ text }]) });
  }
  const labels = { title, place: placeText(top, inner, list.items.length, list.letGo), isFocused, isStale: isStale(picture) };
  return { id, x, y, width, rows: framed(rows, labels, width, height, look) };
}

function foldedRow(title: string, list: PanelList, width: number, look: Picture['look']): Row {
  const summary: readonly Span[] = list.summary.length === 0 ? [{ text: list.empty }] : list.summary;
  return { spans: fitted([{ text: ` ${title}  `, tone: 'strong' }, ...summary], width, look.glyphs.ellipsis) };
}

function decisionRegion(picture: Picture, place: PanelPlace): Region {
  const { state, ui, look, isReadonly } = picture;
  const { id, x, y, width, height } = place;
  const open = openDecisions(state);
  const decision = decisionOnScreen(state, ui.prompt);
  if (decision === undefined) return { id, x, y, width, rows: [] };
  const title = `5 ${decisionTitle(decision, open.indexOf(decision), open.length, look)}`;
  const rows = decisionRows(decision, ui.prompt, decisionHint(decision.options.length, ui.prompt, isReadonly), width - 2, height - 2, look);
  const labels = { title, place: '', isFocused: ui.focus === 'decision' || ui.prompt !== undefined, isStale: isStale(picture) };
  return { id, x, y, width, rows: framed(rows, labels, width, height, look) };
}

function decisionHint(options: number, prompt: Picture['ui']['prompt'], isReadonly: boolean): Span {
  if (isReadonly) return { text: 'read only: somebody else decides' };
  if (prompt === undefined) return { text: 'd  decide this' };
  if (prompt.sending) return { text: 'sending ...', tone: 'warn' };
  if (prompt.choice === null) return { text: `choose 1-${options}, then Enter        Esc leaves it open` };
  return { text: `Enter sends option ${prompt.choice + 1}        Esc leaves it open`, tone: 'active' };
}

function eventsView(picture: Picture, withSession: boolean): EventsView {
  const { ui, state, lines, globs } = picture;
  return {
    lines,
    follow: ui.follow,
    cursor: ui.cursors.events,
    globs,
    typed: ui.filterInput ?? ui.filter,
    startedAtMs: Date.parse(state?.started_at ?? state?.created_at ?? '') || 0,
    withSession,
    notShown: picture.notShown,
  };
}

function eventsRegion(
  picture: Picture,
  view: EventsView,
  place: Pick<PanelPlace, 'x' | 'y' | 'width' | 'height'>,
  isFocused: boolean,
): Region {
  const { look } = picture;
  const { x, y, width, height } = place;
  const rows = eventsRows(view, width - 4, height - 2, isFocused, look).map((row): Row => ({ ...row, spans: padLeft(row.spans) }));
  if (rows.length === 0) {
    const text =
      view.typed === '' && view.globs.length === 0
        ? ' No event yet. Each shows here as it comes.'
        : ' No event passes the filter; / changes it.';
    rows.push({ spans: fitted([{ text }], width - 2, look.glyphs.ellipsis) });
  }
  const labels = { title: `6 ${eventsTitle(view)}`, place: eventsPlace(view, height - 2, look), isFocused, isStale: isStale(picture) };
  return { id: 'events', x, y, width, rows: framed(rows, labels, width, height, look) };
}

function padLeft(spans: readonly Span[]): Span[] {
  return [{ text: ' ' }, ...spans, { text: ' ' }];
}

function placeText(top: number, height: number, total: number, letGo: number): string {
  const older = letGo === 0 ? '' : `, ${counted(letGo, 'older one')} in the journal`;
  return total <= height && letGo === 0 ? '' : `${count(top + 1)}-${count(Math.min(total, top + height))} of ${count(total)}${older}`;
}

function isStale({ connection, ui }: Picture): boolean {
  return connection.status !== 'live' && ui.history === undefined;
}

function selectedSession({ sessions, ui }: Picture): Picture['state'] {
  const keys = sessions.map(({ state }) => state.session_id);
  return sessions[windowOf(keys, ui.cursors.overview, sessions.length).selected]?.state;
}
