import { panelIds, type PanelId } from '../../view/panels/panel.ts';
import type { Area } from '../rows/frames.ts';

/**
 * `wide`: three columns; `columns`: two; `stack`: one panel open, the others a line each; `single`: one panel, the others by name;
 * `tiny`: no room. The decision that waits is above them, the events are below and get what the others leave.
 */
export type LayoutKind = 'wide' | 'columns' | 'stack' | 'single' | 'tiny';

/**
 * Where a panel stands, its border included: panels that touch share theirs, so that they overlap by one. A folded one is one row
 * high and has no border of its own.
 */
export interface PanelPlace extends Area {
  id: PanelId;
  isFolded: boolean;
}

export interface LayoutWish {
  columns: number;
  rows: number;
  /** Rows of the header. */
  headerHeight: number;
  focus: PanelId;
  isZoomed: boolean;
  /** Rows that the pending decision would like within its border; 0: none is pending. */
  decisionHeight: number;
  /** Whether it is being answered: then it may have most of the screen. */
  isDeciding: boolean;
  /** How many items each panel has: an empty one is a line. */
  items: Readonly<Record<Exclude<PanelId, 'events'>, number>>;
}

export const footerHeight = 1;

/** Panels share borders: a panel takes its rows and its lower border, and the first one an upper border too. */
const border = 1;
const leastPanel = 1 + border;
const leastEvents = 2 + border;

interface Column {
  /** Panels above each other. */
  ids: readonly Exclude<PanelId, 'events'>[];
  /** Its part of the width, beside those of the others: what an agent does is longer than the rest. */
  weight: number;
}

const columnsOf: Record<'wide' | 'columns', readonly Column[]> = {
  columns: [
    { ids: ['skills', 'files'], weight: 4 },
    { ids: ['agents', 'validation'], weight: 5 },
  ],
  wide: [
    { ids: ['skills'], weight: 4 },
    { ids: ['agents'], weight: 6 },
    { ids: ['files', 'validation'], weight: 5 },
  ],
};

/** How a screen of this size is divided. */
export function layoutKind(columns: number, rows: number): LayoutKind {
  if (columns < 40 || rows < 10) return 'tiny';
  if (columns >= 100 && rows >= 24) return columns >= 160 ? 'wide' : 'columns';
  return rows >= 16 ? 'stack' : 'single';
}

/** Where each panel stands; together they fill the body exactly. */
export function panelPlaces(wish: LayoutWish): PanelPlace[] {
  const { columns, rows, headerHeight, focus, isZoomed } = wish;
  const kind = layoutKind(columns, rows);
  if (kind === 'tiny') return [];
  const height = rows - headerHeight - footerHeight;
  if (isZoomed) return [{ id: focus, x: 0, y: headerHeight, width: columns, height, isFolded: false }];
  const inColumns = kind === 'wide' || kind === 'columns' ? columnGroups(wish, columnsOf[kind], height - border) : undefined;
  const groups = inColumns ?? (kind === 'single' ? undefined : stackGroups(wish, height - border)) ?? singleGroups(wish, height - border);
  return placed(headerHeight, groups);
}

/** Panels beside and above each other. The places count from the group's own upper border. */
interface Group {
  /** Rows without the upper border, which is that of the group above. */
  height: number;
  places: readonly PanelPlace[];
}

/** Undefined: there are too few rows for panels above each other. */
function columnGroups(wish: LayoutWish, all: readonly Column[], height: number): Group[] | undefined {
  const { columns, items } = wish;
  const top = decisionGroup(wish, height);
  const open = all.map(({ ids, weight }) => ({ weight, ids: ids.filter((id) => items[id] > 0) })).filter(({ ids }) => ids.length > 0);
  const folded = foldedGroup(
    columns,
    Math.floor(columns / 50),
    closedPanels(top, (id) => open.some(({ ids }) => ids.some((each) => each === id))),
  );
  const left = height - heightOf([...top, ...folded]);
  const wanted = Math.max(0, ...open.map(({ ids }) => sum(ids.map((id) => items[id] + border))));
  const room = Math.min(wanted, left - Math.max(leastEvents, Math.floor(left * 0.42)));
  if (open.some(({ ids }) => ids.length * leastPanel > room)) return undefined;
  const weights = open.map(({ weight }) => weight);
  const startOf = (at: number) => Math.floor(((columns - border) * sum(weights.slice(0, at))) / sum(weights));
  const places = open.flatMap(({ ids }, at): PanelPlace[] => {
    const x = startOf(at);
    const width = startOf(at + 1) - x + border;
    const heights = shares(
      ids.map((id) => items[id] + border),
      room,
    );
    return ids.map((id, index) => ({
      id,
      x,
      y: sum(heights.slice(0, index)),
      width,
      height: (heights[index] ?? 0) + border,
      isFolded: false,
    }));
  });
  const panels = places.length === 0 ? [] : [{ height: room, places }];
  return [...top, ...panels, ...folded, eventsGroup(columns, left - heightOf(panels))];
}

