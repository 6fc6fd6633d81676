import * as fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import { cutText, cutTextStart } from '../../src/core/text/cut-text.ts';
import { safeJson, safeLine, safeLines } from '../../src/core/text/safe-text.ts';

/** Written as code points, so that nothing in this file hides. */
const char = (...points: number[]) => String.fromCodePoint(...points);
const [ESC, BEL, ST, ZWJ] = [char(0x1b), char(0x07), char(0x9c), char(0x200d)];

describe('control sequences', () => {
  test.each([
    ['OSC 8 link', `a${ESC}]8;;https://evil.example${ESC}\\click${ESC}]8;;${ESC}\\b`, 'aclickb'],
    ['OSC 52 clipboard', `a${ESC}]52;c;ZXZpbA==${BEL}b`, 'ab'],
    ['OSC 0 title', `a${ESC}]0;title${BEL}b`, 'ab'],
    ['OSC without an end', `a${ESC}]0;title and the rest`, 'a'],
    ['OSC of one byte', `a${char(0x9d)}0;title${ST}b`, 'ab'],
    ['CSI', `a${ESC}[31;1mred${ESC}[0m${ESC}[2J${ESC}[10;10Hb`, 'aredb'],
    ['CSI of one byte', `a${char(0x9b)}31mb`, 'ab'],
    ['CSI with a private mark', `a${ESC}[?1049hb${ESC}[>4;2mc`, 'abc'],
    ['CSI without an end', `a${ESC}[31`, 'a'],
    ['DCS', `a${ESC}P+q544e${ESC}\\b`, 'ab'],
    ['DCS of one byte', `a${char(0x90)}+q${ST}b`, 'ab'],
    ['APC', `a${ESC}_Gf=100;AAAA${ESC}\\b`, 'ab'],
    ['PM', `a${ESC}^x${ESC}\\b`, 'ab'],
    ['SOS', `a${ESC}Xx${ESC}\\b`, 'ab'],
    ['reset', `a${ESC}cb`, 'ab'],
    ['character set', `a${ESC}(0b`, 'ab'],
    ['ESC before ESC', `a${ESC}${ESC}[31mb`, 'ab'],
    ['lone ESC at the end', `a${ESC}`, 'a'],
    ['ESC before a letter beyond ASCII', `a${ESC}é`, 'aé'],
    ['a sequence that appears when another is taken out', `a${ESC}${ESC}[0m[31mb`, 'a[31mb'],
  ])('%s', (_, text, expected) => expect(safeLine(text)).toBe(expected));
});

describe('single characters', () => {
  test.each([
    ['BEL', 0x07],
    ['BS', 0x08],
    ['NUL', 0x00],
    ['DEL', 0x7f],
    ['SO', 0x0e],
    ['C1 IND', 0x84],
    ['soft hyphen', 0xad],
    ['RLO', 0x202e],
    ['LRO', 0x202d],
    ['RLI', 0x2067],
    ['PDI', 0x2069],
    ['RLM', 0x200f],
    ['ALM', 0x61c],
    ['zero-width space', 0x200b],
    ['zero-width non-joiner', 0x200c],
    ['word joiner', 0x2060],
    ['byte order mark', 0xfeff],
    ['Hangul filler', 0x3164],
    ['tag letter', 0xe0041],
    ['variation selector 17', 0xe0100],
    ['shorthand format control', 0x1bca0],
    ['musical format control', 0x1d173],
    ['interlinear anchor', 0xfff9],
  ])('%s is taken out', (_, point) => expect(safeLine(`a${char(point)}b`)).toBe('ab'));

  test.each([
    ['CR', '\r'],
    ['LF', '\n'],
    ['CR LF', '\r\n'],
    ['tab', '\t'],
    ['vertical tab', '\v'],
    ['form feed', '\f'],
    ['NEL', char(0x85)],
    ['line separator', char(0x2028)],
    ['paragraph separator', char(0x2029)],
  ])('%s becomes a space', (_, text) => expect(safeLine(`a${text}b`)).toBe('a b'));

  test('lone surrogates are taken out, pairs stay', () => {
    expect(safeLine('a\ud83db\ude00c😀')).toBe('abc😀');
  });

  test.each(['plain', 'Größe 25 €', '日本語', 'עברית', 'العربية', '한국어', 'é', '👍🏽', '🇩🇪', '❤️', '👩‍💻', '👨‍👩‍👧‍👦', '🏳️‍🌈', '1️⃣', ''])(
    '%s stays',
    (text) => {
      expect(safeLine(text)).toBe(text);
    },
  );

  test('a joiner that joins nothing is taken out', () => {
    expect(safeLine(`a${ZWJ}b ${ZWJ}👩 👩${ZWJ} 👩${ZWJ}${ZWJ}💻`)).toBe('ab 👩 👩 👩💻');
  });

  test('marks are stacked four high at most', () => {
    const acute = char(0x301);
    expect(safeLine(`a${acute.repeat(50)}b`)).toBe(`a${acute.repeat(4)}b`);
  });
});

