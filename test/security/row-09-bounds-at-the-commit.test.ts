import { describe, expect, test } from 'vitest';
import { limits } from '../../src/core/protocol/limits.ts';
import { MemoryJournal } from '../../src/journal/memory/memory-journal.ts';
import { connectPolling } from '../helpers/polling-client.ts';
import { connectRaw } from '../helpers/raw-websocket.ts';
import { connectQuiet } from '../helpers/socket-client.ts';
import { http, startServer } from '../helpers/start-server.ts';

const separator = '\x1e';
const timestamp = '2026-01-01T00:00:00.000Z';

/** A server that has room for so many sessions more. */
async function serverWithRoomFor(sessions: number) {
  const journal = new MemoryJournal();
  const filled = Array.from({ length: limits.sessions - sessions }, (_, n) =>
    journal.append(`filled-${n}`, [{ type: 'test:step', data: {}, timestamp }]),
  );
  await Promise.all(filled);
  return startServer({ journal });
}

const publishing = (from: number, count: number) =>
  Array.from({ length: count }, (_, n) => `42${n}["publish",{"session_id":"new-${from + n}","events":[{"type":"test:step"}]}]`);

describe('row 9: bounds are counted at the commit', () => {
  test('one polled payload, one burst of frames and creations side by side never make more sessions than there may be', async () => {
    const server = await serverWithRoomFor(30);
    const count = async () => Number(/^shannon_dash_sessions (\d+)/m.exec(await (await fetch(`${server.url}/metrics`)).text())?.[1]);
    const polling = await connectPolling(server.url);
    expect((await polling.post(publishing(0, 20).join(separator))).status).toBe(200);
    expect(await count()).toBe(limits.sessions - 10);
    expect((await polling.post(publishing(100, 500).join(separator))).status).toBe(200);
    await expect.poll(() => polling.poll(), { timeout: 10_000 }).toContain('LIMIT_REACHED');
    expect(await count()).toBe(limits.sessions);
    const raw = await connectRaw(server.port);
    for (const packet of publishing(1_000, 200)) raw.send(packet);
    await raw.until('200 answers', () => raw.packets.filter((packet) => packet.startsWith('43')).length === 200);
    const created = await Promise.all([1, 2, 3].map((n) => http('POST', `${server.url}/api/sessions`, { session_id: `created-${n}` })));
    expect(created.map(({ status }) => status)).toEqual([429, 429, 429]);
    const client = await connectQuiet(server.url);
    expect(await client.ask('orchestrator:attach', { session_id: 'attached', instance_id: 'i' })).toMatchObject({ code: 'LIMIT_REACHED' });
    expect(await count()).toBe(limits.sessions);
    // Sessions that are there go on, and the room that a deletion makes is used.
    expect(await client.publish('filled-0', [{ type: 'test:step' }])).toMatchObject({ success: true, last_seq: 2 });
    await http('DELETE', `${server.url}/api/sessions/filled-0`);
    expect(await client.publish('one-more', [{ type: 'test:step' }])).toMatchObject({ success: true });
    expect(await client.publish('too-many', [{ type: 'test:step' }])).toMatchObject({ code: 'LIMIT_REACHED' });
  });
});
