/** What a person does at the terminal. */
export type TerminalInput =
  | { kind: 'key'; name: string }
  /** Characters that came at once and are not marked as a paste. */
  | { kind: 'text'; text: string }
  | { kind: 'paste'; text: string }
  | MouseInput;

/** What the mouse does, and where: columns and rows are counted from 0. */
export interface MouseInput {
  kind: 'mouse';
  does: 'press' | 'wheel-up' | 'wheel-down';
  x: number;
  y: number;
}

/** More of a paste is not kept: no text that can be typed here is as long. */
const longestPaste = 4_096;
/** A sequence with more parameters is none that a terminal sends. */
const longestSequence = 64;

/** How long what has begun may wait for its rest. An Esc alone is a key; the others are given up. */
const waits = { escape: 50, sequence: 50, answer: 500, paste: 2_000 } as const;

/**
 * Where the parser stands. `sequence`: after `ESC [`; `keypad`: after `ESC O`; `answer`: within a string by which a terminal
 * answers a question, as that for its colours; `old-mouse`: within the three bytes of a report of the mouse in the old form.
 */
type State = 'text' | 'escape' | 'sequence' | 'keypad' | 'function-key' | 'answer' | 'answer-escape' | 'old-mouse' | 'paste';

/**
 * Takes apart what a terminal sends: keys, pastes, reports of the mouse, and answers to questions that somebody else has asked,
 * which go nowhere. A sequence may come in pieces of any size; no part of one is ever taken for something typed.
 */
export class InputParser {
  #state: State = 'text';
  /** What has come of the sequence, the paste or the run of characters. */
  #held = '';
  /** What the rest of a sequence begins with whose beginning was given up as too late. */
  #late = '';

  /** What a piece of input is, as far as it is whole. */
  push(chunk: string): TerminalInput[] {
    const found: TerminalInput[] = [];
    const late = this.#late;
    this.#late = late === '[<' && chunk === '[' ? '<' : '';
    const isRest = late !== '' && chunk.startsWith(late);
    if (isRest) {
      this.#become('sequence');
      this.#held = '<';
    }
    let at = isRest ? late.length : 0;
    while (at < chunk.length) {
      if (this.#state === 'paste') at = this.#takePasted(chunk, at, found);
      else {
        // By characters: none of a pair of surrogates means anything alone.
        const character = String.fromCodePoint(chunk.codePointAt(at) ?? 0);
        at += character.length;
        this.#take(character, found);
      }
    }
    if (this.#state === 'text') this.#endText(found);
    return found;
  }

  /** How long to wait for more before `flush`; undefined: nothing waits, or nothing but more input can tell what it is. */
  get waitMs(): number | undefined {
    if (this.#state === 'text' || this.#isMouse) return undefined;
    if (this.#state === 'escape') return waits.escape;
    if (this.#state === 'paste') return waits.paste;
    return this.#state === 'answer' || this.#state === 'answer-escape' ? waits.answer : waits.sequence;
  }

  /** What it was that waited for more, and waited too long. */
  flush(): TerminalInput[] {
    const state = this.#state;
    const held = this.#held;
    this.#become('text');
    if (state === 'escape') {
      this.#late = '[<';
      return [{ kind: 'key', name: 'escape' }];
    }
    if (state === 'sequence' && held === '') this.#late = '<';
    return state === 'paste' ? [{ kind: 'paste', text: held.slice(0, longestPaste) }] : [];
  }

  /** Whether a report of the mouse is on its way: no key begins so, and it can wait as long as its rest takes. */
  get #isMouse(): boolean {
    return this.#state === 'sequence' && this.#held.startsWith('<');
  }

  #become(state: State): void {
    this.#state = state;
    this.#held = '';
  }

  /** Takes one character of anything but a paste. */
  #take(character: string, found: TerminalInput[]): void {
    switch (this.#state) {
      case 'text':
        this.#takeText(character, found);
        break;
      case 'escape':
        this.#takeEscaped(character, found);
        break;
      case 'sequence':
        this.#takeSequence(character, found);
        break;
      case 'keypad':
        // Modified keys have parameters.
        if (/[\d;]/.test(character)) break;
        this.#become('text');
        if (character < ' ') this.#takeText(character, found);
        else key(finalNames.get(character) ?? (character === 'M' ? 'enter' : undefined), found);
        break;
      case 'function-key':
        this.#become('text');
        break;
      case 'answer':
      case 'answer-escape':
        this.#takeAnswer(character, found);
        break;
      case 'old-mouse':
        this.#held += character;
        if (this.#held.length >= 3) this.#become('text');
        break;
    }
  }

  #takeText(character: string, found: TerminalInput[]): void {
    if (character === '\x1b') {
      this.#endText(found);
      this.#become('escape');
    } else if (ownEvents.has(character)) {
      this.#endText(found);
      found.push({ kind: 'text', text: character });
    } else this.#held += character;
  }

  #endText(found: TerminalInput[]): void {
    if (this.#held !== '') found.push({ kind: 'text', text: this.#held });
    this.#held = '';
  }

  #takeEscaped(character: string, found: TerminalInput[]): void {
    if (character === '\x1b') {
      key('escape', found);
      return;
    }
    const next = openings.get(character);
    this.#become(next ?? 'text');
    if (next === undefined) key(`alt-${nameOfCharacter(character)}`, found);
  }

  #takeSequence(character: string, found: TerminalInput[]): void {
    const held = this.#held;
    if (character === '[' && held === '') this.#become('function-key');
    else if (held.startsWith('<') ? /[\d;]/.test(character) : /[ -?]/.test(character)) this.#hold(character);
    else if (held === '' && character === 'M') this.#become('old-mouse');
    else if (character < '@' || character > '~') {
      // No sequence goes on so: this one was cut off, and here is something new.
      this.#become('text');
      this.#takeText(character, found);
    } else if (held.startsWith('<') && !/[mM]/.test(character)) {
      this.#become('text');
      this.#takeText(character, found);
    } else if (held === '200' && character === '~') this.#become('paste');
    else {
      this.#become('text');
      const mouse = mouseInput(held, character);
      if (mouse !== undefined) found.push(mouse);
      else if (/^[\d;:]*$/.test(held))
        key(character === '~' ? numberedNames.get(held.split(';')[0] ?? '') : finalNames.get(character), found);
    }
  }

