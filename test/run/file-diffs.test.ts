import { execFileSync } from 'node:child_process';
import { existsSync, mkdirSync, mkdtempSync, realpathSync, rmSync, symlinkSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach, beforeEach, expect, test } from 'vitest';
import { redactedText, Redaction } from '../../src/core/text/redaction.ts';
import type { FileChange } from '../../src/run/files/change-batch.ts';
import { FileDiffs } from '../../src/run/files/file-diffs.ts';
import { lineDiff } from '../../src/run/files/line-diff.ts';

let root: string;

beforeEach(() => {
  root = realpathSync(mkdtempSync(join(tmpdir(), 'file-diffs-')));
});

afterEach(() => rmSync(root, { recursive: true, force: true }));

const git = (...args: string[]) =>
  execFileSync('git', ['-c', 'user.name=a', '-c', 'user.email=a', '-c', 'commit.gpgSign=false', ...args], { cwd: root, stdio: 'pipe' });

function commit(files: Record<string, string | Buffer>): void {
  git('init', '-q', '.');
  for (const [path, content] of Object.entries(files)) put(path, content);
  git('add', '-f', '.');
  git('commit', '-q', '-m', 'first');
}

function put(path: string, content: string | Buffer): void {
  mkdirSync(join(root, path, '..'), { recursive: true });
  writeFileSync(join(root, path), content);
}

const modified = (path: string): FileChange => ({ type: 'file:modified', path });
const created = (path: string): FileChange => ({ type: 'file:created', path });
const told = async (diffs: FileDiffs, change: FileChange) => (await diffs.of([change])).get(change.path);

test('a difference is one from the last commit first, then from what was told last, also below the top and with odd names', async () => {
  commit({ 'sub/a b 3': 'one\ntwo\n', 'sub/日本.txt': 'x\n', 'sub/-q': 'x\n' });
  const diffs = new FileDiffs(join(root, 'sub'), undefined);
  put('sub/a b 3', 'one\n2\n');
  expect(await told(diffs, modified('a b 3'))).toEqual({
    diff: '--- a/a b 3\tlast commit\n+++ b/a b 3\n@@ -1,2 +1,2 @@\n one\n-two\n+2',
    lines_added: 1,
    lines_removed: 1,
  });
  put('sub/a b 3', 'one\n2\n3');
  expect((await told(diffs, modified('a b 3')))?.diff).toBe(
    '--- a/a b 3\tbefore\n+++ b/a b 3\n@@ -1,2 +1,3 @@\n one\n 2\n+3\n\\ No newline at end of file',
  );
  // Nothing differs: it was only touched.
  expect(await told(diffs, modified('a b 3'))).toBeUndefined();
  put('sub/日本.txt', 'y\n');
  put('sub/-q', 'y\n');
  const both = await diffs.of([modified('日本.txt'), modified('-q')]);
  expect([...both.keys()]).toEqual(['日本.txt', '-q']);
  put('sub/new', 'a');
  expect((await told(diffs, created('new')))?.diff).toBe('--- /dev/null\n+++ b/new\n@@ -0,0 +1,1 @@\n+a\n\\ No newline at end of file');
});

test('what git does not know, secrets, links, bytes and large files have none', async () => {
  const large = 'x\n'.repeat(70_000);
  commit({ '.env.local': 'A=1\n', 'keys/id_rsa': 'a\n', 'my-Secrets.yml': 'a\n', bytes: Buffer.from([0xff, 0xfe]), large, plain: 'a\n' });
  put('unknown', 'mine\n');
  const diffs = new FileDiffs(root, undefined);
  for (const path of ['.env.local', 'keys/id_rsa', 'my-Secrets.yml', 'bytes', 'large', 'unknown']) put(path, 'b\n');
  rmSync(join(root, 'plain'));
  symlinkSync('unknown', join(root, 'plain'));
  const paths = ['.env.local', 'keys/id_rsa', 'my-Secrets.yml', 'bytes', 'large', 'unknown', 'plain'];
  expect(await diffs.of(paths.map(modified))).toEqual(new Map());
  for (const path of paths.slice(0, -1)) put(path, 'c\n');
  expect(await diffs.of(paths.map(modified))).toEqual(new Map());
});

test('outside of a repository, and before the first commit, there are none', async () => {
  put('a', 'a\n');
  expect(await new FileDiffs(root, undefined).of([created('a')])).toEqual(new Map());
  git('init', '-q', '.');
  expect(await new FileDiffs(root, undefined).of([created('a')])).toEqual(new Map());
});

test('nothing that the repository configures is run', async () => {
  commit({ '.gitattributes': '* diff=evil filter=evil\n', a: 'a\n' });
  for (const name of [
    'diff.evil.textconv',
    'diff.evil.command',
    'filter.evil.clean',
    'filter.evil.smudge',
    'diff.external',
    'core.fsmonitor',
  ])
    git('config', name, `touch ${join(root, 'run')}; cat`);
  put('a', 'b\n');
  expect((await told(new FileDiffs(root, undefined), modified('a')))?.lines_added).toBe(1);
  expect(existsSync(join(root, 'run'))).toBe(false);
});

test('secrets are redacted, also where they begin far before the change', async () => {
  const key = (line: string) =>
    `-----BEGIN PRIVATE KEY-----\n${'MIIEvQIBADANBgkqhkiG9w0BAQEFAASC\n'.repeat(20)}${line}\n-----END PRIVATE KEY-----\nend\n`;
  commit({ 'key.txt': `a\n${key('old')}`, pin: 'no\n' });
  const pins = (text: string) => [...text.matchAll(/pin=\d+/g)].map(({ 0: all, index }) => ({ from: index, to: index + all.length }));
  const diffs = new FileDiffs(root, new Redaction({ hasBuiltIn: true, finders: [pins] }));
  put('key.txt', `b\n${key('new')}`);
  const { diff = '' } = (await told(diffs, modified('key.txt'))) ?? {};
  expect(diff).toContain(`-a\n+b\n ${redactedText}`);
  expect(diff).not.toMatch(/MIIE|old|new/);
  put('pin', 'pin=1234\nhttps://me:hunter2@example.com\n');
  expect((await told(diffs, modified('pin')))?.diff?.split('\n').slice(3)).toEqual([
    '-no',
    `+${redactedText}`,
    '+https://me:***@example.com',
  ]);
});

test('a difference is bounded: in lines, in characters, in the length of a line, and in how much is compared', () => {
  const lines = (count: number, text = 'x') => Array.from({ length: count }, (_, n) => `${text} ${n}\n`).join('');
  const many = lineDiff('', lines(5_000));
  expect(many).toMatchObject({ added: 5_000, removed: 0 });
  expect(many?.lines).toHaveLength(401);
  expect(many?.lines.at(-1)).toBe('... and 4601 more lines');
  const wide = lineDiff('a\n', lines(100, 'y'.repeat(900)));
  expect(wide?.lines.join('\n').length).toBeLessThan(17_000);
  expect(lineDiff('a\n', `${'z'.repeat(50_000)}\n`)?.lines.at(-1)).toBe('+(a line of 50000 characters)');
  expect(lineDiff(lines(3_000), lines(3_000, 'y'))).toBeUndefined();
});
