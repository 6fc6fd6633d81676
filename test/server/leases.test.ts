import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { expect, onTestFinished, test } from 'vitest';
import { connectOrchestrator } from '../../src/client/orchestrator/orchestrator.ts';
import { MemoryJournal } from '../../src/journal/memory/memory-journal.ts';
import { createToken, rotateToken } from '../../src/server/access/tokens/token-changes.ts';
import { shareJournal } from '../helpers/shared-journal.ts';
import { connectQuiet, type SocketClient } from '../helpers/socket-client.ts';
import { http, startServer, type TestServer } from '../helpers/start-server.ts';

type Answer = Record<string, unknown>;

/** A server with the tokens of two orchestrators, one of an operator and one of an admin. */
async function startWithTokens() {
  const folder = mkdtempSync(join(tmpdir(), 'shannon-dash-leases-'));
  onTestFinished(() => rmSync(folder, { recursive: true }));
  const tokenFile = join(folder, 'tokens');
  const orchestrator = (name: string) => createToken(tokenFile, { name, role: 'orchestrator', sessions: ['s', 's-*'] }).text;
  const tokens = {
    ci: orchestrator('ci'),
    thief: orchestrator('thief'),
    ana: createToken(tokenFile, { name: 'ana', role: 'operator' }).text,
    boss: createToken(tokenFile, { name: 'boss', role: 'admin' }).text,
    outside: createToken(tokenFile, { name: 'outside', role: 'orchestrator', sessions: ['other-*'] }).text,
  };
  return { server: await startServer({ tokenFile, asksEverybody: true }), tokens, tokenFile };
}

const connect = ({ url }: { url: string }, token: string): Promise<SocketClient> => connectQuiet(url, { auth: { token } });
const attach = (client: SocketClient, fields: Answer = {}): Promise<Answer> =>
  client.ask('orchestrator:attach', { session_id: 's', instance_id: 'one', capabilities: ['INJECT'], ...fields });
const publish = (client: SocketClient, fields: Answer = {}): Promise<Answer> =>
  client.ask('publish', { session_id: 's', events: [{ type: 'test:step' }], ...fields });
const post = (server: TestServer, token: string, path: string, body: unknown) =>
  http('POST', `${server.url}/api/sessions/${path}`, body, { authorization: `Bearer ${token}` });
const stateOf = async ({ url }: { url: string }, token: string) =>
  (
    await http<{ orchestrator: Answer; delegate: Answer | null }>('GET', `${url}/api/sessions/s`, undefined, {
      authorization: `Bearer ${token}`,
    })
  ).body;
const refused = { success: false, code: 'FORBIDDEN', error: expect.stringContaining('lease') };

test('what one token has attached, another one cannot take over, publish to, carry commands out for or attach under', async () => {
  const { server, tokens } = await startWithTokens();
  const mine = await connect(server, tokens.ci);
  const { lease } = await attach(mine);
  expect(lease).toMatch(/^[\w-]{43}$/);
  const thief = await connect(server, tokens.thief);
  // Also by the name of the instance, which everybody can read.
  const attempts = [
    {},
    { instance_id: 'two' },
    { reattach: true },
    { instance_id: 'two', reattach: true },
    { under: 'one', instance_id: 'child' },
    { take_over: false },
    { lease: 'x'.repeat(43) },
  ];
  for (const fields of attempts) expect([fields, (await attach(thief, fields))['success']]).toEqual([fields, false]);
  expect(await attach(thief)).toMatchObject(refused);
  expect(await publish(thief)).toMatchObject(refused);
  expect(await publish(thief, { lease: 'x'.repeat(43) })).toMatchObject(refused);
  expect(await thief.ask('cli_event', { session_id: 's', event_type: 'step', data: {} })).toMatchObject(refused);
  expect(await post(server, tokens.thief, 's/events', { type: 'test:step' })).toMatchObject({ status: 403, body: refused });
  const command = (await connect(server, tokens.ana)).ask('command', { session_id: 's', type: 'HALT', command_id: 'c', timeout_ms: 5_000 });
  await mine.next('command:execute');
  const update = { session_id: 's', command_id: 'c', status: 'applied' };
  expect(await thief.ask('command:update', update)).toMatchObject({ success: false, code: 'FORBIDDEN' });
  expect(await mine.ask('command:update', update)).toMatchObject({ success: true });
  expect(await command).toMatchObject({ status: 'applied', acknowledged_by: 'one' });
  expect(await stateOf(server, tokens.boss)).toMatchObject({ orchestrator: { attached: true, instance_id: 'one' }, delegate: null });
  expect(thief.heard.filter(({ name }) => name === 'command:execute')).toEqual([]);
});

test('the refusal names no instance, and a session outside the globs is not found', async () => {
  const { server, tokens } = await startWithTokens();
  await attach(await connect(server, tokens.ci), { instance_id: 'run-4711@secret-host' });
  const answer = await attach(await connect(server, tokens.thief), { instance_id: 'two' });
  expect(JSON.stringify(answer)).not.toContain('secret-host');
  const outside = await connect(server, tokens.outside);
  for (const refusal of [await attach(outside), await publish(outside), await attach(outside, { session_id: 's', lease: 'x' })]) {
    expect(refusal).toMatchObject({ success: false, code: 'NOT_FOUND' });
    expect(JSON.stringify(refusal)).not.toMatch(/secret-host|lease|attached/);
  }
});

