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
  down: string;
  pointer: string;
  arrow: string;
  ellipsis: string;
  horizontal: string;
  vertical: string;
  topLeft: string;
  topRight: string;
  bottomLeft: string;
  bottomRight: string;
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
  down: '↓',
  pointer: '›',
  arrow: '→',
  ellipsis: '…',
  horizontal: '─',
  vertical: '│',
  topLeft: '┌',
  topRight: '┐',
  bottomLeft: '└',
  bottomRight: '┘',
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
  down: 'v',
  pointer: '>',
  arrow: '>',
  ellipsis: '~',
  horizontal: '-',
  vertical: '|',
  topLeft: '+',
  topRight: '+',
  bottomLeft: '+',
  bottomRight: '+',
};
