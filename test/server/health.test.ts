import { expect, test } from 'vitest';
import type { JournalVitals } from '../../src/journal/journal.ts';
import { MemoryJournal } from '../../src/journal/memory/memory-journal.ts';
import { http, startServer } from '../helpers/start-server.ts';

test('a server that is well says that it is live and ready, and to probes nothing else', async () => {
  const server = await startServer();
  const { status, body } = await http('GET', `${server.url}/health`);
  expect([status, body]).toMatchObject([200, { status: 'healthy', live: true, ready: true }]);
  expect(body).not.toHaveProperty('degraded');
  expect(await http('GET', `${server.url}/health/live`)).toMatchObject({ status: 200, body: { live: true } });
  expect(await http('GET', `${server.url}/health/ready`)).toMatchObject({ status: 200, body: { ready: true } });
});

test('where nothing can be journalled it is live and not ready, and older clients are told as ever', async () => {
  const journal = new MemoryJournal();
  const server = await startServer({ journal });
  journal.health = () => ({ isWritable: false, reason: 'the disk is full' });
  const reason = 'The journal cannot be written: the disk is full';
  const { status, body } = await http('GET', `${server.url}/health`);
  expect([status, body]).toMatchObject([503, { status: 'degraded', reason, live: true, ready: false }]);
  expect(body['degraded']).toEqual([{ code: 'journal_not_writable', reason }]);
  expect(await http('GET', `${server.url}/health/live`)).toMatchObject({ status: 200, body: { live: true } });
  expect(await http('GET', `${server.url}/health/ready`)).toMatchObject({ status: 503, body: { ready: false } });
});

test("what is not well and in nobody's way yet is told, and the server is ready", async () => {
  const journal = new MemoryJournal();
  const server = await startServer({ journal });
  const concerns: JournalVitals['concerns'] = [{ code: 'disk_nearly_full', reason: 'Only 12 MB are free' }];
  journal.vitals = () => ({ waitingChars: 0, freeBytes: 12e6, concerns });
  expect(await http('GET', `${server.url}/health`)).toMatchObject({
    status: 200,
    body: { status: 'healthy', ready: true, degraded: concerns },
  });
  expect(await http('GET', `${server.url}/health/ready`)).toMatchObject({ status: 200 });
});
