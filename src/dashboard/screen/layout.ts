import { panelIds, type PanelId } from '../../view/panels/panel.ts';

/** `columns`: two columns; `stack`: one column, panels folded; `single`: one panel; `tiny`: no room. */
export type LayoutKind = 'columns' | 'stack' | 'single' | 'tiny';

/** Where a panel stands. A folded one is one row high and has no border. */
export interface PanelPlace {
  id: PanelId;
  x: number;
  y: number;
  width: number;
  height: number;
  isFolded: boolean;
}

export interface LayoutWish {
  columns: number;
  rows: number;
  focus: PanelId;
  isZoomed: boolean;
  /** Rows that the pending decision would like, borders included; 0: none is pending. */
  decisionHeight: number;
  /** Panels with nothing in them: side by side, two such leave their room to the events. */
  empty: ReadonlySet<PanelId>;
}

/** Rows of the header and of the footer. */
export const headerHeight = 2;
export const footerHeight = 1;

/** How a screen of this size is divided. */
export function layoutKind(columns: number, rows: number): LayoutKind {
  if (columns < 40 || rows < 10) return 'tiny';
  if (columns >= 100 && rows >= 24) return 'columns';
  return columns >= 80 && rows >= 24 ? 'stack' : 'single';
}

/** Where each panel stands; together they fill the body exactly. */
export function panelPlaces(wish: LayoutWish): PanelPlace[] {
  const { columns, rows, focus, isZoomed } = wish;
  const kind = layoutKind(columns, rows);
  const bodyHeight = rows - headerHeight - footerHeight;
  if (kind === 'tiny') return [];
  if (kind === 'single' || isZoomed) return [{ id: focus, x: 0, y: headerHeight, width: columns, height: bodyHeight, isFolded: false }];
  return kind === 'columns' ? columnPlaces(wish, bodyHeight) : stackPlaces(wish, bodyHeight);
}

function columnPlaces({ columns, focus, decisionHeight, empty }: LayoutWish, bodyHeight: number): PanelPlace[] {
  const decision = decisionRoom(decisionHeight, focus, bodyHeight);
  const left = Math.floor(columns * 0.56);
  const half = Math.floor((bodyHeight - decision - Math.max(6, Math.floor((bodyHeight - decision) * 0.42))) / 2);
  const upper = empty.has('skills') && empty.has('agents') ? 3 : half;
  const lower = empty.has('files') && empty.has('validation') ? 3 : half;
  const events = bodyHeight - decision - upper - lower;
  const y = headerHeight;
  const full = (id: PanelId, at: number, height: number): PanelPlace => ({ id, x: 0, y: at, width: columns, height, isFolded: false });
  return [
    { id: 'skills', x: 0, y, width: left, height: upper, isFolded: false },
    { id: 'agents', x: left, y, width: columns - left, height: upper, isFolded: false },
    { id: 'files', x: 0, y: y + upper, width: left, height: lower, isFolded: false },
    { id: 'validation', x: left, y: y + upper, width: columns - left, height: lower, isFolded: false },
    ...(decision === 0 ? [] : [full('decision', y + upper + lower, decision)]),
    full('events', y + upper + lower + decision, events),
  ];
}

function stackPlaces({ columns, focus, decisionHeight }: LayoutWish, bodyHeight: number): PanelPlace[] {
  const decision = decisionRoom(decisionHeight, focus, bodyHeight);
  const shownPanels = panelIds.filter((id) => id !== 'decision' || decision > 0);
  const isOpen = (id: PanelId) => id === focus || id === 'events' || id === 'decision';
  const folded = shownPanels.filter((id) => !isOpen(id)).length;
  const left = bodyHeight - decision - folded;
  const focused = focus === 'events' || focus === 'decision' ? 0 : Math.max(4, Math.floor(left / 2));
  let y = headerHeight;
  return shownPanels.map((id) => {
    const height = !isOpen(id) ? 1 : id === 'decision' ? decision : id === 'events' ? left - focused : focused;
    const place: PanelPlace = { id, x: 0, y, width: columns, height, isFolded: !isOpen(id) };
    y += height;
    return place;
  });
}

function decisionRoom(wanted: number, focus: PanelId, bodyHeight: number): number {
  if (wanted > 0) return Math.max(5, Math.min(wanted, Math.floor(bodyHeight * 0.45)));
  return focus === 'decision' ? 6 : 0;
}
