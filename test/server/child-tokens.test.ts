import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { expect, onTestFinished, test } from 'vitest';
import { connectOrchestrator } from '../../src/client/orchestrator/orchestrator.ts';
import { MemoryJournal } from '../../src/journal/memory/memory-journal.ts';
import { createToken, revokeToken } from '../../src/server/access/tokens/token-changes.ts';
import { shareJournal } from '../helpers/shared-journal.ts';
import { connectQuiet } from '../helpers/socket-client.ts';
import { http, startServer } from '../helpers/start-server.ts';

type Answer = Record<string, unknown>;

function newTokens() {
  const folder = mkdtempSync(join(tmpdir(), 'shannon-dash-children-'));
  onTestFinished(() => rmSync(folder, { recursive: true }));
  const tokenFile = join(folder, 'tokens');
  const ci = createToken(tokenFile, { name: 'ci', role: 'orchestrator', sessions: ['s', 't'] }).text;
  const boss = createToken(tokenFile, { name: 'boss', role: 'admin' }).text;
  return { tokenFile, ci, boss };
}

async function startWithChild() {
  const { ci, boss, tokenFile } = newTokens();
  const server = await startServer({ tokenFile, asksEverybody: true });
  const run = await connectOrchestrator({ url: server.url, token: ci, session: 's', instanceId: 'run', wantsChildToken: true });
  onTestFinished(() => run.close(undefined, { timeoutMs: 0 }));
  await run.start();
  return { server, tokenFile, run, ci, boss, child: run.childToken ?? '' };
}

const ask = (url: string, token: string, path: string, body?: unknown) =>
  http<Answer>(body === undefined ? 'GET' : 'POST', `${url}/api/sessions${path}`, body, { authorization: `Bearer ${token}` });
const step = { type: 'test:step' };

test('the token of a child is for its session alone, and for what an orchestrator may', async () => {
  const { server, child, ci, boss } = await startWithChild();
  await ask(server.url, boss, '/t/events', step);
  expect(await ask(server.url, ci, '/t')).toMatchObject({ status: 200 });
  expect(await ask(server.url, child, '/s')).toMatchObject({ status: 200, body: { session_id: 's' } });
  expect(await ask(server.url, child, '/s/events', step)).toMatchObject({ status: 200 });
  expect(await ask(server.url, child, '/t')).toMatchObject({ status: 404 });
  expect(await ask(server.url, child, '/t/events', step)).toMatchObject({ status: 404 });
  expect((await ask(server.url, child, '')).body['sessions']).toMatchObject([{ session_id: 's' }]);
  expect(await ask(server.url, child, '/s/commands', { type: 'HALT' })).toMatchObject({ status: 403 });
  expect(await http('DELETE', `${server.url}/api/sessions/s`, undefined, { authorization: `Bearer ${child}` })).toMatchObject({
    status: 403,
  });
  const events = (await ask(server.url, boss, '/s/events?types=test:*')).body['events'];
  expect(events).toMatchObject([{ source: 'child of ci' }]);
});

test('a token of a child that was changed anywhere, or made for another session, is not valid', async () => {
  const { server, child } = await startWithChild();
  const [, , hex = '', code = ''] = child.split('_');
  const other = Buffer.from('t').toString('hex');
  for (const wrong of [`sd_run_${other}_${code}`, `sd_run_${hex}0a61_${code}`, child.replace(/.$/, (end) => (end === '0' ? '1' : '0'))])
    expect(await ask(server.url, wrong, '/s')).toMatchObject({ status: 401, body: { code: 'UNAUTHENTICATED' } });
  expect(await http('GET', `${server.url}/api/sessions?x=${child}`)).toMatchObject({ status: 400, body: { code: 'INVALID' } });
});

test('a child attaches under its run, over a restart of the server too', async () => {
  const { server, run, child, boss } = await startWithChild();
  const first = await connectQuiet(server.url, { auth: { token: child } });
  const under = { session_id: 's', instance_id: 'child', under: 'run' };
  expect(await first.ask('orchestrator:attach', under)).toMatchObject({ success: true });
  await server.restart();
  // Before the run is back.
  expect(await ask(server.url, child, '/s/events', step)).toMatchObject({ status: 200 });
  run.retryNow();
  await run.emit('test:back', {});
  expect(run.childToken).toBe(child);
  const again = await connectQuiet(server.url, { auth: { token: child } });
  expect(await again.ask('orchestrator:attach', { ...under, reattach: true })).toMatchObject({ success: true });
  expect((await ask(server.url, boss, '/s')).body).toMatchObject({
    orchestrator: { instance_id: 'run' },
    delegate: { instance_id: 'child' },
  });
});

test('it ends with the run, and what it let in ends too', async () => {
  const { server, run, child } = await startWithChild();
  const client = await connectQuiet(server.url, { auth: { token: child } });
  await run.close('completed');
  await client.until('it is cut', () => client.disconnects.length > 0);
  expect(await ask(server.url, child, '/s')).toMatchObject({ status: 401 });
});

test('it ends when another orchestrator takes the session', async () => {
  const { server, child, boss } = await startWithChild();
  const client = await connectQuiet(server.url, { auth: { token: child } });
  const other = await connectQuiet(server.url, { auth: { token: boss } });
  expect(await other.ask('orchestrator:attach', { session_id: 's', instance_id: 'other' })).toMatchObject({ success: true });
  await client.until('it is cut', () => client.disconnects.length > 0);
  expect(await ask(server.url, child, '/s/events', step)).toMatchObject({ status: 401 });
});

test('it ends with the token of its orchestrator', async () => {
  const { server, tokenFile, child } = await startWithChild();
  const client = await connectQuiet(server.url, { auth: { token: child } });
  revokeToken(tokenFile, 'ci');
  await client.until('it is cut', () => client.disconnects.length > 0);
  expect(await ask(server.url, child, '/s')).toMatchObject({ status: 401 });
});

test('it is good at each server of the journal', async () => {
  const { tokenFile, ci } = newTokens();
  const common = new MemoryJournal();
  const start = () => startServer({ journal: shareJournal(common).journal, tokenFile, asksEverybody: true });
  const [a, b] = [await start(), await start()];
  const run = await connectOrchestrator({ url: a.url, token: ci, session: 's', wantsChildToken: true });
  onTestFinished(() => run.close(undefined, { timeoutMs: 0 }));
  expect(await ask(b.url, run.childToken ?? '', '/s/events', step)).toMatchObject({ status: 200 });
});
