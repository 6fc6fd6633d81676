import { createServer } from 'node:http';
import type { AddressInfo } from 'node:net';
import { expect, onTestFinished, test } from 'vitest';
import { runProgram, serve } from './started-program.ts';

test("what goes to this machine never goes by way of a proxy, whatever Node's own switch says", async () => {
  const asked: string[] = [];
  const proxy = createServer((request, response) => {
    asked.push(request.url ?? '');
    response.writeHead(502).end();
  });
  proxy.on('connect', (request, socket) => {
    asked.push(request.url ?? '');
    socket.end('HTTP/1.1 502 Bad Gateway\r\n\r\n');
  });
  await new Promise<void>((resolve) => proxy.listen(0, '127.0.0.1', resolve));
  onTestFinished(() => void proxy.close());
  const url = `http://127.0.0.1:${(proxy.address() as AddressInfo).port}`;
  const place = await serve('--journal', 'memory');
  const proxied = { ...place, env: { ...place.env, NODE_USE_ENV_PROXY: '1', HTTP_PROXY: url, http_proxy: url } };
  expect(await runProgram(['run', '--no-files', '-s', 'p', '--', 'echo', 'ran'], proxied)).toMatchObject({ code: 0, stdout: 'ran\n' });
  expect(JSON.parse((await runProgram(['sessions', '--json'], proxied)).stdout)).toMatchObject({ sessions: [{ session_id: 'p' }] });
  const watched = await runProgram(['watch', 'p', '--since', '0', '--exit-status', '--plain'], proxied);
  expect(watched).toMatchObject({ code: 0, stdout: expect.stringContaining('completed') });
  expect(asked).toEqual([]);
});
