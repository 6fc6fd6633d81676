import type { SessionState } from '../../core/protocol/session-state.ts';
import type { Cell, Span, Tone } from '../cells.ts';
import type { Style } from '../style.ts';

/** The panels in the order of their numbers. */
export const panelIds = ['skills', 'agents', 'files', 'validation', 'decision', 'events'] as const;

export type PanelId = (typeof panelIds)[number];

/** Where to begin to look at a session: a program that tells of no skills is followed by its events. */
export function firstFocus({ skills }: Pick<SessionState, 'skills'>): PanelId {
  return skills.length > 0 ? 'skills' : 'events';
}

/** A label and a value of an item's detail, and its tone. A line without a label goes on with the field above. */
export type DetailField = readonly [label: string, value: string, tone?: Tone];

/** One item of a panel. Its words are made only when they are shown. */
export interface PanelItem {
  key: string;
  cells: (style: Style) => Cell[];
  /** What is said of it in full, clean. */
  detail: (style: Style) => DetailField[];
  /** What is copied of it, clean. */
  copy: string;
  /** Which events tell more of it than the state keeps: the last of them is shown with its detail. */
  lastEvent?: EventsOf | undefined;
}

/** Events by their types, globs with commas between them, and their data. */
export interface EventsOf {
  types: string;
  isOne: (data: Readonly<Record<string, unknown>>) => boolean;
}

/** What a panel shows, sorted. */
export interface PanelList {
  title: string;
  items: readonly PanelItem[];
  /** What would fill the panel, while it is empty. */
  empty: string;
  /** The panel in one row, where there is no room for more. */
  summary: readonly Span[];
  /** How many older ones the session's state has let go. */
  letGo: number;
}
