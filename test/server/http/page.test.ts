import { brotliDecompressSync, gunzipSync, gzipSync } from 'node:zlib';
import { request } from 'node:http';
import { once } from 'node:events';
import type { IncomingMessage } from 'node:http';
import { expect, test } from 'vitest';
import { http, startServer } from '../../helpers/start-server.ts';

/** An answer as it is on the wire: fetch would undo its encoding. */
async function ask(
  port: number,
  path: string,
  accepted?: string,
): Promise<{ status: number; headers: IncomingMessage['headers']; bytes: Buffer }> {
  const headers = accepted === undefined ? {} : { 'accept-encoding': accepted };
  const sent = request({ port, path, headers }).end();
  const [response] = (await once(sent, 'response')) as [IncomingMessage];
  const pieces: Buffer[] = [];
  for await (const piece of response) pieces.push(piece as Buffer);
  return { status: response.statusCode ?? 0, headers: response.headers, bytes: Buffer.concat(pieces) };
}

test('the page is one document for all sessions and for one, under a policy that lets it run its own script alone', async () => {
  const { port } = await startServer();
  const [home, session] = await Promise.all([ask(port, '/'), ask(port, '/s/run-7f3a?at=12')]);
  expect(home.bytes.equals(session.bytes)).toBe(true);
  for (const { status, headers } of [home, session]) {
    expect(status).toBe(200);
    expect(headers).toMatchObject({
      'content-type': 'text/html; charset=utf-8',
      'cache-control': 'no-cache',
      'x-content-type-options': 'nosniff',
      'x-frame-options': 'DENY',
    });
    const policy = String(headers['content-security-policy']);
    expect(policy).toMatch(
      /^default-src 'none'; script-src 'self'; style-src 'self'; .*frame-ancestors 'none'; require-trusted-types-for 'script'/,
    );
    expect(policy).not.toMatch(/unsafe|https?:|\*|data:/);
  }
  expect(home.bytes.toString()).not.toMatch(/<script(?! type="module" src="\/web\/)|<style| on\w+=|https?:/);
});

test('its files are kept by browsers for good, come in the encoding that is taken, and are small', async () => {
  const { port } = await startServer();
  const names = [...(await ask(port, '/')).bytes.toString().matchAll(/"(\/web\/[^"]+)"/g)].map(([, name = '']) => name);
  expect(names.map((name) => name.replace(/-[\w-]{8}\./, '-*.'))).toEqual([
    '/web/icon-*.svg',
    '/web/icon-alert-*.svg',
    '/web/page-*.webmanifest',
    '/web/page-*.css',
    '/web/page-*.js',
  ]);
  let firstLoad = 0;
  for (const name of names) {
    const plain = await ask(port, name);
    expect(plain.headers).toMatchObject({
      'cache-control': 'public, max-age=31536000, immutable',
      vary: expect.stringContaining('accept-encoding'),
    });
    expect(plain.headers['content-encoding']).toBe(undefined);
    const [br, gzip] = [await ask(port, name, 'gzip, deflate, br'), await ask(port, name, 'gzip, deflate')];
    expect([br.headers['content-encoding'], gzip.headers['content-encoding']]).toEqual(['br', 'gzip']);
    expect([brotliDecompressSync(br.bytes).equals(plain.bytes), gunzipSync(gzip.bytes).equals(plain.bytes)]).toEqual([true, true]);
    firstLoad += gzipSync(plain.bytes).length;
  }
  expect(firstLoad).toBeLessThan(250 * 1024);
  const statuses = await Promise.all(['/web/page-00000000.js', '/web/index.html', '/web/..%2fpackage.json'].map((path) => ask(port, path)));
  expect(statuses.map(({ status }) => status)).toEqual([404, 404, 404]);
});

test('what clients ask for is answered as before: JSON, also where there is nothing', async () => {
  const { url } = await startServer();
  expect((await http('GET', `${url}/health`, undefined, { accept: 'text/html' })).body).toMatchObject({ status: 'healthy' });
  expect(await http('GET', `${url}/s`)).toMatchObject({ status: 404, body: { code: 'NOT_FOUND' } });
  expect(await http('GET', `${url}/api/whoami`)).toMatchObject({ status: 200, body: { role: 'admin', logged_in: false } });
});

test('a part of a history ends where `through` says', async () => {
  const { url } = await startServer();
  await http(
    'POST',
    `${url}/api/sessions/s/events`,
    Array.from({ length: 9 }, (_, at) => ({ type: at % 2 === 0 ? 'a:b' : 'c:d' })),
  );
  const { body } = await http<{ events: { seq: number }[]; next: number }>(
    'GET',
    `${url}/api/sessions/s/events?after=2&through=6&types=a:*`,
  );
  expect([body.events.map(({ seq }) => seq), body.next]).toEqual([[3, 5], 6]);
});
