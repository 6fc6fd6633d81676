/** The signs of the screen: each one column wide, each always beside a word. */
export interface Glyphs {
  done: string;
  failed: string;
  running: string;
  waiting: string;
  pending: string;
  live: string;
  away: string;
  alert: string;
  full: string;
  empty: string;
  up: string;
  down: string;
  pointer: string;
  arrow: string;
  ellipsis: string;
  times: string;
  vertical: string;
  /** The pieces of frames, by where their lines go: the sum of 1 for up, 2 for down, 4 for left and 8 for right. */
  lines: string;
  /** The bars of a sparkline, the lowest first. */
  bars: string;
}

export const unicodeGlyphs: Glyphs = {
  done: '✔',
  failed: '✖',
  running: '▶',
  waiting: '‖',
  pending: '○',
  live: '●',
  away: '◌',
  alert: '!',
  full: '█',
  empty: '░',
  up: '↑',
  down: '↓',
  pointer: '›',
  arrow: '→',
  ellipsis: '…',
  times: '×',
  vertical: '│',
  lines: ' │││─┘┐┤─└┌├─┴┬┼',
  bars: '▁▂▃▄▅▆▇█',
};

/** For terminals and fonts without the others. */
export const asciiGlyphs: Glyphs = {
  done: '+',
  failed: 'x',
  running: '>',
  waiting: '=',
  pending: 'o',
  live: '*',
  away: '~',
  alert: '!',
  full: '#',
  empty: '.',
  up: '^',
  down: 'v',
  pointer: '>',
  arrow: '>',
  ellipsis: '~',
  times: 'x',
  vertical: '|',
  lines: ' |||-+++-+++-+++',
  bars: '_.:-=+*#',
};
