import { generateKeyPairSync } from 'node:crypto';
import { expect, test } from 'vitest';
import { LineRedaction } from '../../src/core/text/line-redaction.ts';
import { Redaction } from '../../src/core/text/redaction.ts';
import { redactionOf } from '../../src/run/output/redaction-patterns.ts';
import { newToken } from '../../src/server/access/tokens/token-text.ts';

const builtIn = new Redaction({ hasBuiltIn: true, finders: [] });
const token = newToken().text;
const child = `sd_run_${'6369'.repeat(4)}_${'0a'.repeat(32)}`;
const { privateKey } = generateKeyPairSync('rsa', { modulusLength: 2_048 });
const pem = privateKey.export({ type: 'pkcs8', format: 'pem' }).toString().trimEnd();
const keyBody = pem.split('\n').slice(1, -1);

test.each([
  ['nothing to see here', 'nothing to see here'],
  [`export TOKEN=${token}; go`, 'export TOKEN=[redacted]; go'],
  [`\u001B[31m${token}\u001B[0m`, '\u001B[31m[redacted]\u001B[0m'],
  [`child ${child}.`, 'child [redacted].'],
  ['> Authorization: Bearer abc.def', '> Authorization: [redacted]'],
  ['proxy-authorization: Basic eDp5', 'proxy-authorization: [redacted]'],
  [`curl -H "Authorization: Bearer abc" http://x`, `curl -H "Authorization: [redacted]" http://x`],
  [`{"authorization":"Bearer abc","host":"x"}`, `{"authorization":"[redacted]","host":"x"}`],
  [`Authorization: Digest username="x", response="y"`, 'Authorization: [redacted]'],
  ['the header Authorization:', 'the header Authorization:'],
  ['see authorization in the manual', 'see authorization in the manual'],
  ['git clone https://ci:hunter2@host/x', 'git clone https://ci:***@host/x'],
  [
    `curl http://h/api/sessions/s/decisions/k/answer/${'aB-_'.repeat(11).slice(1)} -d x`,
    'curl http://h/api/sessions/s/decisions/k/answer/[redacted] -d x',
  ],
  ['see /answer/42 there', 'see /answer/42 there'],
  [`two ${token} and ${token}`, 'two [redacted] and [redacted]'],
  [`before ${pem} after`, 'before [redacted] after'],
  [JSON.stringify({ key: pem }), '{"key":"[redacted]"}'],
  [`Authorization: Bearer ${token}\nnext line`, 'Authorization: [redacted]\nnext line'],
])('text %#: what is told of it has no secret', (text, told) => {
  expect(builtIn.text(text)).toBe(told);
});

test('a secret that stands in two words of a command line is known as one', () => {
  expect(builtIn.words(['curl', '-H', 'Authorization:', 'Bearer', 'abc'])).toEqual([
    'curl',
    '-H',
    'Authorization:',
    '[redacted]',
    '[redacted]',
  ]);
  expect(builtIn.words(['sh', '-c', `TOKEN=${token} go`, 'https://a:b@c'])).toEqual(['sh', '-c', 'TOKEN=[redacted] go', 'https://a:***@c']);
});

test('a private key over several lines is redacted from its beginning to its end, and nothing else', () => {
  const lines = new LineRedaction(builtIn);
  const told = ['hello', `key: ${pem.split('\n')[0]}`, ...keyBody, `${pem.split('\n').at(-1)} done`, 'bye'].map((line) => lines.line(line));
  expect(told).toEqual(['hello', 'key: [redacted]', ...keyBody.map(() => '[redacted]'), '[redacted] done', 'bye']);
});

test('a private key without an end does not take the rest of the output with it', () => {
  const lines = new LineRedaction(builtIn);
  lines.line('-----BEGIN OPENSSH PRIVATE KEY-----');
  const told = Array.from({ length: 40 }, (_, at) => lines.line(`line ${at}`));
  expect(told[0]).toBe('[redacted]');
  expect(told.at(-1)).toBe('line 39');
});

