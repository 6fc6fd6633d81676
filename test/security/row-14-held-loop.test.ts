import { randomBytes } from 'node:crypto';
import { describe, expect, test } from 'vitest';
import { limits } from '../../src/core/protocol/limits.ts';
import { connectPolling } from '../helpers/polling-client.ts';
import { connectRaw } from '../helpers/raw-websocket.ts';
import { connectQuiet } from '../helpers/socket-client.ts';
import { http, publish, startServer } from '../helpers/start-server.ts';

const separator = '\x1e';
const ndjson = { 'content-type': 'application/x-ndjson' };

/** Opens so many connections, which `fetch` keeps: what is measured is how the server answers, not how it lets a caller in. */
async function openConnections(url: string, count: number): Promise<void> {
  await Promise.all(Array.from({ length: count }, () => http('GET', `${url}/health`)));
}

describe('row 14: no single request holds up all others', () => {
  test('JSON that takes seconds to parse is refused unparsed, over HTTP and over sockets', async () => {
    const server = await startServer();
    const events = `${server.url}/api/sessions/s/events`;
    const bombs = {
      open: '['.repeat(200_000),
      nested: `[${'['.repeat(100_000)}${']'.repeat(100_000)}]`,
      objects: `[${'{},'.repeat(200_000)}{}]`,
      fields: `{${Array.from({ length: 160_000 }, (_, n) => `"${n}":1`).join(',')}}`,
    };
    for (const bomb of Object.values(bombs)) {
      for (const headers of [{}, ndjson]) {
        const { status, body } = await http('POST', events, bomb, headers);
        expect(status).toBe(400);
        expect(body['error']).toContain('objects, lists and fields');
      }
    }
    const lines = await http('POST', events, '{"type":"test:step"}\n'.repeat(limits.publishEvents + 1), ndjson);
    expect(lines.body['error']).toBe('The body must have at most 1000 events, a line each; send more requests');
    const raw = await connectRaw(server.port);
    raw.send(`427["publish",{"session_id":"s","events":${bombs.nested}}]`);
    expect(await raw.next('437')).toContain('objects, lists and fields');
    raw.send(`42["nonsense",${bombs.objects}]`);
    expect(await raw.next('42["server:error"')).toContain('objects, lists and fields');
    expect(raw.isClosed).toBe(false);
    // What is as long and no dearer is taken: texts and numbers, signs of JSON within texts.
    const harmless = [
      { type: 'test:step', data: { numbers: Array.from({ length: 160_000 }, (_, n) => n % 10) } },
      { type: 'test:step', data: { text: '[{":,\\"'.repeat(90_000) } },
    ];
    expect((await http('POST', events, harmless)).status).toBe(200);
  });

  test('a polled payload of thousands of packets is taken by and by, and one of too many ends its connection', async () => {
    const server = await startServer();
    const busy = await connectPolling(server.url);
    const publishing = Array.from({ length: 9_000 }, (_, n) =>
      n % 3 === 0 ? `42["publish",{"session_id":"s","events":[{"type":"test:step"}]}]` : '3',
    );
    const taken: unknown[] = [];
    await openConnections(server.url, 2);
    const posted = busy.post(publishing.join(separator)).finally(() => taken.push(true));
    let meanwhile = 0;
    while (taken.length === 0) {
      await http('GET', `${server.url}/health`);
      if (taken.length === 0) meanwhile++;
    }
    expect(meanwhile).toBeGreaterThan(3);
    expect(await posted).toEqual({ status: 200, text: 'ok' });
    await expect
      .poll(async () => (await http<{ seq: number }>('GET', `${server.url}/api/sessions/s`)).body.seq, { timeout: 10_000 })
      .toBe(publishing.length / 3);
    const flooding = await connectPolling(server.url);
    await flooding.post(Array.from({ length: limits.payloadPackets + 1 }, () => '3').join(separator));
    expect((await flooding.post('3')).status).toBe(400);
    expect((await busy.post('3')).status).toBe(200);
  });

  test('the state at an old event of a long history is folded by and by: others are answered meanwhile', async () => {
    const server = await startServer();
    const producer = await connectQuiet(server.url);
    // Too large a state for any of the earlier ones to be kept, and events that all have a part in it.
    const metadata = { text: randomBytes(600_000).toString('base64') };
    expect((await http('POST', `${server.url}/api/sessions`, { session_id: 's', metadata })).status).toBe(201);
    const batch = Array.from({ length: 1_000 }, (_, n) => ({ type: 'skill:progress', data: { skill_name: 'a', progress: n % 100 } }));
    for (let n = 0; n < 60; n++) await producer.publish('s', batch);
    await publish(server, 'other', { type: 'test:step' });
    await openConnections(server.url, 11);
    let answered = 0;
    const asked = Array.from({ length: 10 }, async (_, n) => {
      const { body } = await http<{ seq: number }>('GET', `${server.url}/api/sessions/s?at=${57_000 + n}`);
      answered++;
      return body.seq;
    });
    let meanwhile = 0;
    while (answered < asked.length) {
      await http('GET', `${server.url}/health`);
      if (answered < asked.length) meanwhile++;
    }
    expect(await Promise.all(asked)).toEqual(asked.map((_, n) => 57_000 + n));
    // Held up by each of the ten, it would be one or two for each.
    expect(meanwhile).toBeGreaterThan(25);
  });
});
