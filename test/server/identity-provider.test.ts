import { createServer as createHttpServer } from 'node:http';
import { once } from 'node:events';
import type { AddressInfo } from 'node:net';
import { exportJWK, generateKeyPair, SignJWT } from 'jose';
import { io } from 'socket.io-client';
import { expect, onTestFinished, test } from 'vitest';
import { MemoryJournal } from '../../src/journal/memory/memory-journal.ts';
import { connectClient } from '../helpers/socket-client.ts';
import { startServer } from '../helpers/start-server.ts';

const [issuer, audience] = ['https://id.example', 'shannon-dash'];

/** A provider that publishes a key, and signs with it. */
async function startProvider() {
  const { publicKey, privateKey } = await generateKeyPair('ES256');
  const key = { ...(await exportJWK(publicKey)), kid: 'k1', alg: 'ES256', use: 'sig' };
  const http = createHttpServer((_request, response) =>
    response.setHeader('content-type', 'application/json').end(JSON.stringify({ keys: [key] })),
  );
  await once(http.listen(0, '127.0.0.1'), 'listening');
  onTestFinished(() => void http.close());
  const sign = (claims: Record<string, unknown>, { expires = '5m', iss = issuer, aud = audience, signer = privateKey } = {}) =>
    new SignJWT(claims)
      .setProtectedHeader({ alg: 'ES256', kid: 'k1' })
      .setIssuer(iss)
      .setAudience(aud)
      .setExpirationTime(expires)
      .sign(signer);
  return { jwksUrl: `http://127.0.0.1:${(http.address() as AddressInfo).port}/keys`, key, sign };
}

async function statusOf(url: string, token: string, body?: unknown): Promise<number> {
  const headers = { authorization: `Bearer ${token}`, 'content-type': 'application/json' };
  const response = await fetch(url, body === undefined ? { headers } : { method: 'POST', headers, body: JSON.stringify(body) });
  await response.text();
  return response.status;
}

async function startGuarded(claims?: Record<string, string>) {
  const provider = await startProvider();
  const server = await startServer({
    asksEverybody: true,
    identityProvider: { jwksUrl: provider.jwksUrl, issuer, audience, claims },
    openTenantJournal: () => Promise.resolve(new MemoryJournal()),
  });
  return { ...provider, server };
}

test('a token of the identity provider says who calls, in which role, to which sessions', async () => {
  const { server, sign } = await startGuarded();
  const ci = await sign({ sub: 'ci', shannon_dash_role: 'orchestrator', shannon_dash_sessions: 'ci-* build-*' });
  const ana = await sign({ sub: 'ana', shannon_dash_role: 'operator', shannon_dash_sessions: ['ci-*'] });
  expect(await statusOf(`${server.url}/api/sessions/ci-1/events`, ci, { type: 'a:b' })).toBe(200);
  expect(await statusOf(`${server.url}/api/sessions/other/events`, ci, { type: 'a:b' })).toBe(404);
  expect(await statusOf(`${server.url}/api/sessions/ci-1/events`, ana, { type: 'a:b' })).toBe(403);
  expect(await statusOf(`${server.url}/api/sessions/ci-1/commands`, ana, { type: 'HALT', timeout_ms: 10 })).toBe(200);
  const history = await fetch(`${server.url}/api/sessions/ci-1/events`, { headers: { authorization: `Bearer ${ana}` } });
  const { events } = (await history.json()) as { events: { source?: string; data: { by?: string } }[] };
  expect([events[0]?.source, events.find(({ data }) => data.by !== undefined)?.data.by]).toEqual(['ci', 'ana']);
  const acme = await sign({ sub: 'boss', shannon_dash_role: 'admin', shannon_dash_tenant: 'acme' });
  expect(await statusOf(`${server.url}/api/sessions/ci-1`, acme)).toBe(404);
});

