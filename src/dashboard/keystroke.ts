import type { Key } from 'ink';

/** So many different characters at once are no typing: a paste into a terminal that does not mark its pastes. */
const pasteChars = 12;

/** The names of the keys in one piece of input, as the key table writes them. Typed fast, several come at once. */
export function keystrokes(input: string, key: Key): string[] {
  const named = nameOf(key);
  if (named !== undefined) return [key.shift && named === 'tab' ? 'shift-tab' : named];
  if (key.ctrl) return [`ctrl-${input}`];
  if (key.meta) return input === '' ? ['escape'] : [`alt-${input}`];
  const characters = Array.from(input);
  if (characters.length >= pasteChars && new Set(characters).size > 3) return [];
  return characters.map((character) => controlNames[character] ?? (character === ' ' ? 'space' : character));
}

const controlNames: Record<string, string> = {
  '\r': 'enter',
  '\n': 'enter',
  '\t': 'tab',
  '\x1b': 'escape',
  '\x7f': 'backspace',
  '\b': 'backspace',
  '\x03': 'ctrl-c',
  '\x1a': 'ctrl-z',
};

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
