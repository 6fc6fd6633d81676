import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { existsSync, mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { io } from 'socket.io-client';
import { expect, onTestFinished, test } from 'vitest';
import { createToken, revokeToken, rotateToken, type TokenRequest } from '../../src/server/access/tokens/token-changes.ts';
import { isTokenText, newToken } from '../../src/server/access/tokens/token-text.ts';
import { MemoryJournal } from '../../src/journal/memory/memory-journal.ts';
import { publish, startServer } from '../helpers/start-server.ts';

function newTokenFile(): string {
  const folder = mkdtempSync(join(tmpdir(), 'shannon-dash-tokens-'));
  onTestFinished(() => rmSync(folder, { recursive: true }));
  return join(folder, 'tokens');
}

/** A server that asks everybody for a token. */
async function startGuarded() {
  const tokenFile = newTokenFile();
  const server = await startServer({ tokenFile, asksEverybody: true });
  const token = (request: TokenRequest) => createToken(tokenFile, request).text;
  return { server, tokenFile, token };
}

async function ask(url: string, token?: string, init: { method?: string; body?: unknown } = {}) {
  const headers = {
    ...(token === undefined ? {} : { authorization: `Bearer ${token}` }),
    ...(init.body === undefined ? {} : { 'content-type': 'application/json' }),
  };
  const response = await fetch(url, {
    method: init.method ?? 'GET',
    headers,
    body: init.body === undefined ? null : JSON.stringify(init.body),
  });
  return {
    status: response.status,
    body: (await response.json()) as Record<string, unknown>,
    challenge: response.headers.get('www-authenticate'),
  };
}

/** Connects with Socket.IO; gives the code of the refusal, or `connected`. */
async function connects(url: string, auth: object, transport: 'polling' | 'websocket'): Promise<unknown> {
  const socket = io(url, { transports: [transport], auth, reconnection: false, forceNew: true });
  onTestFinished(() => void socket.close());
  return new Promise((resolve) => {
    socket.once('connect', () => resolve('connected'));
    socket.once('connect_error', (error) => resolve((error as { data?: { code?: string } }).data?.code ?? error.message));
  });
}

test('the text of a token is checked, and no two are alike', () => {
  const texts = Array.from({ length: 200 }, () => newToken().text);
  expect(new Set(texts).size).toBe(200);
  expect(texts.every(isTokenText)).toBe(true);
  expect(
    texts
      .map((text) => (text[20] === 'x' ? `${text.slice(0, 20)}y${text.slice(21)}` : `${text.slice(0, 20)}x${text.slice(21)}`))
      .some(isTokenText),
  ).toBe(false);
});

test('no token, a wrong one, an expired one and a revoked one are one answer on every transport', async () => {
  const { server, tokenFile, token } = await startGuarded();
  const good = token({ name: 'boss', role: 'admin' });
  const expired = token({ name: 'old', role: 'admin', expiresAt: new Date(Date.now() - 1) });
  const revoked = token({ name: 'gone', role: 'admin' });
  revokeToken(tokenFile, 'gone');
  await expect.poll(() => ask(`${server.url}/api/sessions`, good)).toMatchObject({ status: 200 });
  await expect.poll(() => ask(`${server.url}/api/sessions`, revoked)).toMatchObject({ status: 401 });
  const answers = await Promise.all([expired, revoked, newToken().text, 'nonsense'].map((each) => ask(`${server.url}/api/sessions`, each)));
  expect(new Set(answers.map(({ body, ...answer }) => JSON.stringify({ ...answer, ...body, timestamp: '', request_id: '' }))).size).toBe(1);
  expect(answers[0]).toMatchObject({ status: 401, body: { code: 'UNAUTHENTICATED' }, challenge: expect.stringContaining('Bearer') });
  expect(await ask(`${server.url}/api/sessions`)).toMatchObject({
    status: 401,
    body: { code: 'UNAUTHENTICATED', error: expect.stringContaining('token create') },
  });
  for (const transport of ['polling', 'websocket'] as const) {
    expect(await connects(server.url, { token: good }, transport)).toBe('connected');
    for (const wrong of [undefined, expired, revoked, 'nonsense'])
      expect(await connects(server.url, { token: wrong }, transport)).toBe('UNAUTHENTICATED');
  }
  const stream = await fetch(`${server.url}/api/sessions/s/events`, { headers: { accept: 'text/event-stream' } });
  expect(stream.status).toBe(401);
});

test('a token in a URL, and a header of another form, are refused with the way out', async () => {
  const { server, token } = await startGuarded();
  const good = token({ name: 'boss', role: 'admin' });
  for (const path of [
    `/api/sessions?token=${good}`,
    `/api/sessions?access_token=x`,
    `/api/sessions/${good}`,
    `/socket.io/?EIO=4&transport=polling&token=${good}`,
  ]) {
    expect(await ask(`${server.url}${path}`)).toMatchObject({
      status: 400,
      body: { code: 'INVALID', error: expect.stringContaining('Authorization: Bearer') },
    });
  }
  const basic = await fetch(`${server.url}/api/sessions`, { headers: { authorization: 'Basic eDp5' } });
  expect(basic.status).toBe(400);
});

test('a caller without a token sees whether the server is well, and nothing else', async () => {
  const { server } = await startGuarded();
  expect((await ask(`${server.url}/health`)).body).toEqual({
    status: 'healthy',
    live: true,
    ready: true,
    timestamp: expect.any(String),
  });
  expect((await ask(`${server.url}/api/docs`)).status).toBe(200);
  for (const path of ['/api/stats', '/metrics', '/api/skills', '/api/sessions/s', '/api/sessions/s/commands', '/api/sessions/s/events'])
    expect((await ask(`${server.url}${path}`)).status).toBe(401);
});

test('what a token let in ends with it: connections, streams and commands that wait', async () => {
  const { server, tokenFile, token } = await startGuarded();
  const boss = token({ name: 'boss', role: 'admin' });
  const guest = token({ name: 'guest', role: 'operator', sessions: ['s'] });
  await expect
    .poll(() => ask(`${server.url}/api/sessions/s/events`, boss, { method: 'POST', body: { type: 'a:b' } }))
    .toMatchObject({ status: 200 });
  const socket = io(server.url, { transports: ['websocket'], auth: { token: guest }, reconnection: false, forceNew: true });
  onTestFinished(() => void socket.close());
  await once(socket as never, 'connect');
  const stream = await fetch(`${server.url}/api/sessions/s/events`, {
    headers: { accept: 'text/event-stream', authorization: `Bearer ${guest}` },
  });
  const reads = (async () => {
    const reader = stream.body!.getReader();
    while (!(await reader.read()).done);
  })().catch(() => 'cut');
  const cut = new Promise((resolve) => socket.once('disconnect', resolve));
  rotateToken(tokenFile, 'guest');
  expect(await cut).toBe('transport close');
  expect(await reads).toBe('cut');
  expect((await ask(`${server.url}/api/sessions/s`, guest)).status).toBe(401);
});

test('what a token does bears the name of the token, whatever the caller says of itself', async () => {
  const { server, token } = await startGuarded();
  const boss = token({ name: 'boss', role: 'admin' });
  const ci = token({ name: 'ci', role: 'orchestrator', sessions: ['ci-*'] });
  const ana = token({ name: 'ana', role: 'operator' });
  const headers = (text: string) => ({ 'content-type': 'application/json', authorization: `Bearer ${text}`, 'x-client': 'ceo' });
  const post = (path: string, text: string, body: unknown) =>
    fetch(`${server.url}${path}`, { method: 'POST', headers: headers(text), body: JSON.stringify(body) }).then(async (each) => each.json());
  await expect.poll(() => post('/api/sessions/ci-1/events', ci, { type: 'execution:started' })).toMatchObject({ success: true });
  expect(await post('/api/sessions/other/events', ci, { type: 'execution:started' })).toMatchObject({ code: 'NOT_FOUND' });
  await post('/api/sessions/ci-1/commands', ana, { type: 'HALT', timeout_ms: 10 });
  expect(await post('/api/sessions/ci-1/commands', ana, { type: 'INJECT', skill_name: 'x', timeout_ms: 10 })).toMatchObject({
    code: 'FORBIDDEN',
  });
  const { body } = await ask(`${server.url}/api/sessions/ci-1/events`, boss);
  const events = body['events'] as { type: string; source: string; data: { by?: string } }[];
  expect(events[0]).toMatchObject({ type: 'execution:started', source: 'ci' });
  expect(events.find(({ type }) => type === 'command:queued')?.data.by).toBe('ana');
});

test('a watcher of all sessions is delivered those of its token, and not what another one of the same commit is', async () => {
  const { server, token } = await startGuarded();
  const boss = token({ name: 'boss', role: 'admin' });
  const tokens = {
    a: token({ name: 'a', role: 'viewer', sessions: ['a-*'] }),
    b: token({ name: 'b', role: 'viewer', sessions: ['b-*', 'a-1'] }),
    boss,
  };
  await expect.poll(() => ask(`${server.url}/api/sessions`, tokens.b)).toMatchObject({ status: 200 });
  for (const id of ['a-1', 'a-2', 'b-1']) await ask(`${server.url}/api/sessions`, boss, { method: 'POST', body: { session_id: id } });
  const heard = await Promise.all(
    Object.values(tokens).map(async (text) => {
      const sessions = new Set<string>();
      const socket = io(server.url, { transports: ['websocket'], auth: { token: text }, forceNew: true });
      onTestFinished(() => void socket.close());
      socket.onAny((name: string, payload: { session_id?: string; session?: { session_id: string } }) => {
        const id = payload.session?.session_id ?? payload.session_id;
        if (name !== 'connected' && name !== 'subscribed' && id != null) sessions.add(`${name} ${id}`);
      });
      await new Promise((resolve) => socket.once('subscribed', resolve));
      return sessions;
    }),
  );
  const posts = ['a-1', 'a-2', 'b-1', 'c-1'].map((id) =>
    ask(`${server.url}/api/sessions/${id}/events`, boss, { method: 'POST', body: { type: 'test:step' } }),
  );
  await Promise.all(posts);
  const [a, b, all] = heard as [Set<string>, Set<string>, Set<string>];
  const of = (...ids: string[]) => ids.flatMap((id) => [`session:state ${id}`, `test:step ${id}`]).toSorted();
  await expect.poll(() => [...all].toSorted()).toEqual([...of('a-1', 'a-2', 'b-1', 'c-1'), 'session:created c-1'].toSorted());
  await expect.poll(() => [...a].toSorted()).toEqual(of('a-1', 'a-2'));
  await expect.poll(() => [...b].toSorted()).toEqual(of('a-1', 'b-1'));
});

test.skipIf(process.getuid?.() !== 0 || !existsSync('/proc/net/tcp'))(
  'a process of another user of the machine needs a token, one of the same user none',
  async () => {
    const server = await startServer();
    await publish(server, 's', { type: 'a:b' });
    const askAs = async (uid: number, path: string) => {
      const script = `const r = await fetch(${JSON.stringify(server.url + path)}); console.log(r.status); await r.body?.cancel(); process.exit()`;
      const child = spawn(process.execPath, ['--input-type=module', '-e', script], {
        uid,
        gid: uid,
        env: {},
        cwd: '/',
        stdio: ['ignore', 'pipe', 'inherit'],
      });
      let text = '';
      child.stdout.on('data', (data: Buffer) => (text += data.toString()));
      await once(child, 'close');
      return Number(text);
    };
    for (const path of ['/api/sessions', '/api/sessions/s', '/socket.io/?EIO=4&transport=polling']) {
      expect([path, await askAs(0, path)]).toEqual([path, 200]);
      expect([path, await askAs(65_534, path)]).toEqual([path, path.startsWith('/socket.io') ? 200 : 401]);
    }
  },
);

test('two tenants with the same ids see nothing of each other, nor the server of them, and links lead to the right one', async () => {
  const tokenFile = newTokenFile();
  const server = await startServer({ tokenFile, asksEverybody: true, openTenantJournal: () => Promise.resolve(new MemoryJournal()) });
  const own = createToken(tokenFile, { name: 'own', role: 'admin' }).text;
  const tenants = Object.fromEntries(
    ['acme', 'bolt'].map((tenant) => [tenant, createToken(tokenFile, { name: tenant, role: 'admin', tenant }).text]),
  );
  await expect.poll(() => ask(`${server.url}/api/sessions`, tenants['bolt'])).toMatchObject({ status: 200 });
  const publishAs = (token: string | undefined, events: unknown) =>
    ask(`${server.url}/api/sessions/nightly/events`, token, { method: 'POST', body: events });
  const question = (text: string) => ({
    id: 'q',
    type: 'decision:point',
    data: { decision_id: 'd', question: text, options: ['yes', 'no'] },
  });
  expect(await publishAs(tenants['acme'], [question('of acme?')])).toMatchObject({ status: 200 });
  expect(await publishAs(tenants['bolt'], [question('of bolt?'), { type: 'a:b' }])).toMatchObject({ status: 200, body: { last_seq: 2 } });
  expect((await ask(`${server.url}/api/sessions`, own)).body).toMatchObject({ sessions: [], total: 0 });
  expect((await ask(`${server.url}/api/stats`, own)).body).toMatchObject({ events_total: 0, sessions: {} });
  expect((await ask(`${server.url}/health`, tenants['acme'])).body).toMatchObject({ active_sessions: 1, connected_clients: 0 });
  expect((await ask(`${server.url}/api/stats`, tenants['bolt'])).body).toMatchObject({ events_total: 2 });
  const decision = async (tenant: string) => (await ask(`${server.url}/api/sessions/nightly/decisions/d`, tenants[tenant])).body;
  expect(await decision('acme')).toMatchObject({ question: 'of acme?' });
  const { answer_path } = (await decision('bolt')) as { answer_path: string };
  const answer = (path: string) => ask(`${server.url}${path}`, undefined, { method: 'POST', body: { choice: 'yes' } });
  expect(await answer(answer_path.replace('bolt', 'acme'))).toMatchObject({ status: 404, body: { error: 'Decision not found: d' } });
  expect(await answer(answer_path.replace('bolt', 'none'))).toMatchObject({ status: 404, body: { error: 'Decision not found: d' } });
  expect(await answer(answer_path)).toMatchObject({ status: 200, body: { status: 'applied' } });
  expect([await decision('acme'), await decision('bolt')]).toMatchObject([{ status: 'open' }, { choice: 'yes' }]);
});
