import type { SessionState } from '../../core/protocol/session-state.ts';
import type { Look, Span } from './row.ts';

/** The panels by their number on the screen. */
export const panelIds = ['skills', 'agents', 'files', 'validation', 'decision', 'events'] as const;

export type PanelId = (typeof panelIds)[number];

/** Where to begin to look at a session: a program that tells of no skills is followed by its events. */
export function firstFocus({ skills }: Pick<SessionState, 'skills'>): PanelId {
  return skills.length > 0 ? 'skills' : 'events';
}

/** A label and a value of an item's detail. */
export type DetailField = readonly [label: string, value: string];

/** One item of a panel. Rows are made for what is on screen only. */
export interface PanelItem {
  key: string;
  row: (width: number, look: Look) => Span[];
  /** What Enter shows, clean. */
  detail: (look: Look) => DetailField[];
  /** What `y` copies, clean. */
  copy: string;
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
