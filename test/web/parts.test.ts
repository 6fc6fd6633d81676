import { describe, expect, test } from 'vitest';
import type { SessionEvent } from '../../src/core/protocol/event.ts';
import { coloredTexts } from '../../src/web/log/ansi.ts';
import { EventLines } from '../../src/web/store/event-lines.ts';
import { EventSearch } from '../../src/web/store/event-search.ts';
import { pathOf, routeOf } from '../../src/web/store/route.ts';

const event = (seq: number, type = 'a:b'): SessionEvent => ({
  session_id: 's',
  seq,
  id: `${seq}`,
  type,
  timestamp: '2026-01-02T03:04:05.000Z',
  data: { n: seq },
});
const history = (from: number, to: number, type?: string) => Array.from({ length: to - from + 1 }, (_, at) => event(from + at, type));

describe('an address', () => {
  test.each([
    ['http://h/', { session: undefined, at: undefined }],
    ['http://h/analytics', { session: undefined, at: undefined, analytics: true }],
    ['http://h/s/run-7f3a', { session: 'run-7f3a', at: undefined }],
    ['http://h/s/a%3Ab?at=812', { session: 'a:b', at: 812 }],
    ['http://h/s/a?at=-1', { session: 'a', at: undefined }],
    ['http://h/s/%E0%A4%A', { session: undefined, at: undefined }],
    ['http://h/s/..%2F..', { session: undefined, at: undefined }],
    ['http://h/s/%3Cb%3E', { session: undefined, at: undefined }],
  ])('%s names %j', (url, route) => {
    expect(routeOf(new URL(url))).toEqual(route);
    expect(routeOf(new URL(pathOf(route), url))).toEqual(route);
  });
});

describe('a line of output', () => {
  test.each([
    ['plain', [{ text: 'plain', classes: [] }]],
    [
      '\u001b[1;31mbad\u001b[0m ok',
      [
        { text: 'bad', classes: ['ansi-bold', 'ansi-1'] },
        { text: ' ok', classes: [] },
      ],
    ],
    [
      '\u001b[38;5;208mx\u001b[39my',
      [
        { text: 'x', classes: [], color: 'rgb(255 135 0)' },
        { text: 'y', classes: [] },
      ],
    ],
    ['\u001b[48;2;1;2;999mx', [{ text: 'x', classes: [], background: 'rgb(1 2 255)' }]],
    ['\u001b[97;44mx', [{ text: 'x', classes: ['ansi-15', 'ansi-4-back'] }]],
    // Whatever else a program writes does nothing, and is not to be seen.
    [
      '\u001b]0;title\u0007a\u001b[2Jb\u001b[8mhidden\u001b[0m\u202e<b>',
      [
        { text: 'abhidden', classes: [] },
        { text: '<b>', classes: [] },
      ],
    ],
    [
      '\u001b[38;5;300mx\u001b[38;9mz',
      [
        { text: 'x', classes: [] },
        { text: 'z', classes: [] },
      ],
    ],
    // Parts of one parameter: a wavy line below, and none; a colour with and without its space, and that of the line.
    [
      '\u001b[4:3mw\u001b[4:0mn\u001b[38:2::1:2:3;58:2::9:9:9mc\u001b[48:5:208;38:2:4:5:6mb',
      [
        { text: 'w', classes: ['ansi-underline'] },
        { text: 'n', classes: [] },
        { text: 'c', classes: [], color: 'rgb(1 2 3)' },
        { text: 'b', classes: [], color: 'rgb(4 5 6)', background: 'rgb(255 135 0)' },
      ],
    ],
  ])('%j has its colours', (line, pieces) => {
    expect(coloredTexts(line)).toEqual(pieces);
  });
});

describe('the lines of a long history', () => {
  test('come page by page where they are looked at, and no more of them are kept than there is room for', async () => {
    const asked: number[] = [];
    const lines = new EventLines(
      async (after, limit) => {
        asked.push(after);
        return history(after + 1, after + limit);
      },
      () => undefined,
    );
    lines.want(999_950, 1_000_000);
    await expect.poll(() => lines.line(999_999)?.seq).toBe(999_999);
    expect([asked, lines.line(1)]).toEqual([[999_800], undefined]);
    // What came live is not asked for.
    lines.add(history(1_000_001, 1_000_200));
    lines.want(1_000_001, 1_000_200);
    expect(asked.length).toBe(1);
    for (let page = 0; page < 100; page++) {
      lines.want(page * 200 + 1, page * 200 + 200);
      await expect.poll(() => lines.line(page * 200 + 1)?.seq, { interval: 1 }).toBe(page * 200 + 1);
    }
    expect([lines.line(999_999), lines.line(1), lines.line(20_000)?.seq]).toEqual([undefined, undefined, 20_000]);
  });

  test('say what the journal has no more, and ask again for what the server could not give', async () => {
    let isAway = true;
    const lines = new EventLines(
      async () => {
        if (isAway) throw new Error('away');
        return history(150, 200);
      },
      () => undefined,
    );
    lines.want(1, 200);
    await new Promise((resolve) => setImmediate(resolve));
    expect(lines.line(1)).toBe(undefined);
    isAway = false;
    lines.wantAgain();
    await expect.poll(() => lines.line(150)?.seq).toBe(150);
    expect(lines.line(149)).toBe(null);
  });
});

test('a search looks back from the newest event until there is enough, goes on when it is asked, and takes what comes', async () => {
  const parts: unknown[] = [];
  const search = new EventSearch(
    'b:*',
    10_000,
    async ({ from, to, types }) => {
      parts.push([from, to, types]);
      return history(from, to, 'b:c').filter(({ seq }) => seq % 10 === 0);
    },
    () => undefined,
  );
  await expect.poll(() => search.isReading).toBe(false);
  expect(parts).toEqual([[8_001, 10_000, 'b:*']]);
  expect([search.lines.length, search.lines[0]?.seq, search.from]).toEqual([200, 8_010, 8_001]);
  search.add([event(10_001), event(10_002, 'b:d')]);
  expect(search.lines.at(-1)?.seq).toBe(10_002);
  const { shift } = search;
  const last = search.lines.at(-1);
  await search.earlier();
  expect([search.lines.length, search.from]).toEqual([401, 6_001]);
  // What keeps its place by the shift finds the same line.
  expect([search.shift - shift, search.lines[200 + search.shift - shift]]).toEqual([200, last]);
});
