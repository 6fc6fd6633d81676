import { mkdtempSync, rmSync, statSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { expect, onTestFinished, test } from 'vitest';
import { createToken, revokeToken, rotateToken, type TokenRequest } from '../../src/server/access/tokens/token-changes.ts';
import { readTokenFile } from '../../src/server/access/tokens/token-file.ts';
import { bareRequest } from '../helpers/bare-request.ts';
import { connectClient } from '../helpers/socket-client.ts';
import { publish, startServer } from '../helpers/start-server.ts';

interface Share {
  id: string;
  by: string;
  expires_at: string;
  opened: boolean;
}

/** A server that asks everybody for a token, with two sessions, and what is done with links to them. */
async function startShared() {
  const folder = mkdtempSync(join(tmpdir(), 'shannon-dash-shares-'));
  onTestFinished(() => rmSync(folder, { recursive: true }));
  const tokenFile = join(folder, 'tokens');
  const admin = `Bearer ${createToken(tokenFile, { name: 'boss', role: 'admin' }).text}`;
  const server = await startServer({ tokenFile, asksEverybody: true });
  const own = () => ({ host: `127.0.0.1:${server.port}`, origin: `http://127.0.0.1:${server.port}` });
  const ask = async (method: string, path: string, headers: Record<string, string>, body?: object) => {
    const {
      status,
      headers: answered,
      text,
    } = await bareRequest(server.port, path, {
      method,
      headers: { ...headers, ...(body === undefined ? {} : { 'content-type': 'application/json' }) },
      ...(body === undefined ? {} : { body: JSON.stringify(body) }),
    });
    return { status, headers: answered, body: (text.startsWith('{') ? JSON.parse(text) : {}) as Record<string, unknown> };
  };
  for (const id of ['shown', 'other'])
    expect((await ask('POST', `/api/sessions/${id}/events`, { authorization: admin }, { type: 'a:b' })).status).toBe(200);
  const tokenOf = (request: TokenRequest) => ({ authorization: `Bearer ${createToken(tokenFile, request).text}` });
  const share = async (headers: Record<string, string>, body: object = {}, id = 'shown') => {
    const answer = await ask('POST', `/api/sessions/${id}/shares`, headers, body);
    expect(answer).toMatchObject({ status: 201, headers: { 'cache-control': 'no-store' } });
    const { share_url, ...link } = answer.body as unknown as Share & { share_url: string };
    const [, code = ''] = /^\/login#([^/]+)\/shown$/.exec(share_url) ?? [];
    return { ...link, code };
  };
  const open = (code: string, headers: Record<string, string> = own()) => ask('POST', '/login', headers, { code });
  const cookieOf = async (code: string) => {
    const { status, headers } = await open(code);
    expect(status).toBe(200);
    return String(headers['set-cookie']).split(';', 1)[0] ?? '';
  };
  const list = async (headers: Record<string, string>) =>
    (await ask('GET', '/api/sessions/shown/shares', headers)).body['shares'] as Share[];
  return { server, tokenFile, own, ask, tokenOf, share, open, cookieOf, list, admin: { authorization: admin } };
}

test('the link of a session opens once, in one browser, which watches this session and can do nothing else; a restart changes nothing', async () => {
  const { server, tokenFile, own, ask, tokenOf, share, open, cookieOf, list } = await startShared();
  const ana = tokenOf({ name: 'ana', role: 'operator', steer: true, sessions: ['shown'] });
  const { code, ...link } = await share(ana, { expires_ms: 3_600_000 });
  expect(link).toMatchObject({ by: 'ana', opened: false });
  // The code opens nothing but the page, and is kept nowhere.
  expect((await ask('GET', '/api/sessions', { authorization: `Bearer ${code}` })).status).toBe(401);
  expect((await ask('GET', '/api/sessions', { cookie: `shannon-dash-${server.port}=${code}` })).status).toBe(401);
  expect(JSON.stringify(readTokenFile(tokenFile))).not.toContain(code);
  expect(statSync(tokenFile).mode & 0o777).toBe(0o600);
  expect((await open(code, { host: own().host, origin: 'http://evil.example' })).status).toBe(403);

  const answer = await open(code);
  expect(String(answer.headers['set-cookie'])).toMatch(
    /^shannon-dash-\d+=sd_\w+; HttpOnly; SameSite=Strict; Path=\/; Max-Age=3(?:600|59\d)$/,
  );
  const cookie = String(answer.headers['set-cookie']).split(';', 1)[0] ?? '';
  expect((await open(code)).status).toBe(401);
  expect(await list(ana)).toEqual([{ ...link, created_at: expect.any(String), opened: true }]);

  const looks = async () => {
    const visit = { cookie, host: own().host };
    expect((await ask('GET', '/api/whoami', visit)).body).toMatchObject({ by: `share-${link.id}`, role: 'viewer', sessions: ['shown'] });
    expect((await ask('GET', '/api/sessions', visit)).body).toMatchObject({ total: 1, sessions: [{ session_id: 'shown' }] });
    expect((await ask('GET', '/api/sessions/shown/events', visit)).status).toBe(200);
  };
  await looks();
  const page = { cookie, ...own() };
  expect((await ask('GET', '/api/sessions/other', page)).status).toBe(404);
  const refused = [
    await ask('POST', '/api/sessions/shown/commands', page, { type: 'HALT' }),
    await ask('POST', '/api/sessions/shown/events', page, { type: 'a:b' }),
    await ask('POST', '/api/sessions/shown/shares', page, {}),
    await ask('GET', '/api/sessions/shown/shares', page),
    await ask('DELETE', `/api/sessions/shown/shares/${link.id}`, page),
    await ask('GET', '/api/stats', page),
  ];
  expect(refused.map(({ status }) => status)).toEqual([403, 403, 403, 403, 403, 403]);
  // What the cookie holds is no token for a program.
  expect((await ask('GET', '/api/sessions', { authorization: `Bearer ${cookie.split('=')[1]}` })).status).toBe(401);

  await server.close();
  await server.restart();
  await looks();
  expect((await open(code)).status).toBe(401);
  // Whoever goes takes the link along.
  const second = await cookieOf((await share(ana)).code);
  const form = { 'content-type': 'application/x-www-form-urlencoded', 'content-length': '0' };
  expect((await bareRequest(server.port, '/logout', { method: 'POST', headers: { cookie: second, ...own(), ...form } })).status).toBe(303);
  await expect.poll(async () => (await ask('GET', '/api/sessions', { cookie: second })).status).toBe(401);
  await looks();
});

test('a link ends when it expires, when it is revoked, and with the token that made it: what it let in too', async () => {
  const { server, tokenFile, own, ask, tokenOf, share, open, cookieOf, list, admin } = await startShared();
  const soon = new Date(Date.now() + 3_600_000);
  const ana = tokenOf({ name: 'ana', role: 'operator', sessions: ['shown'], expiresAt: soon });
  const ben = tokenOf({ name: 'ben', role: 'operator' });
  const connect = (cookie: string) => connectClient(server.url, { extraHeaders: { cookie, origin: own().origin } });
  const isOver = async (cookie: string, client: Awaited<ReturnType<typeof connect>>) => {
    await client.until('its end', () => client.disconnects.length === 1);
    expect((await ask('GET', '/api/sessions', { cookie })).status).toBe(401);
  };
  // It lasts no longer than what made it.
  const ofAna = await share(ana, { expires_ms: 86_400_000 });
  expect(ofAna.expires_at).toBe(soon.toISOString());

  // By whoever may make one; by the command line; with its maker.
  const revoked = await share(ben);
  const cookie = await cookieOf(revoked.code);
  const client = await connect(cookie);
  expect((await ask('DELETE', `/api/sessions/other/shares/${revoked.id}`, ben)).status).toBe(404);
  expect((await ask('DELETE', `/api/sessions/shown/shares/${revoked.id}`, ana)).status).toBe(200);
  await isOver(cookie, client);
  expect((await ask('DELETE', `/api/sessions/shown/shares/${revoked.id}`, ana)).status).toBe(404);

  const byFile = await share(ben);
  const second = await cookieOf(byFile.code);
  const secondClient = await connect(second);
  expect(() => rotateToken(tokenFile, byFile.id)).toThrow(/is a link to a session/);
  revokeToken(tokenFile, byFile.id);
  await isOver(second, secondClient);

  const unopened = await share(ben);
  const third = await cookieOf((await share(ben)).code);
  const thirdClient = await connect(third);
  expect((await list(ana)).map(({ by }) => by)).toEqual(['ana', 'ben', 'ben']);
  rotateToken(tokenFile, 'ben');
  await isOver(third, thirdClient);
  expect((await open(unopened.code)).status).toBe(401);
  expect((await list(ana)).map(({ by }) => by)).toEqual(['ana']);

  // Over are also those whose time is.
  const short = await share(admin, { expires_ms: 60_000 });
  const stored = readTokenFile(tokenFile).find(({ id }) => id === short.id);
  expect(Date.parse(stored?.expires_at ?? '') - Date.parse(stored?.created_at ?? '')).toBe(60_000);
  for (const expires_ms of [59_999, 31 * 86_400_000, 'soon', null])
    expect((await ask('POST', '/api/sessions/shown/shares', admin, { expires_ms })).status).toBe(400);
});

test('only operators make links, only to sessions that they reach, and not many; a server without a file of tokens says so', async () => {
  const { ask, tokenOf, share } = await startShared();
  const status = async (headers: Record<string, string>, id = 'shown') =>
    (await ask('POST', `/api/sessions/${id}/shares`, headers, {})).status;
  expect(await status({})).toBe(401);
  expect(await status(tokenOf({ name: 'viewer', role: 'viewer' }))).toBe(403);
  expect(await status(tokenOf({ name: 'ci', role: 'orchestrator', sessions: ['shown'] }))).toBe(403);
  const ana = tokenOf({ name: 'ana', role: 'operator', sessions: ['sh*'] });
  expect([await status(ana, 'other'), await status(ana, 'shut')]).toEqual([404, 404]);
  for (let made = 0; made < 100; made++) await share(ana);
  expect(await ask('POST', '/api/sessions/shown/shares', ana, {})).toMatchObject({ status: 429, body: { code: 'LIMIT_REACHED' } });
  expect(await status(tokenOf({ name: 'ben', role: 'operator' }))).toBe(201);

  const plain = await startServer();
  await publish(plain, 'shown', { type: 'a:b' });
  const answer = await bareRequest(plain.port, '/api/sessions/shown/shares', {
    method: 'POST',
    headers: { 'content-type': 'application/json' },
    body: '{}',
  });
  expect(JSON.parse(answer.text)).toMatchObject({ code: 'UNSUPPORTED', error: expect.stringContaining('in memory') });
});
