import { chmodSync, existsSync, mkdirSync, readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { expect, test } from 'vitest';
import { bareRequest } from '../helpers/bare-request.ts';
import { runProgram, serve } from './started-program.ts';

/** The end of a login with the code of a link. */
async function loginWith(link: string) {
  const { hash, host, port } = new URL(link);
  const [code = ''] = hash.slice(1).split('/');
  const headers = { 'content-type': 'application/json', host, origin: `http://${host}` };
  return bareRequest(Number(port), '/login', { method: 'POST', headers, body: JSON.stringify({ code }) });
}

test('open prints a link that works once, and without a screen starts nothing', async () => {
  const place = await serve('--journal', 'memory', '--auth');
  const { code, stdout, stderr } = await place.run('open', 'nightly');
  expect({ code, stderr }).toEqual({ code: 0, stderr: '' });
  expect(stdout).toMatch(new RegExp(`^${place.url}/login#[\\w-]{43}/nightly\n$`));
  expect([await loginWith(stdout.trim()), await loginWith(stdout.trim())]).toMatchObject([{ status: 200 }, { status: 401 }]);
  const { url } = JSON.parse((await place.run('open', '--json')).stdout) as { url: string };
  expect(await loginWith(url)).toMatchObject({ status: 200 });
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
    const place = await serve('--journal', 'memory');
    const { code, stderr } = await place.run('serve', '--port', '0', '--journal', 'memory', '--public-url', url);
    expect({ code, stderr }).toEqual({ code: 2, stderr: expect.stringMatching(/^error: --public-url must be /) });
  },
);

test('decide shows the link of an answer by the public URL', async () => {
  const place = await serve('--journal', 'memory', '--public-url', 'https://dash.example');
  const asking = place.start('decide', 'Deploy?', '--option', 'yes', '--id', 'd', '-s', 's');
  await asking.until(({ stderr }) => stderr.includes('  or: '));
  expect(asking.stderr).toMatch(/ https:\/\/dash\.example\/api\/sessions\/s\/decisions\/d\/answer\/[\w-]+\n/);
});
