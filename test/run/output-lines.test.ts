import { afterEach, beforeEach, expect, test, vi } from 'vitest';
import { OutputLines, type OutputBatch } from '../../src/run/output/output-lines.ts';

let batches: OutputBatch[];
let mayTell: (batch: { isFull: boolean }) => boolean;
let output: OutputLines;

beforeEach(() => {
  vi.useFakeTimers();
  batches = [];
  mayTell = () => true;
  output = new OutputLines(
    (batch) => batches.push(batch),
    (batch) => mayTell(batch),
  );
});

afterEach(() => {
  output.close();
  vi.useRealTimers();
});

function write(text: string): void {
  output.write('stdout', Buffer.from(text));
}

function lines(): string[] {
  return batches.flatMap((each) => each.lines);
}

function letGo(): number {
  return batches.reduce((sum, each) => sum + (each.let_go ?? 0), 0);
}

function numbered(count: number): string {
  return Array.from({ length: count }, (_, index) => `${index}\n`).join('');
}

test('lines are told together, ten times a second', () => {
  write('one\ntw');
  write('o\n');
  expect(batches).toEqual([]);
  vi.advanceTimersByTime(100);
  expect(batches).toEqual([{ stream: 'stdout', lines: ['one', 'two'] }]);
});

test('a line without an end is told after a while, and at the end', () => {
  write('name? ');
  vi.advanceTimersByTime(900);
  expect(batches).toEqual([]);
  vi.advanceTimersByTime(400);
  expect(lines()).toEqual(['name? ']);
  write('rest');
  output.close();
  expect(lines()).toEqual(['name? ', 'rest']);
});

test('a character that came in two pieces is one', () => {
  const bytes = Buffer.from('→\n');
  output.write('stdout', bytes.subarray(0, 1));
  output.write('stdout', bytes.subarray(1));
  output.close();
  expect(lines()).toEqual(['→']);
});

test('of a progress bar the last state is told', () => {
  write('10%\r50%\r100%\r\ndone\r\n');
  output.close();
  expect(lines()).toEqual(['100%', 'done']);
});

test('what a terminal has erased is not told, however the pieces come', () => {
  const bytes = Buffer.from(
    '⠙\x1b[1G\x1b[0K\n> test\n\x1b[32m50%\x1b[0m\x1b[G90%\x1b[2K\x1b[1G\x1b[32mdone\x1b[0m\n⠹\x1b[1G\x1b[0K⠼\x1b[1G\x1b[0K',
  );
  const told = ['', '> test', '\x1b[32mdone\x1b[0m'];
  output.write('stdout', bytes);
  output.close();
  expect(lines()).toEqual(told);
  batches = [];
  for (const byte of bytes) output.write('stdout', Buffer.from([byte]));
  output.close();
  expect(lines()).toEqual(told);
});

test('a mark of a spinner alone is no news', () => {
  write('\x1b[36m⠙\x1b[39m');
  vi.advanceTimersByTime(3_000);
  expect(lines()).toEqual([]);
  write(' 12 of 40');
  vi.advanceTimersByTime(3_000);
  expect(lines()).toEqual(['\x1b[36m⠙\x1b[39m 12 of 40']);
});

test('a burst is told whole, in bounded batches', () => {
  write(numbered(10_000));
  output.close();
  expect(lines()).toEqual(numbered(10_000).trimEnd().split('\n'));
  for (const batch of batches) expect(batch.lines.length).toBeLessThanOrEqual(500);
});

test('of too much the newest is told, and the rest counted', () => {
  write(numbered(1_000_000));
  output.close();
  expect(batches.length).toBeLessThan(60);
  expect(lines().length + letGo()).toBe(1_000_000);
  expect(lines().slice(-3)).toEqual(['999997', '999998', '999999']);
});

test('what goes on for ever is told at a bounded rate', () => {
  for (let second = 0; second < 60; second++) {
    for (let tenth = 0; tenth < 10; tenth++) {
      write(numbered(5_000));
      vi.advanceTimersByTime(100);
    }
  }
  expect(batches.length).toBeLessThan(40 + 60 * 10 + 10);
  expect(batches.length).toBeGreaterThan(500);
});

test('while the server is slow lines wait until a batch is full; nothing is lost', () => {
  mayTell = ({ isFull }) => isFull;
  for (let count = 0; count < 1_200; count++) {
    write(`${count}\n`);
    vi.advanceTimersByTime(10);
  }
  expect(batches.map((each) => each.lines.length)).toEqual([500, 500]);
  mayTell = () => true;
  vi.advanceTimersByTime(100);
  expect(lines()).toEqual(numbered(1_200).trimEnd().split('\n'));
});

test('when nothing can be told the newest lines are kept', () => {
  mayTell = () => false;
  write(numbered(10_000));
  vi.advanceTimersByTime(10_000);
  expect(batches).toEqual([]);
  output.close();
  expect(lines().length + letGo()).toBe(10_000);
  expect(lines().length).toBe(500);
  expect(lines().at(-1)).toBe('9999');
});

test('what comes faster than it can be told is counted line by line, also in pieces and across their ends', () => {
  mayTell = () => false;
  const whole = Buffer.from(`${numbered(200_000)}${'z'.repeat(700_000)}\nlast → line\n`);
  for (let from = 0; from < whole.length; from += 4_099) output.write('stdout', whole.subarray(from, from + 4_099));
  mayTell = () => true;
  vi.advanceTimersByTime(100);
  output.close();
  expect(lines().length + letGo()).toBe(200_002);
  expect(lines().at(-1)).toBe('last → line');
});

test('no batch is larger than an event may be, whatever the lines hold', () => {
  for (const char of ['\u0001', '€', 'x']) write(`${char.repeat(3_999)}\n`.repeat(500));
  write('y'.repeat(1_000_000));
  output.close();
  for (const batch of batches) expect(Buffer.byteLength(JSON.stringify(batch))).toBeLessThan(1024 * 1024);
  expect(Math.max(...lines().map((line) => line.length))).toBeLessThanOrEqual(256 * 1024);
});

test('a line is kept whole up to a bound, and what is beyond it is counted, however the pieces come', () => {
  const long = `{"a":"${'x'.repeat(200_000)}","end":1}`;
  // The bound falls into the middle of an emoji, which goes as a whole.
  const tooLong = `${'y'.repeat(256 * 1024 - 1)}\u{1f600}end`;
  const whole = Buffer.from(`${long}\n${tooLong}\n10%\r20%\r\nlast\n`);
  const expected = [long, 'y'.repeat(256 * 1024 - 1), '20%', 'last'];
  for (const size of [whole.length, 65_536, 4_099]) {
    batches = [];
    output = new OutputLines(
      (batch) => batches.push(batch),
      () => true,
    );
    for (let from = 0; from < whole.length; from += size) output.write('stdout', whole.subarray(from, from + size));
    output.close();
    expect(lines().map((line) => line.length)).toEqual(expected.map((line) => line.length));
    expect(lines()).toEqual(expected);
    expect(batches.reduce((sum, { let_go_chars = 0 }) => sum + let_go_chars, 0)).toBe(5);
  }
});

test('a line that still grows is not told in pieces', () => {
  for (let tenth = 0; tenth < 30; tenth++) {
    write('part ');
    vi.advanceTimersByTime(100);
  }
  expect(batches).toEqual([]);
  write('\n');
  vi.advanceTimersByTime(100);
  expect(lines()).toEqual(['part '.repeat(30)]);
});
