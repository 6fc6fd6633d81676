import type { DecisionState } from '../../core/protocol/session-state.ts';
import { openDecisions } from '../../view/decision-prompt.ts';
import { agentsPanel } from '../../view/panels/agents-panel.ts';
import {
  decisionOnScreen,
  decisionsPanel,
  decisionTitle,
  deadlineText,
  openDecisionsItem,
  sinceThen,
} from '../../view/panels/decisions-panel.ts';
import { filesPanel } from '../../view/panels/files-panel.ts';
import { panelIds, type PanelId, type PanelList } from '../../view/panels/panel.ts';
import { skillsPanel } from '../../view/panels/skills-panel.ts';
import { validationPanel } from '../../view/panels/validation-panel.ts';
import type { Span } from '../../view/cells.ts';
import { windowOf } from '../rows/list-cursor.ts';
import { framesIn, type Frame } from '../rows/frames.ts';
import { fitted, rowOfCells, spansWidth, wrapped, type Row } from '../rows/row.ts';
import { textWidth } from '../rows/text-width.ts';
import { decisionHeight, decisionRows } from './decision-rows.ts';
import { eventsFrame, eventsView } from './events-frame.ts';
import { eventKeys, shownLines } from './events-rows.ts';
import { footerHeight, panelPlaces, type PanelPlace } from './layout.ts';
import { inset, isStale, placeText, type Body, type Target } from './region.ts';
import type { ScreenModel } from './screen-model.ts';

type Panels = Record<Exclude<PanelId, 'events'>, PanelList>;

/** The panels of a session. */
export function panelsBody(model: ScreenModel, state: NonNullable<ScreenModel['state']>, headerHeight: number): Body {
  const { columns, rows, ui, style } = model;
  const decision = decisionOnScreen(state, ui.prompt);
  const panels: Panels = {
    skills: skillsPanel(state),
    agents: agentsPanel(state),
    files: filesPanel(state),
    validation: validationPanel(state),
    decision: decisionsPanel(state),
  };
  const places = panelPlaces({
    columns,
    rows,
    headerHeight,
    focus: ui.focus,
    isZoomed: ui.isZoomed,
    decisionHeight: decision === undefined ? 0 : decisionHeight(decision, ui.prompt, columns - 2, style),
    isDeciding: ui.prompt !== undefined,
    items: {
      skills: panels.skills.items.length,
      agents: panels.agents.items.length,
      files: panels.files.items.length,
      validation: panels.validation.items.length,
      decision: panels.decision.items.length,
    },
  });
  const lists: Body['lists'] = {};
  if (decision !== undefined) {
    const past = ui.history === undefined ? undefined : model.live;
    lists.decision = { keys: ['Decisions'], height: 1, item: openDecisionsItem(openDecisions(state), past) };
  }
  const targets: Target[] = [];
  const frames: Frame[] = [];
  for (const place of places.filter(({ isFolded }) => !isFolded)) {
    const { x, y, width, height } = place;
    const target = { list: place.id, x, y, width, height };
    if (place.id === 'events') {
      const view = eventsView(model, false);
      const isFocused = ui.focus === 'events';
      lists.events = { keys: isFocused ? eventKeys(view.lines) : [], height: height - 2, item: undefined };
      frames.push(eventsFrame(model, view, place, isFocused));
      targets.push({ ...target, keys: eventKeys(shownLines(view, height - 2)) });
    } else if (place.id === 'decision' && decision !== undefined) {
      const frame = decisionFrame(model, place, decision);
      frames.push(frame);
      targets.push({ ...target, keys: [] }, ...(ui.history === undefined ? optionTargets(frame, decision.decision_id) : []));
    } else {
      const list = panels[place.id];
      const keys = list.items.map((item) => item.key);
      const { top, selected } = windowOf(keys, ui.cursors[place.id], height - 2);
      lists[place.id] = { keys, height: height - 2, item: list.items[selected] };
      frames.push(listFrame(model, place, list, top, selected));
      targets.push({ ...target, keys: keys.slice(top, top + height - 2) });
    }
  }
  const folded = places.filter(({ isFolded }) => isFolded);
  for (const { id } of folded) {
    if (id !== 'events') lists[id] ??= { keys: panels[id].items.map(({ key }) => key), height: 1, item: undefined };
  }
  targets.push(...folded.map(({ id: list, x, y, width, height }) => ({ list, x, y, width, height, keys: [] })));
  if (folded[0] !== undefined) frames.push(foldedFrame(model, folded, panels));
  const area = { x: 0, y: headerHeight, width: columns, height: rows - headerHeight - footerHeight };
  const { height: _, ...at } = area;
  return { regions: [{ id: 'body', ...at, rows: framesIn(area, frames, style) }], lists, targets, overlayRows: undefined };
}

