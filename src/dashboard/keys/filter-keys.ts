import { shown } from '../../view/text/shown-text.ts';
import type { Board } from '../board.ts';

const longestFilter = 200;

/** What a key does to the filter that is being typed. */
export function typeFilter(board: Board, key: string): void {
  const typed = board.ui.filterInput ?? '';
  if (key === 'enter') board.change({ filter: typed, filterInput: undefined });
  else if (key === 'escape') board.change({ filterInput: undefined });
  else if (key === 'backspace') board.change({ filterInput: Array.from(typed).slice(0, -1).join('') });
  else if (key === 'space') board.change({ filterInput: `${typed} ` });
  else if (Array.from(key).length === 1 && typed.length < longestFilter) board.change({ filterInput: typed + shown(key) });
}
