/** What an event is about: what is done, who does it, files, checks, or how the session is steered. */
export type GroupTone = 'work' | 'people' | 'files' | 'checks' | 'control';

/** What a piece of text means; each screen has its own colours for it. `line` is for borders and bars: nothing that is read. */
export type Tone = 'plain' | 'line' | 'strong' | 'good' | 'bad' | 'warn' | 'active' | GroupTone;

/** A piece of text in one tone. The text is clean already. */
export interface Span {
  text: string;
  tone?: Tone | undefined;
}

/** Where a text that is too long is cut: paths tell most at their end. */
export type Cut = 'end' | 'middle' | 'start';

/** A width that follows that of the row: one part of so many, within bounds. */
interface ShareOfRow {
  oneOf: number;
  least: number;
  most: number;
}

/** One column of a row. A terminal pads it to its width in characters; a page makes a cell of a table of it. */
export interface Cell extends Span {
  /** In characters. Without it the cell takes what the others leave. */
  width?: number | ShareOfRow;
  align?: 'left' | 'right';
  cut?: Cut;
  /** Such cells go first where room is short; with a number: only in rows that are narrower than that. */
  optional?: boolean | { below: number };
  /** The cell is left out of rows that are narrower. */
  leastRowWidth?: number;
}
