import { mkdtempSync, readFileSync, rmSync } from 'node:fs';
import { request } from 'node:https';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { beforeAll, describe, expect, onTestFinished, test } from 'vitest';
import { createToken } from '../../src/server/access/tokens/token-changes.ts';
import { bareRequest } from '../helpers/bare-request.ts';
import { freePort } from '../helpers/free-port.ts';
import { connectClient, openClient, type ClientOptions } from '../helpers/socket-client.ts';
import { startServer } from '../helpers/start-server.ts';
import { findPrograms, startTlsProxy, type ProxyKind, type TlsProxy } from '../helpers/tls-proxy.ts';

/** The documented configurations; only names and ports of this machine are put in, and what stands around them. */
const proxies: Record<string, ProxyKind> = {
  'nginx.conf': {
    configure: (text, { port, upstream, folder }) => {
      const site = text
        .replace('listen 443 ssl', `listen 127.0.0.1:${port} ssl`)
        .replace('/etc/ssl/certs/dash.example.pem', `${folder}/certificate.pem`)
        .replace('/etc/ssl/private/dash.example.key', `${folder}/key.pem`)
        .replace('127.0.0.1:8000', `127.0.0.1:${upstream}`);
      const folders = ['client_body', 'proxy', 'fastcgi', 'uwsgi', 'scgi'].map((each) => `${each}_temp_path ${folder}/${each};`);
      // As the user of the server: what the kernel says of the proxy is what it says of the user's own programs.
      return `daemon off;\nuser root;\npid ${folder}/pid;\nerror_log stderr;\nevents {}\nhttp {\naccess_log off;\n${folders.join('\n')}\n${site}}\n`;
    },
    command: (file, folder) => ['nginx', '-c', file, '-p', folder, '-e', 'stderr'],
  },
  Caddyfile: {
    configure: (text, { port, upstream, folder }) => {
      const site = text
        .replace(
          '\ndash.example {',
          `\nhttps://dash.example:${port} {\n\tbind 127.0.0.1\n\ttls ${folder}/certificate.pem ${folder}/key.pem`,
        )
        .replace('127.0.0.1:8000', `127.0.0.1:${upstream}`);
      return `{\n\tadmin off\n\tauto_https disable_redirects\n}\n${site}`;
    },
    command: (file) => ['caddy', 'run', '--config', file, '--adapter', 'caddyfile'],
  },
};

let missing: string | undefined;
beforeAll(async () => {
  missing = await findPrograms({ nginx: 'nginx-light', caddy: 'caddy', openssl: 'openssl' });
}, 310_000);

function newTokenFile(): string {
  const folder = mkdtempSync(join(tmpdir(), 'shannon-dash-proxied-'));
  onTestFinished(() => rmSync(folder, { recursive: true }));
  return join(folder, 'tokens');
}

/** Opens a stream of events through a proxy; gives what has come so far. */
async function streamOf({ url, agent }: TlsProxy, path: string, authorization: string): Promise<{ status: number; text: () => string }> {
  let text = '';
  return new Promise((resolve, reject) => {
    const sent = request(new URL(path, url), { agent, headers: { authorization, accept: 'text/event-stream' } }, (response) => {
      response.on('data', (chunk: Buffer) => (text += chunk.toString())).on('error', () => undefined);
      resolve({ status: response.statusCode ?? 0, text: () => text });
    });
    sent.on('error', reject).end();
    onTestFinished(() => void sent.destroy());
  });
}

