import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { pino } from 'pino';
import { expect, onTestFinished, test } from 'vitest';
import { createToken, type TokenRequest } from '../../src/server/access/tokens/token-changes.ts';
import { connectClient, openClient } from '../helpers/socket-client.ts';
import { http, publish, startServer } from '../helpers/start-server.ts';

interface Audit {
  commands: { session_id: string; command_id: string; command_type: string; status: string; by: string; created_at: string }[];
  next: string | null;
}

async function auditOf(url: string, query: Record<string, string> = {}, headers: Record<string, string> = {}): Promise<Audit> {
  const { status, body } = await http<Audit>('GET', `${url}/api/audit?${new URLSearchParams(query).toString()}`, undefined, headers);
  expect([status, body]).toEqual([200, expect.anything()]);
  return body;
}

async function send(url: string, session: string, by: string, type: string, id: string): Promise<void> {
  await http('POST', `${url}/api/sessions/${session}/commands`, { type, command_id: id, timeout_ms: 10 }, { 'x-client': by });
}

test('the commands of all sessions are listed in the order in which they were sent, by session, sender and time', async () => {
  const server = await startServer();
  for (const id of ['ci-1', 'ci-2', 'web']) await publish(server, id, { type: 'execution:started' });
  await send(server.url, 'web', 'ana', 'HALT', 'c1');
  await send(server.url, 'ci-2', 'ben', 'HALT', 'c2');
  await send(server.url, 'ci-1', 'ana', 'HALT', 'c3');
  await send(server.url, 'web', 'ben', 'RESUME', 'c4');
  // A session that changes late and was commanded early stands where its command stands.
  await publish(server, 'ci-2', { type: 'test:step' });
  const ids = async (query: Record<string, string>) => (await auditOf(server.url, query)).commands.map(({ command_id }) => command_id);
  const all = await auditOf(server.url);
  expect(
    all.commands.map(({ command_id, session_id, by, command_type, status }) => [command_id, session_id, by, command_type, status]),
  ).toEqual([
    ['c1', 'web', 'ana', 'HALT', 'applied'],
    ['c2', 'ci-2', 'ben', 'HALT', 'applied'],
    ['c3', 'ci-1', 'ana', 'HALT', 'applied'],
    ['c4', 'web', 'ben', 'RESUME', 'applied'],
  ]);
  expect(all.next).toBeNull();
  expect(await ids({ session: 'ci-*' })).toEqual(['c2', 'c3']);
  expect(await ids({ by: 'ana' })).toEqual(['c1', 'c3']);
  expect(await ids({ since: new Date(Date.now() + 60_000).toISOString() })).toEqual([]);
  expect(await ids({ since: '2020-01-01T00:00:00Z', by: 'ben' })).toEqual(['c2', 'c4']);
});

test('pages join without a gap and without a command twice, also where ids and times are the same', async () => {
  const server = await startServer();
  const sessions = Array.from({ length: 12 }, (_, n) => `s-${n}`);
  for (const id of sessions) await publish(server, id, { type: 'execution:started' });
  // One command for all has the same id in each of them.
  for (const type of ['HALT', 'RESUME', 'HALT'])
    for (const id of sessions) await send(server.url, id, 'ana', type, `${type}-${type === 'HALT' && id === 's-3' ? 'x' : 'all'}`);
  const whole = (await auditOf(server.url, { limit: '1000' })).commands.map(({ session_id, command_id }) => `${session_id} ${command_id}`);
  expect(whole).toHaveLength(24);
  const paged: string[] = [];
  let before: string | null = '';
  for (let pages = 0; before !== null && pages < 20; pages++) {
    const page: Audit = await auditOf(server.url, { limit: '5', ...(before === '' ? {} : { before }) });
    paged.unshift(...page.commands.map(({ session_id, command_id }) => `${session_id} ${command_id}`));
    before = page.next;
  }
  expect(paged).toEqual(whole);
  for (const wrong of ['x', Buffer.from('[1]').toString('base64url'), Buffer.from('["a","b"]').toString('base64url')])
    expect((await http('GET', `${server.url}/api/audit?before=${wrong}`)).body).toMatchObject({ code: 'INVALID' });
});

test('a session whose state has let commands go tells them too', async () => {
  // Commands of one millisecond stand in the order of their ids.
  const idOf = (n: number) => `c${String(n).padStart(3, '0')}`;
  const server = await startServer();
  await publish(server, 's', { type: 'execution:started' });
  for (let n = 0; n < 230; n++) await send(server.url, 's', 'ana', n % 2 === 0 ? 'HALT' : 'RESUME', idOf(n));
  const { commands } = await auditOf(server.url, { limit: '1000' });
  expect(commands.map(({ command_id }) => command_id)).toEqual(Array.from({ length: 230 }, (_, n) => idOf(n)));
});

