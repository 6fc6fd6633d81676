import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { expect, onTestFinished, test } from 'vitest';
import { createToken, revokeToken, type TokenRequest } from '../../src/server/access/tokens/token-changes.ts';
import { bareRequest } from '../helpers/bare-request.ts';
import { connectClient, openClient } from '../helpers/socket-client.ts';
import { startServer } from '../helpers/start-server.ts';

const polling = '/socket.io/?EIO=4&transport=polling';

/** A server that asks everybody for a token, and what a browser does with it. */
async function startGuarded(publicUrl?: string) {
  const folder = mkdtempSync(join(tmpdir(), 'shannon-dash-logins-'));
  onTestFinished(() => rmSync(folder, { recursive: true }));
  const tokenFile = join(folder, 'tokens');
  const server = await startServer({ tokenFile, asksEverybody: true, publicUrl });
  const host = publicUrl === undefined ? `127.0.0.1:${server.port}` : new URL(publicUrl).host;
  const own = { host, origin: publicUrl ?? `http://${host}` };
  const newToken = async (request: TokenRequest) => {
    const { text } = createToken(tokenFile, request);
    const authorization = `Bearer ${text}`;
    await expect.poll(() => bareRequest(server.port, '/api/sessions', { headers: { authorization } })).toMatchObject({ status: 200 });
    return text;
  };
  const codeFor = async (headers: Record<string, string>) => {
    const answer = await bareRequest(server.port, '/api/login-codes', { method: 'POST', headers });
    expect(answer).toMatchObject({ status: 201, headers: { 'cache-control': 'no-store' } });
    const { login_url } = JSON.parse(answer.text) as { login_url: string };
    expect(login_url).toMatch(publicUrl === undefined ? /^\/login#[\w-]{43}$/ : /^https:\/\/dash\.example\/login#[\w-]{43}$/);
    return login_url.slice(login_url.indexOf('#') + 1);
  };
  const login = (code: string, headers: Record<string, string> = own) =>
    bareRequest(server.port, '/login', {
      method: 'POST',
      headers: { 'content-type': 'application/json', ...headers },
      body: JSON.stringify({ code }),
    });
  const cookieFor = async (token: string) => {
    const { headers } = await login(await codeFor({ authorization: `Bearer ${token}` }));
    return String(headers['set-cookie']).split(';', 1)[0] ?? '';
  };
  return { server, tokenFile, own, newToken, codeFor, login, cookieFor };
}

test('a code works once, and only for a page of the server; nobody gets one without a token', async () => {
  const { server, own, newToken, codeFor, login } = await startGuarded();
  const authorization = `Bearer ${await newToken({ name: 'ana', role: 'viewer' })}`;
  expect(await bareRequest(server.port, '/api/login-codes', { method: 'POST' })).toMatchObject({ status: 401 });
  const code = await codeFor({ authorization });
  // Refused before the code is looked at: it stays good.
  expect((await login(code, { host: own.host })).status).toBe(403);
  for (const origin of ['http://evil.example', 'http://localhost:3000', 'null']) {
    expect((await login(code, { host: own.host, origin })).status).toBe(403);
  }
  const answer = await login(code);
  expect(answer).toMatchObject({ status: 200, headers: { 'cache-control': 'no-store' } });
  expect(String(answer.headers['set-cookie'])).toMatch(
    new RegExp(`^shannon-dash-${server.port}=[\\w-]{43}; HttpOnly; SameSite=Strict; Path=/; Max-Age=43200$`),
  );
  for (const wrong of [code, 'x']) expect((await login(wrong)).status).toBe(401);
  expect((await login('')).status).toBe(400);
});

test('the cookie is the same principal as the token, and counts with the own origin only, on every transport', async () => {
  const { server, own, newToken, cookieFor } = await startGuarded();
  const admin = `Bearer ${await newToken({ name: 'boss', role: 'admin' })}`;
  const ask = (path: string, headers: Record<string, string>, method = 'GET', body?: string) =>
    bareRequest(server.port, path, {
      method,
      headers: { ...(body === undefined ? {} : { 'content-type': 'application/json' }), ...headers },
      ...(body === undefined ? {} : { body }),
    });
  const refusalOf = async (transport: string, extraHeaders: Record<string, string>) => {
    const { socket } = openClient(server.url, { transports: [transport], extraHeaders });
    const error = await new Promise<Error & { data?: { code: string } }>((resolve, reject) => {
      socket.once('connect_error', resolve);
      socket.once('connect', () => reject(new Error('it was let in')));
    });
    return error.data?.code ?? error.message;
  };
  const event = '{"type":"a:b"}';
  for (const id of ['mine', 'other'])
    expect((await ask(`/api/sessions/${id}/events`, { authorization: admin }, 'POST', event)).status).toBe(200);
  const cookie = await cookieFor(await newToken({ name: 'ana', role: 'operator', sessions: ['mine'] }));
  const ofPage = { cookie, ...own };
  const visit = { cookie, host: own.host };

  // The same as the token, never more.
  expect(JSON.parse((await ask('/api/sessions', visit)).text)).toMatchObject({ sessions: [{ session_id: 'mine' }] });
  expect((await ask('/api/sessions/other', visit)).status).toBe(404);
  expect((await ask('/api/stats', visit)).status).toBe(403);
  expect((await ask('/api/sessions/mine/events', ofPage, 'POST', event)).status).toBe(403);
  const halt = '{"type":"HALT","timeout_ms":10}';
  expect((await ask('/api/sessions/mine/commands', ofPage, 'POST', halt)).status).toBe(200);
  const ledger = JSON.parse((await ask('/api/sessions/mine/commands', visit)).text) as { commands: { by: string }[] };
  expect(ledger.commands.map(({ by }) => by)).toEqual(['ana']);
  expect(JSON.parse((await ask('/api/whoami', visit)).text)).toEqual({
    by: 'ana',
    role: 'operator',
    can_steer: false,
    sessions: ['mine'],
    tenant: null,
    logged_in: true,
  });

  // Without the own origin it is nothing.
  const foreign: Record<string, string>[] = [
    visit,
    { ...visit, 'sec-fetch-site': 'same-origin' },
    ...['http://evil.example', 'http://localhost:3000', `http://localhost:${server.port}`, 'null'].map((origin) => ({ ...visit, origin })),
  ];
  for (const headers of foreign) {
    expect((await ask('/api/sessions/mine/commands', headers, 'POST', halt)).status).toBe(403);
    expect((await ask('/api/login-codes', headers, 'POST')).status).toBe(403);
    expect((await ask('/logout', headers, 'POST')).status).toBe(403);
    // A Socket.IO client may show a token later; by the cookie alone it is not let in.
    if (headers['sec-fetch-site'] !== undefined) continue;
    for (const transport of ['websocket', 'polling']) {
      expect(await refusalOf(transport, headers)).toMatch(/^(?:UNAUTHENTICATED|websocket error|xhr poll error)$/);
    }
    if (headers['origin'] === undefined) continue;
    for (const path of ['/api/sessions', '/api/sessions/mine/events'])
      expect((await ask(path, { ...headers, accept: 'text/event-stream' })).status).toBe(403);
  }
  expect(await refusalOf('websocket', { ...visit, origin: 'http://localhost:3000' })).toBe('UNAUTHENTICATED');
  const token = await newToken({ name: 'ben', role: 'viewer' });
  const other = await connectClient(server.url, { auth: { token }, extraHeaders: { cookie, origin: 'http://localhost:3000' } });
  expect(await other.next('connected')).toMatchObject({ role: 'viewer' });
  for (const transport of ['websocket', 'polling'] as const) {
    const client = await connectClient(server.url, { transports: [transport], extraHeaders: { cookie, origin: own.origin } });
    expect(await client.next('connected')).toMatchObject({ role: 'operator' });
    expect(await client.ask('subscribe', { session_id: 'other' })).toMatchObject({ code: 'NOT_FOUND' });
    client.close();
  }
  // A browser that polls its own server names no origin, but says that it is the same.
  expect((await ask(polling, { ...visit, 'sec-fetch-site': 'same-origin' })).status).toBe(200);
});

test('a login ends with the logout, and with the token that it came from: streams and sockets too', async () => {
  const { server, tokenFile, own, newToken, cookieFor, codeFor, login } = await startGuarded();
  const token = await newToken({ name: 'ana', role: 'operator' });
  const authorization = `Bearer ${token}`;
  const [first, second] = [await cookieFor(token), await cookieFor(token)];
  const late = await codeFor({ authorization });
  // A code of a cookie is worth as much as the cookie.
  const third = String((await login(await codeFor({ cookie: first, ...own }))).headers['set-cookie']).split(';', 1)[0] ?? '';
  const connect = (cookie: string) => connectClient(server.url, { extraHeaders: { cookie, origin: own.origin } });
  const [ofFirst, ofSecond, ofThird] = [await connect(first), await connect(second), await connect(third)];
  const status = async (cookie: string) => (await bareRequest(server.port, '/api/sessions', { headers: { cookie } })).status;

  const form = { 'content-type': 'application/x-www-form-urlencoded', 'content-length': '0' };
  const answer = await bareRequest(server.port, '/logout', { method: 'POST', headers: { cookie: first, ...own, ...form } });
  expect(answer).toMatchObject({ status: 303, headers: { location: '/' } });
  expect(String(answer.headers['set-cookie'])).toMatch(/^shannon-dash-\d+=; HttpOnly; .*Max-Age=0$/);
  expect(await Promise.all([first, second].map(status))).toEqual([401, 200]);
  await Promise.all([ofFirst, ofThird].map((each) => each.until('its end', () => each.disconnects.length === 1)));
  expect(await status(third)).toBe(401);
  expect(ofSecond.disconnects).toEqual([]);

  revokeToken(tokenFile, 'ana');
  await ofSecond.until('its end', () => ofSecond.disconnects.length === 1);
  expect(await status(second)).toBe(401);
  expect((await login(late)).status).toBe(401);
  const again = openClient(server.url, { extraHeaders: { cookie: second, origin: own.origin } });
  await new Promise((resolve) => again.socket.once('connect_error', resolve));
});

test('one caller has at most fifty codes, and takes no place of another one', async () => {
  const { own, newToken, codeFor, login } = await startGuarded();
  const ana = { authorization: `Bearer ${await newToken({ name: 'ana', role: 'viewer' })}` };
  const ben = { authorization: `Bearer ${await newToken({ name: 'ben', role: 'viewer' })}` };
  const ofBen = await codeFor(ben);
  const codes: string[] = [];
  for (let made = 0; made < 51; made++) codes.push(await codeFor(ana));
  expect((await login(codes[0] ?? '')).status).toBe(401);
  const answer = await login(codes[1] ?? '');
  expect(answer.status).toBe(200);
  // What her login makes counts as hers.
  const [cookie = ''] = String(answer.headers['set-cookie']).split(';', 1);
  for (let made = 0; made < 2; made++) await codeFor({ cookie, ...own });
  expect((await login(codes[2] ?? '')).status).toBe(401);
  expect((await login(codes[3] ?? '')).status).toBe(200);
  expect((await login(ofBen)).status).toBe(200);
});

test('behind https the cookie is for https only, bound to the host, and answers say so', async () => {
  const { server, own, newToken, codeFor, login } = await startGuarded('https://dash.example');
  const authorization = `Bearer ${await newToken({ name: 'ana', role: 'viewer' })}`;
  const code = await codeFor({ authorization });
  expect((await login(code, { ...own, origin: 'http://dash.example' })).status).toBe(403);
  const answer = await login(code);
  expect(String(answer.headers['set-cookie'])).toMatch(
    /^__Host-shannon-dash=[\w-]{43}; HttpOnly; SameSite=Strict; Path=\/; Max-Age=43200; Secure$/,
  );
  expect(answer.headers).toMatchObject({ 'strict-transport-security': 'max-age=31536000' });
  const [cookie = ''] = String(answer.headers['set-cookie']).split(';', 1);
  const status = async (headers: Record<string, string>) => (await bareRequest(server.port, '/api/sessions', { headers })).status;
  expect(await status({ host: own.host, cookie })).toBe(200);
  // A page of another host, or one that came by http, cannot put a cookie of its own in its place.
  expect(await status({ host: own.host, cookie: cookie.replace('__Host-shannon-dash', `shannon-dash-${server.port}`) })).toBe(401);
});

test('a page of another site cannot lead a browser to the login of somebody else', async () => {
  const { server } = await startGuarded();
  const navigation = { 'sec-fetch-mode': 'navigate', 'sec-fetch-dest': 'document' };
  for (const [site, status] of [
    ['cross-site', 403],
    ['same-site', 403],
    ['none', 200],
    ['same-origin', 200],
  ] as const) {
    const answer = await bareRequest(server.port, '/login', { headers: { ...navigation, 'sec-fetch-site': site } });
    expect([site, answer.status]).toEqual([site, status]);
  }
  const { headers, text } = await bareRequest(server.port, '/login');
  expect(headers).toMatchObject({ 'referrer-policy': 'same-origin', 'cross-origin-opener-policy': 'same-origin' });
  expect(headers['content-security-policy']).toMatch(/^default-src 'none'; .*script-src 'sha256-[^']+'; connect-src 'self'$/);
  expect(text).not.toMatch(/ on\w+=|<script[^>]+>/);
  expect((await bareRequest(server.port, '/api/whoami')).status).toBe(401);
});