describe('length', () => {
  test('is cut with an ellipsis', () => {
    expect(safeLine('abcdef', 4)).toBe('abc…');
    expect(safeLine('abcd', 4)).toBe('abcd');
    expect(safeLine(`${ESC}[31mabcd${ESC}[0m`, 4)).toBe('abcd');
  });

  test('is never cut within a pair, nor after a joiner', () => {
    expect(safeLine('ab😀cd', 4)).toBe('ab…');
    expect(safeLine(`👩${ZWJ}💻👩`, 4)).toBe('👩…');
    expect(safeLine(`👩${ZWJ}💻👩`, 5)).toBe('👩…');
  });

  test.each([
    ['letters', 'a'],
    ['ESC', ESC],
    ['OSC', `${ESC}]`],
    ['CSI', `${ESC}[`],
    ['CSI parameters', `${ESC}[0;`],
    ['intermediates', `${ESC}   `],
    ['joiners', ZWJ],
    ['marks', char(0x301)],
    ['marks and joiners', `${char(0xfe0f)}${ZWJ}`],
    ['half pairs', '\ud83d'],
    ['C1 strings', char(0x90)],
    ['line ends', '\r\n'],
  ])('100,000 characters of %s cost next to nothing', (_, unit) => {
    const text = unit.repeat(Math.ceil(100_000 / unit.length));
    const start = performance.now();
    expect(safeLine(text).length).toBeLessThanOrEqual(2_000);
    expect(safeLine(text, 100_000).length).toBeLessThanOrEqual(100_000);
    expect(safeLines(text).length).toBeLessThanOrEqual(1_000);
    expect(performance.now() - start).toBeLessThan(1_000);
  });
});

describe('any text', () => {
  const hostile = fc.constantFrom(
    ESC,
    BEL,
    ST,
    ZWJ,
    '[',
    ']',
    '\\',
    'm',
    ';',
    '8',
    'P',
    '_',
    '\r',
    '\n',
    '\b',
    '\0',
    'a',
    '👩',
    '💻',
    '👩‍💻',
    '\ud83d',
    '\ude00',
    '\udb40',
    ...[0x9b, 0x9d, 0x202e, 0x2066, 0x200b, 0xfe0f, 0x301, 0xe0041, 0x1f3fd, 0x61c, 0x2028].map((point) => char(point)),
  );
  const anyText = fc.oneof(
    fc.string({ unit: hostile, maxLength: 60 }),
    fc.string({
      unit: fc.oneof(
        hostile,
        fc.integer({ min: 0, max: 0xffff }).map((unit) => String.fromCharCode(unit)),
      ),
      maxLength: 60,
    }),
    fc.string({ unit: 'binary', maxLength: 40 }),
  );
  const maxChars = fc.integer({ min: 1, max: 70 });

  test('comes out without controls, bidirectional controls, hidden characters and half pairs', () => {
    fc.assert(
      fc.property(anyText, maxChars, (text, max) => {
        const line = safeLine(text, max);
        expect(line).not.toMatch(/\p{Cc}|\p{Bidi_Control}|\p{Surrogate}|[\u2028\u2029]/u);
        expect(line.replaceAll(/[\ufe00-\ufe0f\u200d]/g, '')).not.toMatch(/\p{Default_Ignorable_Code_Point}/u);
        expect(line.length).toBeLessThanOrEqual(max);
      }),
      { numRuns: 5_000 },
    );
  });

  test('is the same when cleaned twice', () => {
    fc.assert(
      fc.property(anyText, maxChars, (text, max) => {
        const once = safeLine(text, max);
        expect(safeLine(once, max)).toBe(once);
        expect(safeLine(once)).toBe(once);
      }),
      { numRuns: 5_000 },
    );
  });

  test('that is printable ASCII stays as it is', () => {
    fc.assert(
      fc.property(fc.string({ unit: 'grapheme-ascii', maxLength: 100 }), (text) => {
        expect(safeLine(text)).toBe(text);
      }),
    );
  });
});

describe('several lines', () => {
  test('stay lines, each cleaned', () => {
    expect(safeLines(`a${ESC}]0;x\nb\r\nc${ESC}[2J\rd`)).toEqual(['a', 'b', 'c d']);
  });

  test('are at most so many', () => {
    expect(safeLines('a\nb\nc', 2)).toEqual(['a', 'b']);
    expect(safeLines('abcdef\nb', 5, 3)).toEqual(['ab…', 'b']);
  });
});

describe('JSON for a terminal', () => {
  test('has everything that acts, hides or reorders as an escape, and is the same value', () => {
    const points = [
      0x7f, 0x85, 0x9b, 0xad, 0x200b, 0x200e, 0x200f, 0x2028, 0x2029, 0x202e, 0x2060, 0x2069, 0xfeff, 0xe0001, 0xe0041, 0xe007f,
    ];
    const value = Object.fromEntries(points.map((point) => [`k${char(point)}`, `a${char(point)}b${ZWJ}`]));
    const safe = safeJson(JSON.stringify(value));
    expect(safe).toMatch(/^[\x20-\x7e]*$/);
    expect(JSON.parse(safe)).toEqual(value);
  });

  test('keeps emoji and letters of any script as they are', () => {
    const json = JSON.stringify({ text: '👩‍💻 Größe 日本語 עברית' });
    expect(safeJson(json)).toBe(json);
  });
});

describe('a text that is cut', () => {
  test.each([
    ['ab😀cd', 2, 'ab', 'cd'],
    ['ab😀cd', 3, 'ab', 'cd'],
    ['ab😀cd', 4, 'ab😀', '😀cd'],
    ['ab😀cd', 6, 'ab😀cd', 'ab😀cd'],
    ['😀', 1, '', ''],
    ['', 0, '', ''],
  ])('%s after %i', (text, maxUnits, start, end) => {
    expect(cutText(text, maxUnits)).toBe(start);
    expect(cutTextStart(text, maxUnits)).toBe(end);
  });

  test('is well formed wherever it is cut', () => {
    fc.assert(
      fc.property(fc.string({ unit: 'binary' }), fc.nat(40), (text, maxUnits) => {
        for (const cut of [cutText(text, maxUnits), cutTextStart(text, maxUnits), safeLine(text, maxUnits)]) {
          expect(cut.isWellFormed()).toBe(true);
          expect(cut.length).toBeLessThanOrEqual(Math.max(1, maxUnits));
        }
      }),
    );
  });
});
