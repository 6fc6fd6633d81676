import { expect, test } from 'vitest';
import { limits } from '../../src/core/protocol/limits.ts';
import type { JournalEvent, ReadRange } from '../../src/journal/journal.ts';
import { MemoryJournal } from '../../src/journal/memory/memory-journal.ts';
import { KeyedMutex } from '../../src/server/keyed-mutex.ts';
import { connectQuiet } from '../helpers/socket-client.ts';
import { http, startServer } from '../helpers/start-server.ts';

test('one client has a bounded number of requests under way; others are answered, and it is again once it got answers', async () => {
  const server = await startServer({ journal: new MemoryJournal() });
  const orchestrator = await connectQuiet(server.url);
  await orchestrator.ask('orchestrator:attach', { session_id: 's', instance_id: 'i' });
  const busy = await connectQuiet(server.url);
  const command = { type: 'ROLLBACK', steps: 1, session_id: 's', command_id: 'c', timeout_ms: 60_000 };
  const waiting = Array.from({ length: limits.requestsUnderWay }, () => busy.ask<{ status: string }>('command', command));
  expect(await busy.ask('command', command)).toMatchObject({ code: 'LIMIT_REACHED' });
  // Events are taken still: they wait for nobody.
  expect(await busy.publish('s', [{ type: 'test:step' }])).toMatchObject({ success: true });
  const other = await connectQuiet(server.url);
  expect(await other.ask('ping')).toMatchObject({ timestamp: expect.any(String) });
  await orchestrator.ask('command:update', { session_id: 's', command_id: 'c', status: 'applied' });
  expect(new Set((await Promise.all(waiting)).map(({ status }) => status))).toEqual(new Set(['applied']));
  expect(await busy.ask('ping')).toMatchObject({ timestamp: expect.any(String) });
});

test('what waits for its turn in one session is bounded', async () => {
  const mutex = new KeyedMutex();
  const first = Promise.withResolvers<number>();
  const running = Array.from({ length: limits.serialWork }, () => mutex.run('s', () => first.promise));
  await expect(mutex.run('s', () => Promise.resolve(2))).rejects.toMatchObject({ code: 'LIMIT_REACHED' });
  expect(await mutex.run('t', () => Promise.resolve(3))).toBe(3);
  first.resolve(1);
  await Promise.all(running);
  expect(await mutex.run('s', () => Promise.resolve(4))).toBe(4);
});

test('the ledger of a session with many commands is read once, and from there on only what is new', async () => {
  let read = 0;
  class CountingJournal extends MemoryJournal {
    override async read(sessionId: string, range: ReadRange): Promise<JournalEvent[]> {
      const events = await super.read(sessionId, range);
      read += events.length;
      return events;
    }
  }
  const server = await startServer({ journal: new CountingJournal() });
  const client = await connectQuiet(server.url);
  const halt = () => client.ask('command', { type: 'HALT', session_id: 's' });
  await client.publish('s', [{ type: 'test:step' }]);
  const list = async () => {
    const before = read;
    const { body } = await http<{ total: number; commands: { seq: number }[] }>('GET', `${server.url}/api/sessions/s/commands?limit=1000`);
    return { total: body.total, listed: body.commands.length, read: read - before };
  };
  for (let n = 0; n < 3; n++) await halt();
  expect(await list()).toEqual({ total: 3, listed: 3, read: 0 });
  await Promise.all(Array.from({ length: 297 }, halt));
  const [one, two] = await Promise.all([list(), list()]);
  expect([one.total, two.listed]).toEqual([300, 300]);
  await halt();
  const next = await list();
  expect(next).toMatchObject({ total: 301, listed: 301 });
  expect(next.read).toBeLessThan(10);
  // A session created anew under the same id has a ledger of its own.
  await http('DELETE', `${server.url}/api/sessions/s`);
  await client.publish('s', [{ type: 'test:step' }]);
  await halt();
  expect(await list()).toMatchObject({ total: 1, listed: 1 });
});
