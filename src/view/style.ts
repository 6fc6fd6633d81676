import type { Glyphs } from './text/glyphs.ts';

/** How a screen shows things: its signs, the time to count from, the form of timestamps. */
export interface Style {
  glyphs: Glyphs;
  /** Now, or the moment up to which something is known. */
  nowMs: number;
  timestamps: Timestamps;
}

/** The forms of a time in the log: the time of day, the time since the session started, none. */
export type Timestamps = 'clock' | 'elapsed' | 'none';
