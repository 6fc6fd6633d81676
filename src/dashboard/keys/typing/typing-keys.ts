import { shown } from '../../../view/text/shown-text.ts';
import type { Board } from '../../board.ts';
import { runCommandLine } from './command-line.ts';

const longestText = 200;

const steps: ReadonlyMap<string, 1 | -1> = new Map([
  ['down', 1],
  ['up', -1],
  ['shift-tab', -1],
]);

/** A text that is being typed, and what becomes of it. */
interface Typing {
  text: string;
  change: (text: string) => void;
  keep: () => void;
  drop: () => void;
}

/** What a key does to the text that is being typed. */
export function typeKey(board: Board, key: string): void {
  const typing = typingOf(board);
  if (typing === undefined || chooses(board, key)) return;
  const { text, change, keep, drop } = typing;
  if (key === 'escape') drop();
  else if (key === 'enter') keep();
  else if (key === 'backspace' && text === '' && board.ui.commandInput !== undefined) drop();
  else if (key === 'backspace') change(Array.from(text).slice(0, -1).join(''));
  else if (key === 'space') change(`${text} `);
  else if (Array.from(key).length === 1 && text.length < longestText) change(text + shown(key));
}

/** Tab and the arrows choose among what can stand on the command line; Enter takes what is chosen. @returns whether the key did */
function chooses(board: Board, key: string): boolean {
  const { commandInput, commandChoice } = board.ui;
  if (commandInput === undefined) return false;
  const candidates = board.candidates();
  const step = steps.get(key);
  if (step !== undefined) {
    const from = commandChoice ?? (step === 1 ? -1 : 0);
    if (candidates.length > 0) board.change({ commandChoice: (from + step + candidates.length) % candidates.length });
    return true;
  }
  const chosen = candidates[commandChoice ?? 0];
  if (key === 'tab') {
    if (chosen !== undefined) board.change({ commandInput: chosen.line, commandChoice: null });
    return true;
  }
  if (key !== 'enter' || commandChoice === null || chosen === undefined) return false;
  board.change({ commandInput: chosen.isWhole ? undefined : chosen.line, commandChoice: null });
  if (chosen.isWhole) runCommandLine(board, chosen.line);
  return true;
}

/** Puts a text that was pasted after what was typed. */
export function typePasted(board: Board, pasted: string): void {
  const typing = typingOf(board);
  typing?.change((typing.text + shown(pasted, longestText)).slice(0, longestText));
}

/** Whether keys are letters of a text: of a command line, a comment or a filter. */
export function isTyping({ ui }: Pick<Board, 'ui'>): boolean {
  return ui.filterInput !== undefined || ui.commandInput !== undefined || ui.prompt?.commentInput !== undefined;
}

function typingOf(board: Board): Typing | undefined {
  const { commandInput, filterInput, prompt, sessionId } = board.ui;
  if (commandInput !== undefined) {
    return {
      text: commandInput,
      change: (text) => board.change({ commandInput: text, commandChoice: null }),
      keep: () => {
        board.change({ commandInput: undefined, commandChoice: null });
        runCommandLine(board, commandInput);
      },
      drop: () => board.change({ commandInput: undefined, commandChoice: null }),
    };
  }
  const typed = prompt?.commentInput;
  if (prompt !== undefined && typed !== undefined) {
    return {
      text: typed,
      change: (commentInput) => board.change({ prompt: { ...prompt, commentInput } }),
      keep: () => board.change({ prompt: { ...prompt, comment: typed.trim(), commentInput: undefined } }),
      drop: () => board.change({ prompt: { ...prompt, commentInput: undefined } }),
    };
  }
  if (filterInput === undefined) return undefined;
  return {
    text: filterInput,
    change: (text) => board.change({ filterInput: text }),
    keep: () =>
      board.change({ filterInput: undefined, ...(sessionId === undefined ? { sessionFilter: filterInput } : { filter: filterInput }) }),
    drop: () => board.change({ filterInput: undefined }),
  };
}
