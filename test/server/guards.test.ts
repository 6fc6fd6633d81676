import { request } from 'node:http';
import { describe, expect, test } from 'vitest';
import { bareRequest } from '../helpers/bare-request.ts';
import { connectRaw } from '../helpers/raw-websocket.ts';
import { http, startServer, type TestServer } from '../helpers/start-server.ts';

const bare = (server: TestServer, path: string, headers: Record<string, string>, method = 'GET') =>
  bareRequest(server.port, path, { headers, method });

const polling = '/socket.io/?EIO=4&transport=polling';
const own = (server: TestServer) => `http://127.0.0.1:${server.port}`;

describe('a foreign Origin', () => {
  test.each([
    'http://evil.example',
    'https://localhost:3000',
    'http://localhost:9999',
    'null',
    'http://127.0.0.1.evil.example',
    'http://localhost:3000.evil.example',
  ])('%s is refused everywhere', async (origin) => {
    const server = await startServer();
    const overHttp = await bare(server, '/api/sessions', { origin });
    expect(overHttp.status).toBe(403);
    expect(JSON.parse(overHttp.text)).toMatchObject({
      success: false,
      code: 'FORBIDDEN',
      error: expect.stringContaining('is not allowed'),
    });
    expect(overHttp.headers['access-control-allow-origin']).toBeUndefined();
    expect((await bare(server, '/api/sessions', { origin, 'access-control-request-method': 'POST' }, 'OPTIONS')).status).toBe(403);
    expect((await bare(server, '/api/sessions/s/events', { origin, accept: 'text/event-stream' })).status).toBe(403);
    const overPolling = await bare(server, polling, { origin });
    expect(overPolling.status).toBe(403);
    expect(overPolling.text).toContain('is not allowed');
    const overWebSocket = await connectRaw(server.port, { join: false, headers: { Origin: origin } });
    expect(overWebSocket.packets.find((packet) => packet.includes('101'))).toBeUndefined();
    expect((await http('GET', `${server.url}/health`)).body['connected_clients']).toBe(0);
  });
});

describe('the older dashboards', () => {
  test.each(['http://localhost:3000', 'http://localhost:5173', 'http://127.0.0.1:3000'])(
    'at %s may call, with credentials',
    async (origin) => {
      const server = await startServer();
      const answer = await bare(server, '/api/sessions', { origin });
      expect(answer).toMatchObject({
        status: 200,
        headers: { 'access-control-allow-origin': origin, 'access-control-allow-credentials': 'true' },
      });
      const preflight = await bare(
        server,
        '/api/sessions/s/events',
        { origin, 'access-control-request-method': 'POST', 'access-control-request-headers': 'content-type' },
        'OPTIONS',
      );
      expect(preflight.status).toBe(204);
      expect(preflight.headers).toMatchObject({ 'access-control-allow-origin': origin, 'access-control-allow-headers': 'content-type' });
      expect(String(preflight.headers['access-control-allow-methods'])).toMatch(/POST.*DELETE/);
      const refused = await bare(server, '/api/sessions/nobody', { origin });
      expect(refused).toMatchObject({ status: 404, headers: { 'access-control-allow-origin': origin } });
      const stream = await new Promise<Record<string, unknown>>((resolve) => {
        const sent = request(
          { port: server.port, host: '127.0.0.1', path: '/api/sessions/s/events', headers: { origin, accept: 'text/event-stream' } },
          (response) => {
            resolve(response.headers);
            sent.destroy();
          },
        );
        sent.on('error', () => undefined);
        sent.end();
      });
      expect(stream).toMatchObject({ 'access-control-allow-origin': origin });
      expect(await bare(server, polling, { origin })).toMatchObject({ status: 200, headers: { 'access-control-allow-origin': origin } });
      const raw = await connectRaw(server.port, { headers: { Origin: origin } });
      expect(raw.packets[0]).toContain('101');
    },
  );
});

test('the own origin may call, and an added one, and any with a star', async () => {
  const server = await startServer();
  expect((await bare(server, '/health', { origin: own(server) })).status).toBe(200);
  const added = await startServer({ corsOrigins: ['https://dash.example'] });
  expect((await bare(added, '/health', { origin: 'https://dash.example' })).headers['access-control-allow-origin']).toBe(
    'https://dash.example',
  );
  expect((await bare(added, '/health', { origin: 'https://other.example' })).status).toBe(403);
  const open = await startServer({ corsOrigins: ['*'] });
  expect((await bare(open, '/health', { origin: 'https://any.example' })).status).toBe(200);
});

describe('a foreign Host', () => {
  test.each(['evil.example', 'evil.example:8000', 'localhost.evil.example', '127.0.0.1.evil.example', '192.168.0.1', '[::2]:80'])(
    '"%s" is refused by a server on loopback',
    async (host) => {
      const server = await startServer();
      expect((await bare(server, '/health', { host })).status).toBe(403);
      expect((await bare(server, polling, { host })).status).toBe(403);
      const raw = await connectRaw(server.port, { join: false, headers: { Host: host } });
      expect(raw.packets.find((packet) => packet.includes('101'))).toBeUndefined();
    },
  );

  test.each(['localhost', 'LOCALHOST:1', '127.0.0.1:9', '[::1]:80', '[::1]'])('"%s" is a name of loopback', async (host) => {
    const server = await startServer();
    expect((await bare(server, '/health', { host })).status).toBe(200);
  });

  test('with its own Origin gets nothing either: a rebound name', async () => {
    const server = await startServer();
    expect((await bare(server, '/api/sessions', { host: 'evil.example', origin: 'http://evil.example' })).status).toBe(403);
    expect((await bare(server, polling, { host: 'evil.example', origin: 'http://evil.example' })).status).toBe(403);
  });
});
