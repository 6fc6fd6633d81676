import { execFileSync } from 'node:child_process';
import { tmpdir } from 'node:os';
import * as fc from 'fast-check';
import { expect, test } from 'vitest';
import { quotedForBash, readBashLine } from '../../../src/cli/completion/bash-line.ts';

const breaks = ' \t\n"\'@><=;|&(:';

/** What bash makes of words: each run through its own expansion, which would carry out what is not quoted. */
function asBashReads(words: readonly string[]): string[] {
  const script = `printf '%s\\0' ${words.join(' ')}`;
  return execFileSync('bash', ['-c', script], { cwd: tmpdir(), env: { PATH: process.env['PATH'], HOME: '/home' } })
    .toString()
    .split('\0')
    .slice(0, -1);
}

/** A quoted text with its quotes. Readline closes a quote unless the text ends with one. */
function closed(text: string, quote: '"' | "'"): string {
  const quoted = quotedForBash(text, quote);
  return quote + quoted + (quoted.endsWith(quote) ? '' : quote);
}

/** Texts of one line, rich in what a shell acts on. */
const texts = fc.array(
  fc.oneof(
    fc.constantFrom(...'$`\\"\'!*?[]{}()<>|&;~#^=:@% ,+-./\t'.split('')),
    fc.constantFrom('$(touch x)', '`touch x`', '${HOME}', '$HOME', '~', '!!', 'ä', '漢', '🚀', '\u00a0'),
    fc.string({ unit: 'grapheme-ascii', minLength: 1, maxLength: 4 }),
  ),
  { minLength: 1, maxLength: 8 },
);

test('a quoted text is to bash that text and nothing else, in whichever quote it stands', () => {
  fc.assert(
    fc.property(fc.array(texts, { minLength: 20, maxLength: 40 }), (given) => {
      const plain = given.map((parts) => parts.join('')).filter((text) => text !== '');
      expect(asBashReads(plain.map((text) => quotedForBash(text, '')))).toEqual(plain);
      expect(asBashReads(plain.map((text) => closed(text, "'")))).toEqual(plain);
      expect(asBashReads(plain.map((text) => closed(text, '"')))).toEqual(plain);
    }),
    { numRuns: 30 },
  );
});

test('a line that holds quoted texts is read as bash reads it', () => {
  fc.assert(
    fc.property(fc.array(texts, { minLength: 2, maxLength: 6 }), (given) => {
      const plain = given.map((parts) => parts.join('')).filter((text) => text !== '');
      const line = plain.map((text, at) => (at % 2 === 0 ? quotedForBash(text, '') : closed(text, '"')));
      expect(readBashLine(`${line.join(' ')} `, breaks).words).toEqual([...plain, '']);
    }),
    { numRuns: 300 },
  );
});

test.each([
  ['dash watch run:ol', ['dash', 'watch', 'run:ol'], 'run:', ''],
  ['dash watch "run:ol', ['dash', 'watch', 'run:ol'], '', '"'],
  ['dash watch a:"b c', ['dash', 'watch', 'a:b c'], 'a:', '"'],
  ['dash watch "a:b"c', ['dash', 'watch', 'a:bc'], '', ''],
  [String.raw`dash send --decision=a\ b`, ['dash', 'send', '--decision=a b'], '--decision=', ''],
  [String.raw`dash watch a\:b`, ['dash', 'watch', 'a:b'], '', ''],
  [String.raw`dash -x "a \"b\" \c" '`, ['dash', '-x', String.raw`a "b" \c`, ''], '', "'"],
  ['dash  ', ['dash', ''], '', ''],
  [String.raw`dash a\ `, ['dash', 'a '], '', ''],
  ["dash $'a\\'b", ['dash', "a'b"], '', "$'"],
  ['dash $(touch x) `y` $HOME', ['dash', '$(touch', 'x)', '`y`', '$HOME'], '', ''],
])('%s', (line, words, kept, quote) => {
  expect(readBashLine(line, breaks)).toMatchObject({ words, kept, quote, isRedirection: false });
});

test('where output goes and input comes from is no word of the command', () => {
  expect(readBashLine('dash emit - < fi', breaks)).toMatchObject({ words: ['dash', 'emit', '-', 'fi'], isRedirection: true });
  expect(readBashLine('dash 2>/dev/null watch ', breaks)).toMatchObject({ words: ['dash', 'watch', ''], isRedirection: false });
  expect(readBashLine('dash >out watch', breaks)).toMatchObject({ words: ['dash', 'watch'], isRedirection: false });
});
