import { join } from 'node:path';
import { expect, test } from 'vitest';
import { hookHeaders } from '../../src/adapters/hook-headers.ts';
import type { Role } from '../../src/core/access.ts';
import { createToken } from '../../src/server/access/tokens/token-changes.ts';
import { http, startServer, type TestServer } from '../helpers/start-server.ts';
import { temporaryFolder } from '../helpers/temporary-folder.ts';

const payload = { session_id: 'one', hook_event_name: 'UserPromptSubmit', prompt: 'build', cwd: '/home/dev/shop' };

function fire(server: TestServer, headers: Record<string, string>) {
  return http('POST', `${server.url}/api/hooks/claude-code`, payload, headers);
}

test('a hook that fills its token from an empty variable shows none: it is let in where none is needed, and nowhere else', async () => {
  const open = await startServer();
  for (const authorization of ['Bearer', 'Bearer ', 'bearer']) expect((await fire(open, { authorization })).status).toBe(200);
  expect((await fire(open, { authorization: 'Basic' })).status).toBe(400);
  const closed = await startServer({ asksEverybody: true });
  expect(await fire(closed, { authorization: 'Bearer' })).toMatchObject({ status: 401 });
});

test('a token lets hooks into the sessions that it is for, and only one that may publish', async () => {
  const tokenFile = join(await temporaryFolder(), 'tokens');
  const token = (role: Role, sessions: string[]) =>
    createToken(tokenFile, { name: `${role}-${sessions[0]?.slice(0, 5).replace('*', 'all') ?? ''}`, role, sessions }).text;
  const [own, other, viewer] = [token('orchestrator', ['claude-code-*']), token('orchestrator', ['codex-*']), token('viewer', ['*'])];
  const server = await startServer({ tokenFile, asksEverybody: true });
  const bearer = (text: string) => ({ authorization: `Bearer ${text}` });
  expect((await fire(server, bearer(viewer))).status).toBe(403);
  expect((await fire(server, bearer(other))).status).toBe(404);
  expect(await fire(server, bearer(own))).toMatchObject({ status: 200, body: {} });
  expect((await fire(server, { ...bearer(own), [hookHeaders.session]: 'build' })).status).toBe(404);
});

test('who may not publish to a session learns nothing of it, and holds nothing up', async () => {
  const tokenFile = join(await temporaryFolder(), 'tokens');
  const first = createToken(tokenFile, { name: 'first', role: 'orchestrator', sessions: ['claude-code-*'] }).text;
  const second = createToken(tokenFile, { name: 'second', role: 'orchestrator', sessions: ['claude-code-*'] }).text;
  const server = await startServer({ tokenFile, asksEverybody: true });
  expect((await fire(server, { authorization: `Bearer ${first}` })).status).toBe(200);
  expect(await fire(server, { authorization: `Bearer ${second}` })).toMatchObject({ status: 403 });
  expect((await fire(server, { authorization: `Bearer ${first}` })).status).toBe(200);
});

test('a hook with headers or a body that make no sense is refused', async () => {
  const server = await startServer();
  expect((await fire(server, { [hookHeaders.session]: '../etc' })).status).toBe(400);
  expect((await fire(server, { [hookHeaders.session]: 'a', [hookHeaders.run]: 'r'.repeat(200) })).status).toBe(400);
  expect((await fire(server, { [hookHeaders.pid]: '-1' })).status).toBe(200);
  const post = (body: unknown) => http('POST', `${server.url}/api/hooks/claude-code`, body);
  for (const body of [[], 'text', { session_id: 'a/b', hook_event_name: 'Stop' }, {}])
    expect((await post(body)).status).toBeGreaterThanOrEqual(400);
  expect((await http('POST', `${server.url}/api/hooks/clippy`, payload)).status).toBe(404);
});