  #hold(character: string): void {
    if (this.#held.length < longestSequence) this.#held += character;
  }

  /** An answer ends with BEL, or with ESC and a backslash; a key that no answer holds ends it too. */
  #takeAnswer(character: string, found: TerminalInput[]): void {
    const isAfterEscape = this.#state === 'answer-escape';
    if (isAfterEscape && character !== '\\') {
      this.#become('escape');
      this.#takeEscaped(character, found);
    } else if (isAfterEscape || character === '\x07') this.#become('text');
    else if (character === '\x1b') this.#become('answer-escape');
    else if (character < ' ') {
      this.#become('text');
      this.#takeText(character, found);
    }
  }

  /** Takes what a piece has of a paste, from a place in it on. @returns where it goes on */
  #takePasted(chunk: string, from: number, found: TerminalInput[]): number {
    // The end may have begun in the piece before.
    const before = this.#held.slice(1 - pasteEnd.length);
    const across = (before + chunk.slice(from, from + pasteEnd.length - 1)).indexOf(pasteEnd);
    const within = chunk.indexOf(pasteEnd, from);
    if (across === -1 && within === -1) {
      const whole = this.#held + chunk.slice(from);
      // What is beyond the longest goes, but for what may be the beginning of the end.
      const isLonger = whole.length >= longestPaste + pasteEnd.length;
      this.#held = isLonger ? whole.slice(0, longestPaste) + whole.slice(1 - pasteEnd.length) : whole;
      return chunk.length;
    }
    const end = across === -1 ? within : from + across - before.length;
    const next = end + pasteEnd.length;
    const whole = this.#held + chunk.slice(from, next);
    this.#become('text');
    found.push({ kind: 'paste', text: whole.slice(0, Math.min(longestPaste, whole.length - pasteEnd.length)) });
    return next;
  }
}

const pasteEnd = '\x1b[201~';

/** Characters that are an event each, however many come at once: a person holds these down, or is in a hurry. */
const ownEvents: ReadonlySet<string> = new Set(['\x7f', '\b', '\x03']);

/** What begins with ESC and this. */
const openings: ReadonlyMap<string, State> = new Map<string, State>([
  ['[', 'sequence'],
  ['O', 'keypad'],
  [']', 'answer'],
  ['P', 'answer'],
  ['_', 'answer'],
]);

/** Keys by the last character of their sequence. */
const finalNames: ReadonlyMap<string, string> = new Map([
  ['A', 'up'],
  ['B', 'down'],
  ['C', 'right'],
  ['D', 'left'],
  ['F', 'end'],
  ['H', 'home'],
  ['Z', 'shift-tab'],
]);

/** Keys by the number of their sequence. */
const numberedNames: ReadonlyMap<string, string> = new Map([
  ['1', 'home'],
  ['3', 'backspace'],
  ['4', 'end'],
  ['5', 'pageup'],
  ['6', 'pagedown'],
  ['7', 'home'],
  ['8', 'end'],
]);

const characterNames: ReadonlyMap<string, string> = new Map([
  [' ', 'space'],
  ['\r', 'enter'],
  ['\n', 'enter'],
  ['\t', 'tab'],
  ['\x7f', 'backspace'],
  ['\b', 'backspace'],
  ['\0', 'ctrl-space'],
]);

/** The names of the keys that were typed, as the key table writes them. */
export function keysOf(text: string): string[] {
  return Array.from(text, nameOfCharacter);
}

function nameOfCharacter(character: string): string {
  const named = characterNames.get(character);
  if (named !== undefined) return named;
  return character < ' ' ? `ctrl-${String.fromCharCode(character.charCodeAt(0) + 64).toLowerCase()}` : character;
}

/** A person does not type more different characters than this within one piece of input. */
const typedCharacters = 4;

/** Whether text that is not marked as a paste is one all the same: the terminal does not mark them. Its characters must not act as keys. */
export function looksPasted(text: string): boolean {
  return text.length > typedCharacters && new Set(text).size > typedCharacters;
}

function key(name: string | undefined, found: TerminalInput[]): void {
  if (name !== undefined) found.push({ kind: 'key', name });
}

/** Only the left button does something, and only alone: with Shift, Ctrl or Alt the number is another one. */
const buttons: ReadonlyMap<number, MouseInput['does']> = new Map<number, MouseInput['does']>([
  [0, 'press'],
  [64, 'wheel-up'],
  [65, 'wheel-down'],
]);

/** A report of the mouse (SGR 1006): `< BUTTON ; COLUMN ; ROW`, then M as a button goes down and m as it comes up. */
function mouseInput(parameters: string, final: string): MouseInput | undefined {
  const numbers = /^<(\d{1,3});(\d{1,5});(\d{1,5})$/.exec(parameters)?.slice(1).map(Number);
  if (numbers === undefined || final !== 'M') return undefined;
  const [button = 0, column = 0, row = 0] = numbers;
  const does = buttons.get(button);
  return does === undefined || column === 0 || row === 0 ? undefined : { kind: 'mouse', does, x: column - 1, y: row - 1 };
}