test('only an admin reads it, of the sessions of its token; each denial is logged with the name of the token, and never the token', async () => {
  const folder = mkdtempSync(join(tmpdir(), 'shannon-dash-audit-'));
  onTestFinished(() => rmSync(folder, { recursive: true }));
  const lines: string[] = [];
  const tokenFile = join(folder, 'tokens');
  const make = (request: TokenRequest) => createToken(tokenFile, request).text;
  const tokens = {
    ana: make({ name: 'ana', role: 'admin', sessions: ['ci-*'] }),
    ben: make({ name: 'ben', role: 'operator' }),
    vic: make({ name: 'vic', role: 'viewer', sessions: ['ci-*'] }),
  };
  const server = await startServer({ tokenFile, log: pino({ level: 'warn' }, { write: (line: string) => void lines.push(line) }) });
  const bearer = (token: string) => ({ authorization: `Bearer ${token}` });
  for (const id of ['ci-1', 'web']) await publish(server, id, { type: 'execution:started' });
  await send(server.url, 'ci-1', 'x', 'HALT', 'c1');
  await send(server.url, 'web', 'x', 'HALT', 'c2');
  expect((await auditOf(server.url, {}, bearer(tokens.ana))).commands).toMatchObject([{ command_id: 'c1' }]);
  expect((await http('GET', `${server.url}/api/audit`, undefined, bearer(tokens.ben))).status).toBe(403);
  expect((await http('GET', `${server.url}/api/sessions/web`, undefined, bearer(tokens.vic))).status).toBe(404);
  const inject = { type: 'INJECT', skill_name: 'x' };
  expect((await http('POST', `${server.url}/api/sessions/ci-1/commands`, inject, bearer(tokens.ben))).status).toBe(403);
  // However many there are of a kind, they do not make a line each.
  for (let n = 0; n < 50; n++) await http('POST', `${server.url}/api/sessions/ci-1/commands`, { type: 'HALT' }, bearer(tokens.vic));
  const denials = lines.map((line) => JSON.parse(line) as Record<string, unknown>).filter(({ rule }) => rule === 'access');
  expect(denials.length).toBeLessThan(50);
  expect(denials.slice(0, 4)).toMatchObject([
    { by: 'ben', role: 'operator', verb: 'audit', code: 'FORBIDDEN' },
    { by: 'vic', role: 'viewer', verb: 'state', session: 'web', code: 'NOT_FOUND' },
    { by: 'ben', verb: 'command INJECT', session: 'ci-1', code: 'FORBIDDEN' },
    { by: 'vic', verb: 'command HALT', session: 'ci-1', code: 'FORBIDDEN' },
  ]);
  for (const token of Object.values(tokens)) expect(lines.join('')).not.toContain(token.slice(12));
});

test('each command bears the name, the role and the address of who sent it, by HTTP and Socket.IO, and behind a proxy that is trusted', async () => {
  const folder = mkdtempSync(join(tmpdir(), 'shannon-dash-audit-'));
  onTestFinished(() => rmSync(folder, { recursive: true }));
  const tokenFile = join(folder, 'tokens');
  const { text: token } = createToken(tokenFile, { name: 'ana', role: 'operator' });
  const server = await startServer({ tokenFile, trustedProxies: ['127.0.0.1'] });
  await publish(server, 's', { type: 'execution:started' });
  const forwarded = { authorization: `Bearer ${token}`, 'x-forwarded-for': '2001:db8::7' };
  await http('POST', `${server.url}/api/sessions/s/commands`, { type: 'HALT', command_id: 'c1' }, forwarded);
  const socket = await connectClient(server.url, { auth: { token }, extraHeaders: { 'x-forwarded-for': '192.0.2.7' } });
  expect(await socket.ask('command', { type: 'RESUME', session_id: 's', command_id: 'c2' })).toMatchObject({ success: true });
  await send(server.url, 's', 'local', 'HALT', 'c3');
  const expected = [
    { command_id: 'c1', by: 'ana', from: { role: 'operator', address: '2001:db8::7' } },
    { command_id: 'c2', by: 'ana', from: { role: 'operator', address: '192.0.2.7' } },
    { command_id: 'c3', by: 'local', from: { role: 'admin', address: '127.0.0.1' } },
  ];
  expect((await auditOf(server.url)).commands).toMatchObject(expected);
  const { body } = await http<{ commands: unknown[] }>('GET', `${server.url}/api/sessions/s/commands`);
  expect(body.commands).toMatchObject(expected);
});

test('who shows no token, or a wrong one, is told of in the log with the address, by HTTP, SSE and Socket.IO', async () => {
  const lines: Record<string, unknown>[] = [];
  const log = pino({ level: 'warn' }, { write: (line: string) => void lines.push(JSON.parse(line) as Record<string, unknown>) });
  const server = await startServer({ asksEverybody: true, trustedProxies: ['127.0.0.1'], log });
  const from = (address: string) => ({ 'x-forwarded-for': address });
  const addressIn = (address: string) => lines.filter((line) => line['address'] === address);
  // Each second has one line of a kind, and a count.
  const toldOf = (address: string, path: string) =>
    expect.poll(() => addressIn(address), { timeout: 5_000 }).toMatchObject([{ rule: 'token', path, msg: expect.stringMatching(/token/) }]);
  await http('GET', `${server.url}/api/sessions`, undefined, from('192.0.2.1'));
  await toldOf('192.0.2.1', '/api/sessions');
  await http('GET', `${server.url}/api/sessions/s/events`, undefined, { ...from('192.0.2.2'), accept: 'text/event-stream' });
  await toldOf('192.0.2.2', '/api/sessions/s/events');
  for (const [transport, address, token] of [
    ['polling', '192.0.2.3', undefined],
    ['websocket', '192.0.2.4', 'wrong'],
  ] as const) {
    const socket = openClient(server.url, { transports: [transport], auth: { token }, extraHeaders: from(address), reconnection: false });
    await toldOf(address, '/socket.io/');
    socket.socket.close();
  }
});
