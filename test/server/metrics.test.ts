import { expect, test } from 'vitest';
import { MemoryJournal } from '../../src/journal/memory/memory-journal.ts';
import { parseExposition, type Sample } from '../helpers/exposition.ts';
import { openSse } from '../helpers/sse-reader.ts';
import { connectQuiet } from '../helpers/socket-client.ts';
import { http, publish, startServer, type TestServer } from '../helpers/start-server.ts';

const figures = async (server: TestServer): Promise<Sample[]> => parseExposition(await (await fetch(`${server.url}/metrics`)).text());

/** The figure with this name and these labels; 0 where it has not come up. */
function figure(samples: readonly Sample[], name: string, labels: Record<string, string> = {}): number {
  const isIt = (sample: Sample) =>
    sample.name === `shannon_dash_${name}` && Object.entries(labels).every(([key, value]) => sample.labels.get(key) === value);
  return samples.find(isIt)?.value ?? 0;
}

test('counts events in and out, and measures from publish to journal, from there to watchers, and commands by their type', async () => {
  const server = await startServer();
  const watchers = await Promise.all([connectQuiet(server.url), connectQuiet(server.url)]);
  for (const [at, watcher] of watchers.entries()) await watcher.ask('subscribe', { session_id: 'a', batch: at === 0 });
  const stream = await openSse(`${server.url}/api/sessions/a/events`);
  await publish(
    server,
    'a',
    [1, 2, 3].map((n) => ({ type: 'test:step', data: { n } })),
  );
  await http('POST', `${server.url}/api/sessions/a/commands`, { type: 'HALT' });
  for (const watcher of watchers)
    await watcher.until('the end of the command', () => watcher.events('a').some(({ type }) => type === 'command:applied'));
  await stream.until('the end of the command', () => stream.events.some(({ event }) => event === 'command:applied'));
  const samples = await figures(server);
  const events = figure(samples, 'events_total');
  expect(events).toBeGreaterThan(4);
  expect(figure(samples, 'events_sent_total')).toBe(3 * events);
  expect(figure(samples, 'publish_seconds_count')).toBe(1);
  // For each commit: the form of batches, that of single events, and the stream.
  expect(figure(samples, 'delivery_seconds_count')).toBe(3 * figure(samples, 'commits_total'));
  expect(figure(samples, 'command_seconds_count', { type: 'HALT' })).toBe(1);
  expect(figure(samples, 'watchers')).toBe(3);
});

test('counts what is refused, by its code and by the limit, and who is cut, by the reason; nothing that others name becomes a label', async () => {
  const server = await startServer({ journal: new MemoryJournal() });
  const named = 'outside-name';
  await http('GET', `${server.url}/api/sessions/${named}`, undefined, { 'x-client': named, 'x-request-id': named });
  await http('GET', `${server.url}/${named}`);
  await http('POST', `${server.url}/api/sessions/${named}/commands`, { type: named });
  await http('GET', `${server.url}/health`, undefined, { origin: `http://${named}.example` });
  const client = await connectQuiet(server.url);
  await client.ask(named, {});
  await publish(server, named, [{ type: 'execution:started', data: { task: named } }]);
  for (let n = 0; n <= 101; n++)
    await http('POST', `${server.url}/api/sessions/${named}/commands`, { type: 'INJECT', skill_name: named, timeout_ms: 1 });
  const samples = await figures(server);
  expect(figure(samples, 'refused_total', { code: 'NOT_FOUND' })).toBe(2);
  expect(figure(samples, 'refused_total', { code: 'INVALID' })).toBe(2);
  expect(figure(samples, 'refused_total', { code: 'FORBIDDEN' })).toBe(1);
  const limited = figure(samples, 'limits_reached_total', { limit: 'unfinished_commands' });
  expect(limited).toBeGreaterThan(0);
  expect(figure(samples, 'refused_total', { code: 'LIMIT_REACHED' })).toBe(limited);
  expect(JSON.stringify(samples.map(({ labels }) => [...labels]))).not.toContain(named);
});

test('tells the size of the journal, what waits in its log, and how long a write-back takes', async () => {
  const server = await startServer();
  const before = await figures(server);
  await publish(server, 's', [{ type: 'test:step', data: { text: 'x'.repeat(300_000) } }]);
  const wroteBack = async () => figure(await figures(server), 'journal_write_back_seconds_count');
  await expect.poll(wroteBack, { timeout: 10_000 }).toBeGreaterThan(figure(before, 'journal_write_back_seconds_count'));
  const after = await figures(server);
  expect(figure(after, 'journal_waiting_bytes')).toBe(0);
  expect(figure(after, 'journal_bytes')).toBeGreaterThan(300_000);
  expect(figure(after, 'journal_free_bytes')).toBeGreaterThan(0);
});

test('tells how long the event loop was kept from its work', async () => {
  const server = await startServer({ journal: new MemoryJournal() });
  const late = async () => {
    const samples = await figures(server);
    const name = 'event_loop_delay_seconds';
    return figure(samples, `${name}_count`) - figure(samples, `${name}_bucket`, { le: '0.1' });
  };
  const before = await late();
  // The server runs in this process.
  Atomics.wait(new Int32Array(new SharedArrayBuffer(4)), 0, 0, 300);
  await expect.poll(late, { timeout: 10_000 }).toBeGreaterThan(before);
});
