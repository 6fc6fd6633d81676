import { request } from 'node:http';
import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { expect, onTestFinished, test } from 'vitest';
import { createToken } from '../../src/server/access/tokens/token-changes.ts';
import { startServer } from '../helpers/start-server.ts';

test('a sid is of no use to another caller: neither to poll, nor to post, nor to upgrade', async () => {
  const folder = mkdtempSync(join(tmpdir(), 'shannon-dash-sid-'));
  onTestFinished(() => rmSync(folder, { recursive: true }));
  const tokenFile = join(folder, 'tokens');
  const bearer = (name: string) => ({ authorization: `Bearer ${createToken(tokenFile, { name, role: 'admin' }).text}` });
  const [owner, thief] = [bearer('owner'), bearer('thief')];
  const server = await startServer({ tokenFile, asksEverybody: true });
  const engine = `${server.url}/socket.io/?EIO=4&transport=polling`;
  const open = await fetch(engine, { headers: owner });
  const { sid } = JSON.parse((await open.text()).slice(1)) as { sid: string };
  const post = (headers: Record<string, string>, body: string) =>
    fetch(`${engine}&sid=${sid}`, { method: 'POST', headers, body }).then(({ status }) => status);
  for (const headers of [thief, {}]) {
    expect(await post(headers, '40{"subscribe":false}')).toBe(403);
    expect((await fetch(`${engine}&sid=${sid}`, { headers })).status).toBe(403);
    expect(await upgrade(server.port, `/socket.io/?EIO=4&transport=websocket&sid=${sid}`, headers)).toBe(403);
  }
  expect(await post(owner, '40{"subscribe":false}')).toBe(200);
});

/** The status of the answer to an upgrade. */
function upgrade(port: number, path: string, headers: Record<string, string>): Promise<number | undefined> {
  const websocket = {
    connection: 'Upgrade',
    upgrade: 'websocket',
    'sec-websocket-version': '13',
    'sec-websocket-key': 'AAAAAAAAAAAAAAAAAAAAAA==',
  };
  return new Promise((resolve, reject) => {
    const asked = request({ host: '127.0.0.1', port, path, headers: { ...headers, ...websocket } });
    asked.once('response', (response) => {
      response.resume();
      resolve(response.statusCode);
    });
    asked.once('upgrade', (_response, socket) => {
      socket.destroy();
      resolve(101);
    });
    asked.once('error', reject).end();
  });
}