function listFrame(model: ScreenModel, place: PanelPlace, list: PanelList, top: number, selected: number): Frame {
  const { ui, style } = model;
  const { id, width } = place;
  const isFocused = ui.focus === id;
  const inner = place.height - 2;
  const rows = list.items.slice(top, top + inner).map((item, offset): Row => ({
    spans: inset(rowOfCells(width - 4, item.cells(style), style.glyphs.ellipsis)),
    reversed: isFocused && top + offset === selected,
  }));
  if (rows.length === 0) {
    for (const text of wrapped(list.empty, width - 4, inner, style.glyphs.ellipsis)) rows.push({ spans: inset([{ text }]) });
  }
  return {
    ...place,
    title: titleOf(id, list.title),
    place: placeText(top, inner, list.items.length, list.letGo),
    isFocused,
    isStale: isStale(model),
    rows,
  };
}

/** Panels of one row each, in one frame. */
function foldedFrame(model: ScreenModel, places: readonly PanelPlace[], panels: Panels): Frame {
  const lines = Map.groupBy(places, ({ y }) => y);
  const y = Math.min(...lines.keys()) - 1;
  const rows = Array.from(lines.values(), (line): Row => ({ spans: line.flatMap((place) => foldedSpans(model, place, panels)) }));
  return { x: 0, y, width: model.columns, height: lines.size + 2, title: '', place: '', isFocused: false, rows };
}

/** A panel in one row. */
function foldedSpans(model: ScreenModel, { id, width }: PanelPlace, panels: Panels): Span[] {
  const { ui, style, state } = model;
  const open = openDecisions(state).length;
  const { title, summary, empty } = id === 'events' ? { title: 'Events', summary: [], empty: '' } : panels[id];
  const isHintShown = spansWidth([{ text: ` ${titleOf(id, title)}  ${empty} ` }]) <= width;
  const asked = id === 'decision' && open > 0;
  const said: readonly Span[] = asked
    ? [{ text: `${style.glyphs.alert} ${open}`, tone: 'warn' }]
    : summary.length > 0 || id === 'events'
      ? summary
      : [{ text: isHintShown ? empty : 'none' }];
  const label: Span = {
    text: ` ${titleOf(id, asked ? 'Decision' : title)}${isStale(model) ? ' (stale)' : ''}`,
    tone: ui.focus === id ? 'strong' : 'plain',
  };
  return [...fitted([label, { text: '  ' }, ...said], width - 1, style.glyphs.ellipsis), { text: ' ' }];
}

function titleOf(id: PanelId, title: string): string {
  return `${panelIds.indexOf(id) + 1} ${title}`;
}

function decisionFrame(model: ScreenModel, place: PanelPlace, decision: DecisionState): Frame {
  const { state, ui, style, isReadonly } = model;
  const { id, width, height } = place;
  const open = openDecisions(state);
  const hint =
    ui.history === undefined
      ? decisionHint(decision.options.length, open.length, ui.prompt, isReadonly)
      : { text: sinceThen(decision, model.live) };
  return {
    ...place,
    title: titleOf(id, decisionTitle(decision, open.indexOf(decision), open.length, style)),
    place: deadlineText(decision, style),
    isFocused: ui.focus === 'decision' || ui.prompt !== undefined,
    isStale: isStale(model),
    tone: 'warn',
    rows: decisionRows(decision, ui.prompt, hint, width - 2, height - 2, style),
  };
}

/** Where the options stand. */
function optionTargets({ x, y, rows }: Frame, decisionId: string): Target[] {
  return rows.flatMap(({ spans }, row) => {
    let at = x + 1;
    return spans.flatMap(({ text, option: index }): Target[] => {
      const width = textWidth(text);
      at += width;
      if (index === undefined) return [];
      return [{ list: 'decision', keys: [], option: { decisionId, index }, x: at - width, y: y + 1 + row, width, height: 1 }];
    });
  });
}

function decisionHint(options: number, open: number, prompt: ScreenModel['ui']['prompt'], isReadonly: boolean): Span {
  if (isReadonly) return { text: 'read only: somebody else decides' };
  if (prompt === undefined) return { text: open > 1 ? 'd  decide this; then Tab shows the next one' : 'd  decide this', tone: 'warn' };
  if (prompt.sending) return { text: 'sending ...', tone: 'warn' };
  if (prompt.commentInput !== undefined) return { text: 'Enter keeps the comment, Esc drops it' };
  const more = `   Esc leaves it open   c comment${open > 1 ? '   Tab next' : ''}`;
  if (prompt.choice === null) return { text: `choose 1-${options}, then Enter${more}` };
  return { text: `Enter sends option ${prompt.choice + 1}${more}`, tone: 'active' };
}