/** Undefined: not even one panel fits beside the decision and the events. */
function stackGroups(wish: LayoutWish, height: number): Group[] | undefined {
  const { columns, rows, focus, items } = wish;
  const top = decisionGroup(wish, height);
  const isOpen = focus !== 'events' && focus !== 'decision' && items[focus] > 0;
  const folded = foldedGroup(
    columns,
    Math.floor(columns / (rows >= 24 ? 40 : 28)),
    closedPanels(top, (id) => isOpen && id === focus),
  );
  const left = height - heightOf([...top, ...folded]);
  const room = isOpen ? Math.min(items[focus] + border, Math.max(leastPanel, Math.floor(left * 0.5))) : 0;
  if (left - room < leastEvents) return undefined;
  return [...top, ...(isOpen ? [panelGroup(focus, columns, room)] : []), ...folded, eventsGroup(columns, left - room)];
}

function singleGroups({ columns, focus }: LayoutWish, height: number): Group[] {
  const names = foldedGroup(
    columns,
    panelIds.length - 1,
    panelIds.filter((id) => id !== focus),
  );
  return [...names, panelGroup(focus, columns, height - heightOf(names))];
}

/** The panels that are neither above, nor open, nor the events. */
function closedPanels(top: readonly Group[], isOpen: (id: PanelId) => boolean): PanelId[] {
  const above = top.flatMap(({ places }) => places.map(({ id }) => id));
  return panelIds.filter((id) => id !== 'events' && !above.includes(id) && !isOpen(id));
}

/** The decision that waits, or the list of those made while it has the focus. */
function decisionGroup({ columns, decisionHeight, isDeciding, focus, items }: LayoutWish, height: number): Group[] {
  const wanted = decisionHeight > 0 ? decisionHeight : focus === 'decision' && items.decision > 0 ? items.decision : 0;
  if (wanted === 0) return [];
  return [panelGroup('decision', columns, Math.max(4, Math.min(wanted + border, Math.floor(height * (isDeciding ? 0.7 : 0.45)))))];
}

function eventsGroup(columns: number, height: number): Group {
  return panelGroup('events', columns, height);
}

function panelGroup(id: PanelId, columns: number, height: number): Group {
  return { height, places: [{ id, x: 0, y: 0, width: columns, height: height + border, isFolded: false }] };
}

/** Panels as a line each, as many of them side by side as there is room for, within one frame. */
function foldedGroup(columns: number, most: number, ids: readonly PanelId[]): Group[] {
  if (ids.length === 0) return [];
  const inner = columns - 2 * border;
  const lines = Math.ceil(ids.length / Math.max(1, most));
  const perRow = Math.ceil(ids.length / Math.max(1, lines));
  const places = ids.map((id, index): PanelPlace => {
    const line = Math.floor(index / perRow);
    const inRow = Math.min(perRow, ids.length - line * perRow);
    const startOf = (at: number) => border + Math.floor((inner * at) / inRow);
    const x = startOf(index % perRow);
    return { id, x, y: border + line, width: startOf((index % perRow) + 1) - x, height: 1, isFolded: true };
  });
  return [{ height: lines + border, places }];
}

/** Groups below each other, from this row on. */
function placed(from: number, groups: readonly Group[]): PanelPlace[] {
  return groups.flatMap(({ places }, at) => {
    const y = from + heightOf(groups.slice(0, at));
    return places.map((place) => ({ ...place, y: y + place.y }));
  });
}

function heightOf(groups: readonly Group[]): number {
  return sum(groups.map(({ height }) => height));
}

/** The wanted heights brought to a sum: the largest give first, the last one takes what is left. */
function shares(wanted: readonly number[], total: number): number[] {
  const heights = wanted.map((each) => Math.min(each, total));
  for (let over = sum(heights) - total; over > 0; over--) {
    const largest = heights.indexOf(Math.max(...heights));
    heights[largest] = (heights[largest] ?? 0) - 1;
  }
  const last = heights.length - 1;
  heights[last] = (heights[last] ?? 0) + total - sum(heights);
  return heights;
}

function sum(numbers: readonly number[]): number {
  return numbers.reduce((total, each) => total + each, 0);
}