test('its own token, an admin, and whoever shows the lease may', async () => {
  const { server, tokens, tokenFile } = await startWithTokens();
  const mine = await connect(server, tokens.ci);
  const { lease } = await attach(mine);
  const other = await connect(server, tokens.thief);
  expect(await publish(other, { lease })).toMatchObject({ success: true });
  expect(await attach(other, { instance_id: 'child', under: 'one', lease })).toMatchObject({ success: true, lease });
  expect(await attach(other, { instance_id: 'child', under: 'one', lease, reattach: true })).toMatchObject({ success: true });
  expect(await post(server, tokens.ci, 's/events', { type: 'test:step' })).toMatchObject({ status: 200 });
  expect(await post(server, tokens.boss, 's/events', { type: 'test:step' })).toMatchObject({ status: 200 });
  // The token that takes its place is its own too.
  const { text } = rotateToken(tokenFile, 'ci');
  await mine.until('the token has ended', () => mine.disconnects.length > 0);
  const again = await connect(server, text);
  expect(await attach(again, { reattach: true, lease })).toMatchObject({ success: true, lease });
  expect(await publish(again)).toMatchObject({ success: true });
  expect(await attach(await connect(server, tokens.boss), { instance_id: 'two' })).toMatchObject({ success: true });
  await again.next('orchestrator:superseded');
  expect(await publish(again)).toMatchObject({ code: 'SUPERSEDED' });
  expect(await attach(again, { reattach: true, lease })).toMatchObject({ code: 'SUPERSEDED' });
});

test('once it has gone, another token may have the session, and gets nothing that was meant for it', async () => {
  const { server, tokens } = await startWithTokens();
  const mine = await connect(server, tokens.ci);
  const { lease } = await attach(mine);
  await publish(mine, { events: [{ type: 'execution:started' }] });
  const operator = await connect(server, tokens.boss);
  expect(
    await operator.ask('command', { session_id: 's', type: 'INJECT', skill_name: 'x', command_id: 'c', timeout_ms: 10 }),
  ).toMatchObject({ status: 'queued' });
  mine.socket.disconnect();
  await expect.poll(() => stateOf(server, tokens.boss)).toMatchObject({ orchestrator: { attached: false } });
  const thief = await connect(server, tokens.thief);
  expect(await attach(thief, { reattach: true })).toMatchObject(refused);
  expect(await attach(thief)).toMatchObject({ success: true, commands: [] });
  // A new history begins: the one before is told that its place is another's.
  expect(await attach(await connect(server, tokens.ci), { reattach: true, lease })).toMatchObject({ code: 'SUPERSEDED' });
});

test('the lease holds over a restart of the server', async () => {
  const { server, tokens } = await startWithTokens();
  const { lease } = await attach(await connect(server, tokens.ci));
  await server.restart();
  expect(await attach(await connect(server, tokens.thief), { reattach: true })).toMatchObject(refused);
  expect(await attach(await connect(server, tokens.thief), { reattach: true, lease })).toMatchObject({ success: true, lease });
});

test('the lease holds at a second server of the same journal', async () => {
  const { tokens, tokenFile } = await startWithTokens();
  const common = new MemoryJournal();
  const [a, b] = [
    await startServer({ journal: shareJournal(common).journal, tokenFile, asksEverybody: true }),
    await startServer({ journal: shareJournal(common).journal, tokenFile, asksEverybody: true }),
  ];
  const { lease } = await attach(await connect(a, tokens.ci));
  const thief = await connect(b, tokens.thief);
  await expect.poll(() => attach(thief)).toMatchObject(refused);
  expect(await publish(thief)).toMatchObject(refused);
  expect(await publish(thief, { lease })).toMatchObject({ success: true });
  expect(await attach(thief, { lease, reattach: true })).toMatchObject({ success: true, lease });
});

test('the journal has the hash of a lease and not the lease', async () => {
  const { server, tokens } = await startWithTokens();
  const { lease } = await attach(await connect(server, tokens.ci));
  const history = await fetch(`${server.url}/api/sessions/s/events`, { headers: { authorization: `Bearer ${tokens.boss}` } });
  const text = await history.text();
  expect(text).toMatch(/"lease":"[0-9a-f]{64}"/);
  expect(text).not.toContain(String(lease));
});

test('without tokens nothing asks for a lease', async () => {
  const server = await startServer();
  await attach(await connectQuiet(server.url));
  expect(await http('POST', `${server.url}/api/sessions/s/events`, { type: 'test:step' })).toMatchObject({ status: 200 });
  const second = await connectQuiet(server.url);
  expect(await attach(second, { instance_id: 'child', under: 'one' })).toMatchObject({ success: true });
  expect(await attach(second, { instance_id: 'two' })).toMatchObject({ success: true });
});

test('the SDK keeps its lease and shows it when it comes back', async () => {
  const { server, tokens } = await startWithTokens();
  const run = await connectOrchestrator({ url: server.url, token: tokens.ci, session: 's', instanceId: 'one' });
  onTestFinished(() => run.close(undefined, { timeoutMs: 0 }));
  const before = await stateOf(server, tokens.boss);
  await server.restart();
  run.retryNow();
  await run.emit('test:step', {});
  const after = await stateOf(server, tokens.boss);
  const [first, second] = [before, after].map(({ orchestrator }) => orchestrator['lease'] as Answer);
  expect(second?.['sha256']).toBe(first?.['sha256']);
  expect(second?.['term']).not.toBe(first?.['term']);
});
