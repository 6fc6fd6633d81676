import type { Span } from '../../view/cells.ts';
import type { PanelId, PanelItem } from '../../view/panels/panel.ts';
import { count, counted } from '../../view/text/numbers.ts';
import type { Area } from '../rows/frames.ts';
import type { Row } from '../rows/row.ts';
import type { ScreenModel } from './screen-model.ts';

/** A part of the screen that is drawn, and left alone, as a whole. */
export interface Region {
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

/** A part of the screen that the pointer can act on. Where several hold it, the last one counts. */
export interface Target extends Area {
  list: PanelId | 'overview' | 'overlay';
  /** The key of the item in each row within the border; undefined: there is none. */
  keys: readonly (string | undefined)[];
  /** It is an option of this decision, by its place from 0. */
  option?: { decisionId: string; index: number };
}

/** What is between header and footer. */
export interface Body {
  targets: readonly Target[];
  regions: readonly Region[];
  lists: Partial<Record<PanelId | 'overview', ListGeometry>>;
  /** How far the overlay can be scrolled. */
  overlayRows: { rows: number; height: number } | undefined;
}

/** With a space on both sides. */
export function inset(spans: readonly Span[]): Span[] {
  return [{ text: ' ' }, ...spans, { text: ' ' }];
}

/** Which part of a list shows. */
export function placeText(top: number, height: number, total: number, letGo: number): string {
  const older = letGo === 0 ? '' : `, ${counted(letGo, 'older one')} in the journal`;
  return total <= height && letGo === 0 ? '' : `${count(top + 1)}-${count(Math.min(total, top + height))} of ${count(total)}${older}`;
}

/** Whether what is on screen may have changed since. */
export function isStale({ connection, ui }: ScreenModel): boolean {
  return connection.status !== 'live' && ui.history === undefined;
}
