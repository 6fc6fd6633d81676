import { chmodSync, existsSync, mkdirSync, readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { expect, test } from 'vitest';
import { bareRequest } from '../helpers/bare-request.ts';
import { callProgram } from './called-program.ts';
import { newPlace, runProgram, serve } from './started-program.ts';

/** The end of a login with the code of a link. */
async function loginWith(link: string) {
  const { hash, host, port } = new URL(link);
  const [code = ''] = hash.slice(1).split('/');
  const headers = { 'content-type': 'application/json', host, origin: `http://${host}` };
  return bareRequest(Number(port), '/login', { method: 'POST', headers, body: JSON.stringify({ code }) });
}

test('open prints a link that works once, and without a screen starts nothing', async () => {
  const place = await serve('--journal', 'memory', '--auth');
  await callProgram(['emit', 'execution:started', '-s', 'nightly'], place);
  const { code, stdout, stderr } = await place.run('open', 'nightly');
  expect({ code, stderr }).toEqual({ code: 0, stderr: '' });
  expect(stdout).toMatch(new RegExp(`^${place.url}/login#[\\w-]{43}/nightly\n$`));
  expect([await loginWith(stdout.trim()), await loginWith(stdout.trim())]).toMatchObject([{ status: 200 }, { status: 401 }]);
  expect((await callProgram(['open', 'nightly', '--at', '7'], place)).stdout).toMatch(/\/login#[\w-]{43}\/nightly\/7\n$/);
  expect(await callProgram(['open', '--at', '7'], place)).toMatchObject({
    code: 2,
    stderr: expect.stringContaining('--at is a moment of one session'),
  });
  const { url } = JSON.parse((await callProgram(['open', '--json'], place)).stdout) as { url: string };
  expect(await loginWith(url)).toMatchObject({ status: 200 });
});

test('share prints a link to one session, which stands among the tokens until it is revoked', async () => {
  const place = await serve('--auth');
  expect((await callProgram(['emit', 'execution:started', '-s', 'nightly'], place)).code).toBe(0);
  const { code, stdout, stderr } = await place.run('share', 'nightly', '--expires', '8h', '--at', '1');
  expect(code).toBe(0);
  expect(stdout).toMatch(new RegExp(`^${place.url}/login#sd_\\w+/nightly/1\n$`));
  expect(stderr).toMatch(/watches nightly for 8h[\s\S]*undo it: shannon-dash token revoke \w{8}\n$/);
  const list = async () => (await callProgram(['token', 'list'], place)).stdout;
  expect(await list()).toMatch(/share-\w{8}\s+viewer, unopened link of \S+\s+nightly\s+.*in (?:8h|7h59m)/);
  expect(await loginWith(stdout.trim())).toMatchObject({ status: 200 });
  expect(await list()).toContain('viewer, opened link of');
  const { id } = JSON.parse((await callProgram(['open', 'nightly', '--share', '--json'], place)).stdout) as { id: string };
  expect((await callProgram(['token', 'revoke', id], place)).code).toBe(0);
  expect(await list()).not.toContain(id);
  expect(await callProgram(['share'], place)).toMatchObject({ code: 2, stderr: expect.stringContaining('name it') });
  expect(await callProgram(['share', 'nightly', '--expires', '60d'], place)).toMatchObject({
    stderr: expect.stringContaining('at most 30 days'),
  });
  expect(await callProgram(['share', 'nosuch'], place)).toMatchObject({ stderr: expect.stringContaining('not found: nosuch') });
});

test.runIf(process.platform === 'linux')(
  'open starts the browser where there is a screen, but not with --print, and says when it cannot',
  async () => {
    const place = await serve('--journal', 'memory', '--public-url', 'https://dash.example');
    const bin = join(place.folder, 'bin');
    mkdirSync(bin);
    writeFileSync(join(bin, 'xdg-open'), '#!/bin/sh\nprintf %s "$1" > "$OPENED.part" && mv "$OPENED.part" "$OPENED"\n');
    chmodSync(join(bin, 'xdg-open'), 0o755);
    const opened = join(place.folder, 'opened');
    const onScreen = (PATH: string) => ({ ...place, env: { ...place.env, PATH, DISPLAY: ':99', OPENED: opened } });
    const path = `${bin}:${place.env['PATH']}`;
    expect((await runProgram(['open', '--print'], onScreen(path))).stdout).toMatch(/^https:\/\/dash\.example\/login#[\w-]{43}\n$/);
    expect(await runProgram(['open'], onScreen('/nowhere'))).toMatchObject({
      code: 0,
      stderr: expect.stringContaining('no browser was opened'),
    });
    expect(existsSync(opened)).toBe(false);
    const { stdout, stderr } = await runProgram(['open'], onScreen(path));
    expect(stderr).toContain('opened in your browser');
    await expect.poll(() => existsSync(opened)).toBe(true);
    expect(readFileSync(opened, 'utf8')).toBe(stdout.trim());
  },
);

test.each(['https://dash.example/path', 'https://user:word@dash.example', 'ftp://dash.example', 'https://dash.example/?a'])(
  '--public-url %s is refused',
  async (url) => {
    const { code, stderr } = await runProgram(['serve', '--port', '0', '--journal', 'memory', '--public-url', url], newPlace());
    expect({ code, stderr }).toEqual({ code: 2, stderr: expect.stringMatching(/^error: --public-url must be /) });
  },
);

test('decide shows the link of an answer by the public URL', async () => {
  const place = await serve('--journal', 'memory', '--public-url', 'https://dash.example');
  const asking = place.start('decide', 'Deploy?', '--option', 'yes', '--id', 'd', '-s', 's');
  await asking.until(({ stderr }) => stderr.includes('  or: '));
  expect(asking.stderr).toMatch(/ https:\/\/dash\.example\/api\/sessions\/s\/decisions\/d\/answer\/[\w-]+\n/);
});
