import { mkdtempSync, rmSync } from 'node:fs';
import { createServer } from 'node:http';
import type { AddressInfo } from 'node:net';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { beforeAll, expect, onTestFinished, test } from 'vitest';
import { createToken, revokeToken } from '../../src/server/access/tokens/token-changes.ts';
import { ChromiumPage, findChromium } from '../helpers/chromium.ts';
import { http, startServer, type Json } from '../helpers/start-server.ts';

let chromium: Awaited<ReturnType<typeof findChromium>>;
beforeAll(async () => {
  chromium = await findChromium();
}, 310_000);

/** What a page can try with a cookie that the browser adds for it. */
function attack(target: string): string {
  return `(async () => {
    const told = {};
    const asked = (path, options) =>
      fetch(${JSON.stringify(target)} + path, { credentials: 'include', ...options }).then((answer) => answer.type + ' ' + answer.status, () => 'refused');
    const opened = (of) => new Promise((resolve) => { of.onopen = () => resolve('opened'); of.onerror = () => resolve('refused'); });
    const halt = { method: 'POST', body: '{"type":"HALT"}' };
    told.read = await asked('/api/sessions');
    told.json = await asked('/api/sessions/victim/commands', { ...halt, headers: { 'content-type': 'application/json' } });
    // This one is sent, and its answer cannot be read.
    told.simple = await asked('/api/sessions/victim/commands', { ...halt, mode: 'no-cors' });
    told.logout = await asked('/logout', { method: 'POST', mode: 'no-cors' });
    told.stream = await opened(new EventSource(${JSON.stringify(target)} + '/api/sessions/victim/events', { withCredentials: true }));
    told.socket = await opened(new WebSocket(${JSON.stringify(target.replace('http', 'ws'))} + '/socket.io/?EIO=4&transport=websocket'));
    return told;
  })()`;
}

/** What the page of a logged-in browser can do. */
const own = `(async () => {
  const polled = await fetch('/socket.io/?EIO=4&transport=polling');
  const socket = new WebSocket('ws://' + location.host + '/socket.io/?EIO=4&transport=websocket');
  const connected = await new Promise((resolve) => {
    socket.onerror = () => resolve('refused');
    socket.onmessage = ({ data }) => {
      if (data.startsWith('0')) socket.send('40{"subscribe":false}');
      else if (data.startsWith('42["connected"')) resolve(JSON.parse(data.slice(2))[1]);
      else if (data.startsWith('44')) resolve(data);
    };
  });
  socket.close();
  const command = await fetch('/api/sessions/victim/commands', {
    method: 'POST', headers: { 'content-type': 'application/json' }, body: '{"type":"HALT","reason":"own"}',
  });
  return { cookie: document.cookie, polled: polled.status, connected, command: command.status };
})()`;

test('a link logs a browser in once; its cookie no script can read, and no page of another origin can use', async (context) => {
  if ('missing' in chromium) return context.skip(chromium.missing);
  const folder = mkdtempSync(join(tmpdir(), 'shannon-dash-logins-'));
  onTestFinished(() => rmSync(folder, { recursive: true }));
  const tokenFile = join(folder, 'tokens');
  const { text } = createToken(tokenFile, { name: 'ana', role: 'admin' });
  const server = await startServer({ tokenFile, asksEverybody: true });
  const bearer = { authorization: `Bearer ${text}` };
  expect((await http('POST', `${server.url}/api/sessions/victim/events`, { type: 'a:b' }, bearer)).status).toBe(200);
  const link = `${server.url}${String((await http('POST', `${server.url}/api/login-codes`, undefined, bearer)).body['login_url'])}`;
  const page = await ChromiumPage.open(chromium.path, ['evil.example']);
  const shown = () => page.evaluate('location.pathname + location.search + location.hash + " " + document.body.innerText');

  await page.goTo(`${link}/victim`);
  await expect.poll(shown).toMatch(/^\/s\/victim shannon-dash[\s\S]*You are ana, admin/);
  await page.goTo(`${link}/victim/1`);
  await expect.poll(shown).toMatch(/^\/login Log in\s+This link was used already/);

  expect(await page.evaluate(own)).toEqual({
    cookie: '',
    polled: 200,
    connected: expect.objectContaining({ role: 'admin' }),
    command: 200,
  });

  const evil = createServer((_, response) => response.setHeader('content-type', 'text/html').end('<!doctype html><p>evil</p>'));
  await new Promise<void>((resolve) => evil.listen(0, '127.0.0.1', resolve));
  onTestFinished(() => {
    evil.closeAllConnections();
    evil.close();
  });
  const { port } = evil.address() as AddressInfo;
  // To a browser the second one is the same site: it sends the cookie with all that the page asks for.
  for (const host of ['evil.example', '127.0.0.1']) {
    await page.goTo(`http://${host}:${port}/`);
    await expect.poll(shown).toContain('evil');
    expect(await page.evaluate(attack(server.url))).toEqual({
      read: 'refused',
      json: 'refused',
      simple: expect.stringMatching(/^(?:opaque 0|refused)$/),
      logout: expect.stringMatching(/^(?:opaque 0|refused)$/),
      stream: 'refused',
      socket: 'refused',
    });
  }
  const { commands } = (await http('GET', `${server.url}/api/sessions/victim/commands`, undefined, bearer)).body as { commands: Json[] };
  expect(commands).toMatchObject([{ by: 'ana' }]);
  expect(JSON.stringify(commands)).toContain('own');

  await page.goTo(`${server.url}/`);
  await expect.poll(shown).toContain('You are ana');
  await page.evaluate('document.querySelector(".who button").click()');
  await expect.poll(shown).toMatch(/^\/ shannon-dash[\s\S]*You are not logged in/);

  // A token that is typed in is made into a login; it stays neither in the page nor in the browser.
  const type = (token: string) => `(() => {
    const field = document.querySelector('.sign-in input');
    Object.getOwnPropertyDescriptor(HTMLInputElement.prototype, 'value').set.call(field, ${JSON.stringify(token)});
    field.dispatchEvent(new Event('input', { bubbles: true }));
    field.form.requestSubmit();
  })()`;
  await page.evaluate(type('sd_wrong_token'));
  await expect.poll(shown).toContain('This token is not valid here, or not any more');
  await page.evaluate(type(text));
  await expect.poll(shown).toContain('You are ana, admin');
  const kept = `JSON.stringify([document.cookie, { ...localStorage }, { ...sessionStorage }, location.href, document.documentElement.outerHTML])`;
  expect(await page.evaluate(kept)).not.toContain(text);
  // With the token ends what it let in, also where a page is open.
  revokeToken(tokenFile, 'ana');
  await expect.poll(shown).toContain('Your login has ended');
});