test('a token that is not signed, not meant for us, expired, or says too little is refused', async () => {
  const { server, key, sign } = await startGuarded();
  const admin = { sub: 'boss', shannon_dash_role: 'admin' };
  expect(await statusOf(`${server.url}/api/sessions`, await sign(admin))).toBe(200);
  const { privateKey } = await generateKeyPair('ES256');
  const part = (value: unknown) => Buffer.from(JSON.stringify(value)).toString('base64url');
  const body = { ...admin, iss: issuer, aud: audience, exp: Math.floor(Date.now() / 1000) + 60 };
  const wrong = [
    await sign(admin, { signer: privateKey }),
    await sign(admin, { iss: 'https://other.example' }),
    await sign(admin, { aud: 'another' }),
    await sign(admin, { expires: '-1m' }),
    await sign({ shannon_dash_role: 'admin' }),
    await sign({ sub: 'boss' }),
    await sign({ sub: 'boss', shannon_dash_role: 'root' }),
    await sign({ sub: 'ci', shannon_dash_role: 'orchestrator' }),
    `${part({ alg: 'none' })}.${part(body)}.`,
    `${part({ alg: 'none' })}.${part(body)}.x`,
    // A public key taken for the secret of a keyed hash.
    await new SignJWT(body).setProtectedHeader({ alg: 'HS256', kid: 'k1' }).sign(Buffer.from(JSON.stringify(key))),
  ];
  expect(await Promise.all(wrong.map((token) => statusOf(`${server.url}/api/sessions`, token)))).toEqual(wrong.map(() => 401));
});

test('the claims may have other names, and what a token let in ends when it expires', async () => {
  const { server, sign } = await startGuarded({ name: 'email', role: 'app_role' });
  const token = await sign({ sub: 'x', email: 'ana@example.com', app_role: 'viewer' }, { expires: '-4s' });
  const socket = io(server.url, { transports: ['websocket'], auth: { token }, reconnection: false, forceNew: true });
  onTestFinished(() => void socket.close());
  await new Promise((resolve) => socket.once('connect', () => resolve(undefined)));
  expect(await new Promise((resolve) => socket.once('disconnect', resolve))).toBe('transport close');
  expect(await statusOf(`${server.url}/api/sessions`, token)).toBe(401);
});

test("the token of an orchestrator's child ends with that of its orchestrator, until that comes back with another one", async () => {
  const { server, sign } = await startGuarded();
  const ci = { sub: 'ci', shannon_dash_role: 'orchestrator', shannon_dash_sessions: 'ci-1' };
  const attach = async (expires: string, lease?: unknown) => {
    const orchestrator = await connectClient(server.url, {
      auth: { token: await sign(ci, { expires }), subscribe: false },
      reconnection: false,
    });
    const request = { session_id: 'ci-1', instance_id: 'run', child_token: true, lease };
    return { orchestrator, attached: await orchestrator.ask('orchestrator:attach', request) };
  };
  const { orchestrator, attached } = await attach('-2s');
  const child = String(attached['child_token']);
  const publish = () => statusOf(`${server.url}/api/sessions/ci-1/events`, child, { type: 'a:b' });
  expect(await publish()).toBe(200);
  await orchestrator.until('it is cut', () => orchestrator.disconnects.length > 0);
  await expect.poll(publish, { timeout: 5_000 }).toBe(401);
  expect((await attach('5m', attached['lease'])).attached).toMatchObject({ child_token: child });
  expect(await publish()).toBe(200);
});

test('while the provider does not answer, its tokens cannot be told, and others can', async () => {
  const { sign } = await startProvider();
  const server = await startServer({ identityProvider: { jwksUrl: 'http://127.0.0.1:9/keys', issuer, audience } });
  expect(await statusOf(`${server.url}/api/sessions`, await sign({ sub: 'a', shannon_dash_role: 'admin' }))).toBe(503);
  expect((await fetch(`${server.url}/api/sessions`)).status).toBe(200);
});
