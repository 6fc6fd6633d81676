import { generateKeyPairSync } from 'node:crypto';
import { readdirSync, readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { expect, test } from 'vitest';
import { newToken } from '../../src/server/access/tokens/token-text.ts';
import { newRunPlace, outputLines, until, type RunPlace } from '../cli/run-place.ts';

const token = newToken().text;
const pem = generateKeyPairSync('rsa', { modulusLength: 2_048 }).privateKey.export({ type: 'pkcs8', format: 'pem' }).toString();
const keyBody = pem.trimEnd().split('\n').slice(1, -1);

/** All that the journal's files hold. */
async function journalled(place: RunPlace): Promise<string> {
  await place.server.close();
  const { folder } = place.server;
  return readdirSync(folder)
    .filter((name) => name.startsWith('journal'))
    .map((name) => readFileSync(join(folder, name), 'latin1'))
    .join('\n');
}

/** A program that writes a text in pieces, one second and more apart, so that no line is whole when it is told. */
const slowly = `
const [file, ...ends] = process.argv.slice(2);
const text = require('node:fs').readFileSync(file, 'utf8');
const pieces = ends.map((end, index) => text.slice(Number(ends[index - 1] ?? 0), Number(end)));
const next = () => { if (pieces.length > 0) { process.stdout.write(pieces.shift()); setTimeout(next, 1_300); } };
next();
`;

test('what a program writes reaches the journal without its secrets, and the terminal with them', async () => {
  const place = await newRunPlace();
  const text = ['hello', `token ${token}`, '> Authorization: Bearer hunter22', 'https://ci:hunter23@host', pem.trimEnd(), 'bye', ''].join(
    '\n',
  );
  writeFileSync(join(place.work, 'text'), text);
  const end = await place.start(
    's',
    '--',
    'sh',
    '-c',
    `cat text; echo "Authorization: Basic hunter24" >&2; : ${token} https://ci:hunter25@host`,
  ).ended;
  expect(end).toMatchObject({ code: 0, stdout: text, stderr: 'Authorization: Basic hunter24\n' });
  const lines = outputLines(await place.events('s'));
  expect(lines).toEqual(expect.arrayContaining(['hello', 'token [redacted]', '> Authorization: [redacted]', 'https://ci:***@host', 'bye']));
  const kept = await journalled(place);
  expect(kept).toContain('token [redacted]');
  for (const secret of [token, 'hunter', ...keyBody]) expect(kept).not.toContain(secret);
});

test('a private key and a token that come in pieces, told before their lines end, are not told', async () => {
  const place = await newRunPlace();
  const text = `${pem}say ${token} and more\n`;
  writeFileSync(join(place.work, 'text'), text);
  writeFileSync(join(place.work, 'slowly.cjs'), slowly);
  const ends = [10, 100, 101, 800, pem.length - 10, pem.length + 20, text.length].map(String);
  const end = await place.start('s', '--', 'node', 'slowly.cjs', 'text', ...ends).ended;
  expect(end).toMatchObject({ code: 0, stdout: text });
  const told = outputLines(await place.events('s')).join('');
  expect(told).toMatch(/say \[redacted\] and more$/);
  const kept = await journalled(place);
  for (const line of [...keyBody.flatMap((each) => [each.slice(0, 20), each.slice(-20)]), token.slice(20)])
    expect(kept).not.toContain(line);
});

test('a private key amid more output than can be told is not told', async () => {
  const place = await newRunPlace();
  writeFileSync(join(place.work, 'key'), pem);
  const flood = 'seq 1 300000';
  const end = await place.start('s', '--', 'sh', '-c', `for n in 1 2 3 4; do ${flood}; cat key; done; ${flood}; cat key`).ended;
  expect(end.code).toBe(0);
  expect(end.stdout.split(keyBody[0] ?? '').length).toBe(6);
  const events = await place.events('s');
  expect(events.some(({ data }) => Number(data['let_go']) > 0)).toBe(true);
  const kept = await journalled(place);
  for (const line of keyBody) expect(kept).not.toContain(line);
});

test('--redact adds patterns, --no-redact takes the built-in ones away', async () => {
  const place = await newRunPlace();
  const print = ['--', 'sh', '-c', `echo pin=1234 ${token}`];
  expect((await place.start('added', '--redact', 'pin=[0-9]+', ...print).ended).code).toBe(0);
  expect((await place.start('alone', '--no-redact', '--redact', 'pin=[0-9]+', ...print).ended).code).toBe(0);
  expect((await place.start('off', '--no-redact', ...print).ended).code).toBe(0);
  const told = async (session: string) => outputLines(await place.events(session));
  expect(await told('added')).toEqual(['[redacted] [redacted]']);
  expect(await told('alone')).toEqual([`[redacted] ${token}`]);
  expect(await told('off')).toEqual([`pin=1234 ${token}`]);
  const started = (await place.events('added')).find(({ type }) => type === 'execution:started');
  expect(started?.data).toMatchObject({ task: 'sh -c echo [redacted] [redacted]', args: ['-c', 'echo [redacted] [redacted]'] });
});

test('the patterns of a variable and of a project file that is not trusted count too; neither can switch anything off', async () => {
  const place = await newRunPlace();
  writeFileSync(join(place.work, '.shannon-dash.json'), JSON.stringify({ redact: ['pin=[0-9]+'] }));
  place.env['SHANNON_DASH_REDACT'] = 'card [0-9,]+\nshoe';
  const print = ['--', 'sh', '-c', `echo pin=1234 card 1,2 shoe size ${token}`];
  expect(await place.start('s', '--redact', 'size', ...print).ended).toMatchObject({ code: 0, stderr: '' });
  expect(outputLines(await place.events('s'))).toEqual(['[redacted] [redacted] [redacted] [redacted] [redacted]']);
  for (const value of [false, 'pin', { built_in: false }]) {
    writeFileSync(join(place.work, '.shannon-dash.json'), JSON.stringify({ redact: value }));
    expect(await place.start('t', ...print).ended).toMatchObject({
      code: 2,
      stderr: expect.stringContaining('"redact" must be a list of texts'),
    });
  }
});

test('a pattern that is none is said before the program starts', async () => {
  const place = await newRunPlace();
  const end = await place.start('s', '--redact', '(', '--', 'touch', 'started').ended;
  expect(end).toMatchObject({ code: 2, stderr: expect.stringContaining('no regular expression of RE2') });
  expect(place.read('started')).toBeUndefined();
});

test('what a program left behind writes on is redacted too', async () => {
  const place = await newRunPlace();
  const script = `(sleep 1; echo pin=1234 ${token}) &`;
  expect((await place.start('s', '--redact', 'pin=[0-9]+', '--', 'sh', '-c', script).ended).code).toBe(0);
  await until('it is told', async () => outputLines(await place.events('s')).length > 0);
  expect(outputLines(await place.events('s'))).toEqual(['[redacted] [redacted]']);
});