test('wherever a line is told before its end, nothing of a secret is told', () => {
  for (const secret of [token, 'Authorization: Bearer hunter22', 'https://ci:hunter22@host', '-----BEGIN PRIVATE KEY-----']) {
    const line = `say ${secret} and more`;
    for (let at = 1; at < line.length; at++) {
      const lines = new LineRedaction(builtIn);
      const begun = line.slice(0, at);
      const ready = lines.readyChars(begun);
      const told = lines.beginning(begun.slice(0, ready)) + lines.line(line.slice(ready));
      expect(told).not.toMatch(/hunter22|[0-9A-Za-z]{43}|hunter/);
      if (secret.startsWith('-----')) expect(lines.line(keyBody[0] ?? '')).toBe('[redacted]');
    }
  }
});

test('a key whose beginning was let go is redacted all the same', () => {
  const lines = new LineRedaction(builtIn);
  const [begin = '', ...rest] = pem.split('\n');
  lines.skip(`much text\n${begin.slice(0, 9)}`);
  lines.skip(`${begin.slice(9)}\n`);
  expect(rest.map((line) => lines.line(line))).toEqual(rest.map(() => '[redacted]'));
  expect(lines.line('after')).toBe('after');
  lines.skip(`${pem}\n`);
  expect(lines.line('after')).toBe('after');
});

test('patterns of the user are added, and can stand alone', async () => {
  const both = await redactionOf({ hasBuiltIn: true, patterns: ['hunter[0-9]+', '(?i)pin=\\d+'] });
  expect(both?.text(`hunter22 PIN=1234 ${token}`)).toBe('[redacted] [redacted] [redacted]');
  const alone = await redactionOf({ hasBuiltIn: false, patterns: ['hunter[0-9]+'] });
  expect(alone?.text(`hunter22 ${token}`)).toBe(`[redacted] ${token}`);
  expect(await redactionOf({ hasBuiltIn: false, patterns: [] })).toBeUndefined();
  // The last word of a line that goes on may become a match.
  const lines = new LineRedaction(alone ?? builtIn);
  const ready = lines.readyChars('say hunt');
  expect(lines.beginning('say hunt'.slice(0, ready)) + lines.line('hunter22 now')).toBe('say [redacted] now');
});

test.each([
  ['(', 'is no regular expression'],
  ['(?<=x)y', 'is no regular expression'],
  ['(a)\\1', 'is no regular expression'],
  ['x*', 'matches nothing at all'],
  ['x'.repeat(501), 'is longer than 500'],
  ['(abcdefgh){900}', 'is too large'],
])('pattern %# is refused, with the reason', async (pattern, reason) => {
  await expect(redactionOf({ hasBuiltIn: true, patterns: [pattern] })).rejects.toMatchObject({
    code: 'INVALID',
    message: expect.stringContaining(reason),
  });
});

test('33 patterns are refused', async () => {
  const patterns = Array.from({ length: 33 }, (_, at) => `x${at}`);
  await expect(redactionOf({ hasBuiltIn: true, patterns })).rejects.toMatchObject({
    code: 'INVALID',
    message: expect.stringContaining('32 patterns'),
  });
});

test('a pattern over which a backtracking matcher takes for ever is matched', async () => {
  const redaction = await redactionOf({ hasBuiltIn: false, patterns: ['(a|a)+$', '(a+)+b'] });
  expect(redaction?.text(`${'a'.repeat(5_000)}!`)).toMatch(/^a+!$/);
  expect(redaction?.text(`${'a'.repeat(5_000)}b`)).toBe('[redacted]');
});

test.each([
  ['authorization: x '.repeat(16_000), /^authorization: \[redacted\]$/],
  ['://'.repeat(80_000), /^[:/]+$/],
  ['://a:b@'.repeat(30_000), /^(?::\/\/a:\*\*\*@)+$/],
  ['sd_run_'.repeat(30_000), /^(?:sd_run_)+$/],
  ['-----BEGIN PRIVATE KEY-----'.repeat(9_000), /^\[redacted\]$/],
])('a line of 240,000 characters that begin a secret again and again is one line all the same', (line, told) => {
  const lines = new LineRedaction(builtIn);
  lines.readyChars(`${line} `);
  expect(lines.line(line, true).length).toBeGreaterThan(0);
  expect(builtIn.text(line)).toMatch(told);
});
