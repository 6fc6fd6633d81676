import { hostname, networkInterfaces } from 'node:os';
import { pino } from 'pino';
import { describe, expect, onTestFinished, test } from 'vitest';
import { createServer, type ServerOptions } from '../../src/server/create-server.ts';
import { bareRequest } from '../helpers/bare-request.ts';
import { connectRaw } from '../helpers/raw-websocket.ts';
import { startServer } from '../helpers/start-server.ts';

const polling = '/socket.io/?EIO=4&transport=polling';
const evil = 'http://evil.example';

/** A server in memory that listens where it is told. */
async function listenAt(host: string, options: ServerOptions = {}) {
  const server = await createServer({ projectFolder: '/nonexistent', ...options });
  onTestFinished(() => server.close());
  return server.listen({ host, port: 0 });
}

describe('row 1: a request of Engine.IO with a known sid is asked for Origin and Host like any other', () => {
  test('a stolen sid is of no use to a foreign page, nor under a foreign name', async () => {
    const server = await startServer();
    const opened = await bareRequest(server.port, polling);
    const { sid } = JSON.parse(opened.text.slice(1)) as { sid: string };
    const stolen = `${polling}&sid=${sid}`;
    const foreign: Record<string, string>[] = [
      { Origin: evil },
      { Host: 'evil.example' },
      { 'Sec-Fetch-Site': 'cross-site' },
      { 'Sec-Fetch-Site': 'same-site' },
    ];
    for (const headers of foreign) {
      expect(await bareRequest(server.port, stolen, { method: 'POST', headers, body: '40' })).toMatchObject({ status: 403 });
      expect(await bareRequest(server.port, stolen, { headers })).toMatchObject({ status: 403 });
      const raw = await connectRaw(server.port, { join: false, headers, query: `&sid=${sid}` });
      await raw.until('the refusal', () => raw.isClosed);
      expect(raw.packets[0]).toMatch(/^HTTP HTTP\/1\.1 403 /);
    }
    // The owner goes on as if nothing had been.
    expect(await bareRequest(server.port, stolen, { method: 'POST', body: '40' })).toMatchObject({ status: 200, text: 'ok' });
    expect((await bareRequest(server.port, stolen)).text).toMatch(/^40\{"sid"/);
  });

  test('JSONP is refused, whoever asks', async () => {
    const server = await startServer();
    for (const path of [`${polling}&j=0`, `${polling}&j`, '/socket.io/?j=1&EIO=4&transport=polling', `${polling}&%6a=0`]) {
      expect(await bareRequest(server.port, path)).toMatchObject({ status: 403, text: expect.stringContaining('JSONP') });
    }
  });
});

describe('row 1: a page that sends no Origin', () => {
  test.each(['cross-site', 'same-site'])('is refused when it is of another site (%s), but for a link that is followed', async (site) => {
    const server = await startServer();
    const headers = { 'sec-fetch-site': site };
    expect((await bareRequest(server.port, '/api/sessions', { headers })).status).toBe(403);
    expect((await bareRequest(server.port, polling, { headers })).status).toBe(403);
    const followed = { ...headers, 'sec-fetch-mode': 'navigate', 'sec-fetch-dest': 'document' };
    expect((await bareRequest(server.port, '/api/docs', { headers: followed })).status).toBe(200);
    expect((await bareRequest(server.port, '/api/docs', { headers: { ...followed, 'sec-fetch-dest': 'iframe' } })).status).toBe(403);
    expect((await bareRequest(server.port, polling, { headers: followed })).status).toBe(403);
    expect((await bareRequest(server.port, '/api/sessions', { headers: followed, method: 'POST' })).status).toBe(403);
    for (const own of ['same-origin', 'none']) {
      expect((await bareRequest(server.port, '/api/sessions', { headers: { 'sec-fetch-site': own } })).status).toBe(200);
    }
  });
});

describe('row 15: pages on localhost:3000 and :5173', () => {
  test('may call by default, on ::1 too, and not with devOrigins: false', async () => {
    const origins = ['localhost', '127.0.0.1', '[::1]'].flatMap((host) => [`http://${host}:3000`, `http://${host}:5173`]);
    const [open, shut] = [await listenAt('127.0.0.1'), await listenAt('127.0.0.1', { devOrigins: false })];
    for (const origin of origins) {
      expect(await bareRequest(open.port, '/health', { headers: { origin } })).toMatchObject({
        status: 200,
        headers: { 'access-control-allow-origin': origin },
      });
      for (const path of ['/health', polling]) expect((await bareRequest(shut.port, path, { headers: { origin } })).status).toBe(403);
    }
  });
});

/** An address of this machine that other machines can reach, if it has one. */
const outside = Object.values(networkInterfaces())
  .flatMap((each) => each ?? [])
  .find(({ internal, family }) => !internal && family === 'IPv4')?.address;

describe('row 19: the Host is checked however --host was spelled', () => {
  test.each(['LOCALHOST', 'localhost', '0:0:0:0:0:0:0:1', '::1', '::ffff:127.0.0.1', '127.0.0.2', '127.0.0.1', '0.0.0.0', '::'])(
    '--host %s answers to its own names and to no rebound one',
    async (host) => {
      const { port, url } = await listenAt(host);
      const to = { host: host.includes(':') && host !== '::' ? host : host === '127.0.0.2' ? host : '127.0.0.1' };
      const names = [
        'localhost',
        '127.0.0.1',
        '[::1]',
        `LOCALHOST:${port}`,
        `[0:0:0:0:0:0:0:1]:${port}`,
        '[::ffff:127.0.0.1]',
        '127.0.0.2',
      ];
      for (const name of [...names, new URL(url).host]) {
        for (const path of ['/health', polling])
          expect((await bareRequest(port, path, { ...to, headers: { host: name } })).status).toBe(200);
      }
      for (const name of ['evil.example', '127.evil.example', '127.0.0.1.evil.example', 'localhost.evil.example', 'localhost:80:80']) {
        const headers = { host: name, origin: `http://${name}` };
        for (const path of ['/health', polling]) {
          expect((await bareRequest(port, path, { ...to, headers })).status).toBe(403);
          expect((await bareRequest(port, path, { ...to, headers: { host: name } })).status).toBe(403);
        }
      }
    },
  );

  test('localhost is both of its addresses, for sockets too', async () => {
    const { port } = await listenAt('localhost');
    for (const host of ['127.0.0.1', '::1']) expect((await bareRequest(port, polling, { host })).status).toBe(200);
  });

  test('off loopback the names and addresses of the machine and the allowed hosts are answered to', async () => {
    const { port } = await listenAt('0.0.0.0', { allowedHosts: ['dash.example'] });
    const names = [hostname(), `${hostname()}.local`, '0.0.0.0', 'dash.example', 'DASH.example:80'];
    for (const host of names) expect((await bareRequest(port, '/health', { headers: { host } })).status).toBe(200);
    expect(await bareRequest(port, '/health', { headers: { host: 'other.example' } })).toMatchObject({
      status: 403,
      text: expect.stringContaining('--allowed-host other.example'),
    });
    if (outside === undefined) return;
    expect((await bareRequest(port, '/health', { host: outside })).status).toBe(200);
    // There a page of a dev server is one of another machine.
    expect((await bareRequest(port, '/health', { host: outside, headers: { origin: 'http://localhost:3000' } })).status).toBe(403);
    const any = await listenAt('0.0.0.0', { allowedHosts: ['*'] });
    expect((await bareRequest(any.port, '/health', { host: outside, headers: { host: 'any.example' } })).status).toBe(200);
  });
});

describe('row 28: what is refused cannot be read, and what is answered cannot be misused', () => {
  test('no refused answer and no preflight of a foreign page names its origin', async () => {
    const server = await startServer();
    for (const path of ['/api/sessions', polling, `${polling}&sid=unknown`, `${polling}&j=0`]) {
      for (const method of ['GET', 'POST', 'OPTIONS']) {
        const headers = { origin: evil, 'access-control-request-method': 'POST' };
        const { status, headers: answered } = await bareRequest(server.port, path, { method, headers });
        expect(status).toBe(403);
        expect(Object.keys(answered).filter((name) => name.startsWith('access-control'))).toEqual([]);
      }
    }
  });

  test('every answer forbids sniffing, framing and use by other sites', async () => {
    const server = await startServer();
    const answers = [
      await bareRequest(server.port, '/health'),
      await bareRequest(server.port, '/nowhere'),
      await bareRequest(server.port, polling),
      await bareRequest(server.port, '/health', { headers: { origin: evil } }),
    ];
    for (const { headers } of answers) {
      expect(headers).toMatchObject({
        'x-content-type-options': 'nosniff',
        'cross-origin-resource-policy': 'same-origin',
        'x-frame-options': 'DENY',
        'content-security-policy': expect.stringContaining("frame-ancestors 'none'"),
      });
    }
  });
});

describe('row 29: refusals do not flood the log', () => {
  test('2,000 refused requests and handshakes are a few lines, with their number', { timeout: 60_000 }, async () => {
    const lines: { msg: string; rule?: string; count?: number; level: number }[] = [];
    const log = pino({ level: 'warn' }, { write: (line) => void lines.push(JSON.parse(line) as (typeof lines)[number]) });
    const server = await startServer({ log });
    const startedAt = performance.now();
    for (let sent = 0; sent < 2_000; sent += 100) {
      const batch = Array.from({ length: 100 }, (_, at) =>
        bareRequest(server.port, at % 2 === 0 ? polling : '/health', { headers: { origin: evil } }),
      );
      await Promise.all(batch);
    }
    const told = () => lines.filter(({ rule }) => rule === 'origin').reduce((sum, { count = 1 }) => sum + count, 0);
    await expect.poll(told, { timeout: 10_000 }).toBe(2_000);
    // Two lines a second: the first of it, and the number of the others.
    expect(lines.length).toBeLessThanOrEqual(2 * Math.ceil((performance.now() - startedAt) / 1_000));
    expect(lines[0]?.msg).toContain('Origin http://evil.example is not allowed');
  });
});
