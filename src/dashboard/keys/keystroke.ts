import type { Key } from 'ink';

/** A person does not type more different characters than this within one piece of input. */
const typedChars = 4;

/**
 * Whether input that is not marked as a paste is one all the same: the terminal does not mark them, or an Esc before it
 * spoiled the mark. Its characters must not act as keys.
 */
export function looksPasted(input: string): boolean {
  return input.length > typedChars && new Set(input).size > typedChars;
}

/** The names of the keys in one piece of input, as the key table writes them. Typed fast, several come at once. */
export function keystrokes(input: string, key: Key): string[] {
  const named = nameOf(key);
  if (named !== undefined) return [key.shift && named === 'tab' ? 'shift-tab' : named];
  if (key.ctrl) return [`ctrl-${input}`];
  if (key.meta) return input === '' ? ['escape'] : [`alt-${input}`];
  return Array.from(input, (character) => controlNames.get(character) ?? (character === ' ' ? 'space' : character));
}

const controlNames: ReadonlyMap<string, string> = new Map([
  ['\r', 'enter'],
  ['\n', 'enter'],
  ['\t', 'tab'],
  ['\x1b', 'escape'],
  ['\x7f', 'backspace'],
  ['\b', 'backspace'],
  ['\x03', 'ctrl-c'],
  ['\x1a', 'ctrl-z'],
]);

function nameOf(key: Key): string | undefined {
  if (key.return) return 'enter';
  if (key.escape) return 'escape';
  if (key.tab) return 'tab';
  if (key.upArrow) return 'up';
  if (key.downArrow) return 'down';
  if (key.leftArrow) return 'left';
  if (key.rightArrow) return 'right';
  if (key.pageUp) return 'pageup';
  if (key.pageDown) return 'pagedown';
  if (key.home) return 'home';
  if (key.end) return 'end';
  if (key.backspace || key.delete) return 'backspace';
  return undefined;
}
