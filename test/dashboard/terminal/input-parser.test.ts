import { describe, expect, test } from 'vitest';
import { InputParser, keysOf, looksPasted, type TerminalInput } from '../../../src/dashboard/terminal/input-parser.ts';

/** What a terminal's pieces are taken for, those that wait for more given up after each one where that is wished. */
function parsed(pieces: readonly string[], isSlow = false): TerminalInput[] {
  const parser = new InputParser();
  return pieces.flatMap((piece) => {
    const found = parser.push(piece);
    return isSlow && parser.waitMs !== undefined ? [...found, ...parser.flush()] : found;
  });
}

const keysOfAll = (inputs: readonly TerminalInput[]) =>
  inputs.flatMap((input) => (input.kind === 'key' ? [input.name] : input.kind === 'text' ? keysOf(input.text) : [input.kind]));
const keys = (...pieces: string[]) => keysOfAll(parsed(pieces));

/** All ways to cut a text in two and in three. */
function cuts(text: string): string[][] {
  const found: string[][] = [];
  for (let first = 1; first < text.length; first++) {
    found.push([text.slice(0, first), text.slice(first)]);
    for (let second = first + 1; second < text.length; second++)
      found.push([text.slice(0, first), text.slice(first, second), text.slice(second)]);
  }
  return found;
}

test('keys by their names', () => {
  expect(keys('aH 日\r\t\x7f\x03\x1a')).toEqual(['a', 'H', 'space', '日', 'enter', 'tab', 'backspace', 'ctrl-c', 'ctrl-z']);
  expect(keys('\x1b[A\x1bOB\x1b[1;5C\x1b[D\x1b[H\x1b[4~\x1b[5~\x1b[6~\x1b[Z\x1b[3~\x1bOM')).toEqual([
    'up',
    'down',
    'right',
    'left',
    'home',
    'end',
    'pageup',
    'pagedown',
    'shift-tab',
    'backspace',
    'enter',
  ]);
  expect(keys('\x1bx\x1b\rq')).toEqual(['alt-x', 'alt-enter', 'q']);
  expect(keys('\x1b\x1b[A')).toEqual(['escape', 'up']);
  expect(keys('\x1b[[Aq\x1b[15~q')).toEqual(['q', 'q']);
  const alone = new InputParser();
  expect(alone.push('\x1b')).toEqual([]);
  expect(alone.flush()).toEqual([{ kind: 'key', name: 'escape' }]);
});

test('a marked paste is one text, whatever is in it, and no longer than it may be', () => {
  expect(parsed(['a\x1b[200~H\r\x1b[A', 'y\x1b[201~b'])).toEqual([
    { kind: 'text', text: 'a' },
    { kind: 'paste', text: 'H\r\x1b[Ay' },
    { kind: 'text', text: 'b' },
  ]);
  const [long, after] = parsed([`\x1b[200~${'x'.repeat(100_000)}`, 'y\x1b[201~', 'k']);
  expect(long?.kind === 'paste' && long.text.length).toBe(4_096);
  expect(after).toEqual({ kind: 'text', text: 'k' });
  // One whose end never comes does not take the keys for ever.
  expect(parsed(['\x1b[200~abc', 'q'], true)).toEqual([
    { kind: 'paste', text: 'abc' },
    { kind: 'text', text: 'q' },
  ]);
});

test('the end of a paste is found in pieces of any size, and the keys after it count', () => {
  const marked = '\x1b[200~a\x1b[2日\x1b[201~k';
  for (const pieces of cuts(marked)) {
    expect(parsed(pieces), JSON.stringify(pieces)).toEqual([
      { kind: 'paste', text: 'a\x1b[2日' },
      { kind: 'text', text: 'k' },
    ]);
  }
  for (let length = 4_085; length < 4_105; length++) {
    for (const at of [-3, -1, 0, 3, 6]) {
      const text = `\x1b[200~${'x'.repeat(length)}\x1b[201~k`;
      const cut = text.length - 7 + at;
      expect(parsed([text.slice(0, cut), text.slice(cut)]).slice(-2), `${length} ${at}`).toEqual([
        { kind: 'paste', text: 'x'.repeat(Math.min(4_096, length)) },
        { kind: 'text', text: 'k' },
      ]);
    }
  }
});

test('a paste of many megabytes costs no more than to look through it once', () => {
  // Were what is kept copied at each of these characters, this would not end before the test's time is over.
  const piece = 'x\x1b[201 日'.repeat(4_000_000);
  expect(parsed(['\x1b[200~', piece, piece, '\x1b[201~k']).map(({ kind }) => kind)).toEqual(['paste', 'text']);
});

test('text looks pasted by the number of different characters that came at once', () => {
  expect(['jjjjjjjj', '6Gjk', 'H\r', 'rm -rf x'].map(looksPasted)).toEqual([false, false, false, true]);
});

describe('the mouse', () => {
  const press = (x: number, y: number) => ({ kind: 'mouse', does: 'press', x, y });

  test('a press, and the wheel; no other button, no release, no modifier', () => {
    expect(parsed(['\x1b[<0;10;6M\x1b[<0;10;6m\x1b[<64;1;1M\x1b[<65;120;40M'])).toEqual([
      press(9, 5),
      { kind: 'mouse', does: 'wheel-up', x: 0, y: 0 },
      { kind: 'mouse', does: 'wheel-down', x: 119, y: 39 },
    ]);
    for (const other of ['<2;1;1M', '<4;1;1M', '<32;1;1M', '<0;0;1M', '<0;1M', '<0;1;999999M', '<99999999;1;1M', '<;;M', '<0;1;1;1M'])
      expect(parsed([`\x1b[${other}`]), other).toEqual([]);
  });

  test('in pieces of any size, come as they may, nothing of it is typed', () => {
    const reports = '\x1b[<0;123;45M\x1b[<64;1;2M';
    for (const pieces of cuts(reports)) {
      expect(parsed(pieces).map(({ kind }) => kind)).toEqual(['mouse', 'mouse']);
      // Where they come late, Esc and [ may be taken for the keys that they are as well; but never the rest.
      const late = keysOfAll(parsed(pieces, true).filter(({ kind }) => kind !== 'mouse'));
      expect(
        late.filter((name) => name !== 'escape' && name !== '['),
        JSON.stringify(pieces),
      ).toEqual([]);
    }
  });

  test('cut off, in its old form, or longer than any: the keys after it count, and it does not', () => {
    expect(keys('\x1b[<0;12', 'k')).toEqual(['k']);
    expect(keys('\x1b[<0;12', '\x1b[B')).toEqual(['down']);
    expect(keys('\x1b[<0;12', '\x03')).toEqual(['ctrl-c']);
    expect(keys('\x1b[M !!k')).toEqual(['k']);
    expect(keys(`\x1b[<${'1'.repeat(100_000)}`, 'Mk')).toEqual(['k']);
  });
});

test("a terminal's answers to what somebody else asked are no keys", () => {
  const answers = [
    '\x1b]11;rgb:ffff/ffff/ffff\x1b\\',
    '\x1b]10;rgb:0000/0000/0000\x07',
    '\x1bP>|XTerm(388)\x1b\\',
    '\x1b[12;40R',
    '\x1b[?64;1;2c',
    '\x1b[I',
  ];
  for (const answer of answers) {
    expect(keys(`${answer}k`), JSON.stringify(answer)).toEqual(['k']);
    for (const pieces of cuts(answer)) expect(keys(...pieces, 'k'), JSON.stringify(pieces)).toEqual(['k']);
  }
  expect(keys('\x1b]11;rgb', '\x03')).toEqual(['ctrl-c']);
});