describe.each(Object.entries(proxies))('behind docs/proxy/%s', (file, kind) => {
  test('every transport works with a token, and nothing is told without', async (context) => {
    if (missing !== undefined) return context.skip(missing);
    const port = await freePort();
    const tokenFile = newTokenFile();
    const { text: token } = createToken(tokenFile, { name: 'ana', role: 'admin' });
    // The harder case: programs of the server's own user need no token, and the proxy is one.
    const server = await startServer({ tokenFile, publicUrl: `https://dash.example:${port}`, asksEverybody: false });
    const proxy = await startTlsProxy(file, kind, { port, upstream: server.port });
    const authorization = `Bearer ${token}`;
    const json = { 'content-type': 'application/json' };
    expect((await bareRequest(server.port, '/api/sessions')).status).toBe(200);

    expect(JSON.parse((await proxy.ask('/health')).text)).toEqual({
      status: 'healthy',
      live: true,
      ready: true,
      timestamp: expect.any(String),
    });
    expect((await proxy.ask('/api/sessions')).status).toBe(401);
    expect((await proxy.ask('/api/sessions/s/events', { headers: { accept: 'text/event-stream' } })).status).toBe(401);
    const through = (options: ClientOptions): ClientOptions => ({ ...options, agent: proxy.agent as never });
    for (const transport of ['websocket', 'polling']) {
      const refused = openClient(proxy.url, through({ transports: [transport] }));
      const error = await new Promise((resolve) => refused.socket.once('connect_error', resolve));
      expect(error).toMatchObject({ data: { code: 'UNAUTHENTICATED' } });
    }

    const publish = (type: string) =>
      proxy.ask('/api/sessions/s/events', { method: 'POST', headers: { authorization, ...json }, body: JSON.stringify({ type }) });
    expect((await publish('test:first')).status).toBe(200);
    const stream = await streamOf(proxy, '/api/sessions/s/events', authorization);
    expect(stream.status).toBe(200);
    const clients = await Promise.all(
      [['websocket'], ['polling'], ['polling', 'websocket']].map((transports) =>
        connectClient(proxy.url, through({ transports, auth: { token, session_id: 's' } })),
      ),
    );
    await expect.poll(() => clients.map(({ socket }) => socket.io.engine.transport.name)).toEqual(['websocket', 'polling', 'websocket']);
    await Promise.all(clients.map((client) => client.next('session:state')));
    expect((await publish('test:live')).status).toBe(200);
    await Promise.all(
      clients.map((client) => client.until('the event', () => client.events('s').some(({ type }) => type === 'test:live'))),
    );
    // While the stream is open: the proxy keeps nothing back.
    await expect.poll(stream.text).toContain('test:live');
    // A request that is larger than nginx takes by default.
    const many = JSON.stringify(Array.from({ length: 40 }, () => ({ type: 'test:large', data: { text: 'x'.repeat(50_000) } })));
    const answer = await proxy.ask('/api/sessions/s/events', { method: 'POST', headers: { authorization, ...json }, body: many });
    expect(answer.status).toBe(200);

    // A browser: its page has come by https, and its cookie goes by https only.
    const { login_url } = JSON.parse((await proxy.ask('/api/login-codes', { method: 'POST', headers: { authorization } })).text) as {
      login_url: string;
    };
    expect(login_url.startsWith(`${proxy.url}/login#`)).toBe(true);
    const own = { origin: proxy.url };
    const body = JSON.stringify({ code: login_url.split('#')[1] });
    const login = await proxy.ask('/login', { method: 'POST', headers: { ...json, ...own }, body });
    expect(login).toMatchObject({ status: 200, headers: { 'strict-transport-security': 'max-age=31536000' } });
    const [cookie = ''] = String(login.headers['set-cookie']).split(';', 1);
    expect(cookie).toMatch(/^__Host-shannon-dash=/);
    expect(JSON.parse((await proxy.ask('/api/whoami', { headers: { cookie } })).text)).toMatchObject({ by: 'ana', logged_in: true });
    const halt = { method: 'POST', body: '{"type":"HALT"}' };
    expect((await proxy.ask('/api/sessions/s/commands', { ...halt, headers: { cookie, ...json } })).status).toBe(403);
    expect((await proxy.ask('/api/sessions/s/commands', { ...halt, headers: { cookie, ...json, ...own } })).status).toBe(200);
    const browser = await connectClient(proxy.url, through({ extraHeaders: { cookie, ...own } }));
    expect(await browser.next('connected')).toMatchObject({ role: 'admin' });
  });
});

test('the page about the server shows the configuration of Caddy as it is', () => {
  const [pageText, site] = ['server.md', 'proxy/Caddyfile'].map((file) =>
    readFileSync(new URL(`../../docs/${file}`, import.meta.url), 'utf8'),
  );
  expect(pageText).toContain(site?.replaceAll(/^#.*\n/gm, ''));
});

test('with a public URL a caller needs a token although it looks like a program here: a proxy may say nothing of its callers', async () => {
  const server = await startServer({ publicUrl: 'https://dash.example' });
  expect((await bareRequest(server.port, '/api/sessions')).status).toBe(401);
  expect((await bareRequest(server.port, '/api/sessions', { headers: { host: 'dash.example' } })).status).toBe(401);
  expect((await bareRequest(server.port, '/api/sessions', { headers: { host: 'other.example' } })).status).toBe(403);
});
