import { execFile } from 'node:child_process';
import { join } from 'node:path';
import { promisify } from 'node:util';
import { pino, type Logger } from 'pino';
import { describe, expect, test } from 'vitest';
import type { SessionEvent } from '../../src/core/protocol/event.ts';
import { MemoryJournal } from '../../src/journal/memory/memory-journal.ts';
import { closeAll } from '../../src/server/close-all.ts';
import { createServer } from '../../src/server/create-server.ts';
import { nextTurn } from '../../src/server/turns.ts';
import { connectRaw } from '../helpers/raw-websocket.ts';
import { startServerProcess } from '../helpers/server-process.ts';
import { connectClient, connectQuiet } from '../helpers/socket-client.ts';
import { openSse } from '../helpers/sse-reader.ts';
import { http, publish, startServer } from '../helpers/start-server.ts';
import { temporaryFolder } from '../helpers/temporary-folder.ts';
import { attachOrchestrator } from '../helpers/test-orchestrator.ts';

const run = promisify(execFile);
const timestamp = '2026-01-01T00:00:00.000Z';
const step = (n: number) => ({ type: 'test:step', id: `n${n}`, data: { n } });

test('of parts that cannot be closed keeps none of the others open', async () => {
  const closed: string[] = [];
  const parts = ['first', 'second', 'third', 'fourth'];
  const closing = closeAll(
    parts.map((part) => () => {
      closed.push(part);
      if (part === 'second') throw new Error('second is stuck');
      return part === 'third' ? Promise.reject(new Error('third is stuck')) : undefined;
    }),
  );
  await expect(closing).rejects.toThrow('second is stuck');
  expect(closed).toEqual(parts);
});

test('a server that cannot be made closes the journal that it was given', async () => {
  class UnreadableJournal extends MemoryJournal {
    isClosed = false;

    override sessions(): Promise<never> {
      return Promise.reject(new Error('unreadable'));
    }

    override close(): Promise<void> {
      this.isClosed = true;
      return super.close();
    }
  }
  const journal = new UnreadableJournal();
  await expect(createServer({ journal, projectFolder: await temporaryFolder() })).rejects.toThrow('unreadable');
  expect(journal.isClosed).toBe(true);
});

test.each([
  ['the decision links', () => ({})],
  ['the guard', () => ({ allowedHosts: [5 as unknown as string] })],
  ['the HTTP server', () => ({ log: { error: () => undefined, warn: () => undefined } as unknown as Logger })],
])('a server that fails to open %s leaves nothing open: no journal, no timer, no listener of the journal', async (part, optionsOf) => {
  class CountingJournal extends MemoryJournal {
    isClosed = false;
    listeners = 0;

    override subscribe(...args: Parameters<MemoryJournal['subscribe']>): () => void {
      const end = super.subscribe(...args);
      this.listeners++;
      return () => {
        this.listeners--;
        end();
      };
    }

    override close(): Promise<void> {
      this.isClosed = true;
      return super.close();
    }
  }
  const journal = new CountingJournal();
  const noSecret = () => {
    throw new Error('no secret');
  };
  if (part === 'the decision links') Object.defineProperty(journal, 'secret', { get: noSecret });
  await journal.append('s', [
    { type: 'decision:point', data: { decision_id: 'd', question: '?', options: ['a'], default: 'a', timeout_ms: 600_000 }, timestamp },
  ]);
  const projectFolder = await temporaryFolder();
  const timers = () => process.getActiveResourcesInfo().filter((each) => each === 'Timeout' || each === 'TCPServerWrap').length;
  const before = timers();
  await expect(createServer({ journal, projectFolder, ...optionsOf() })).rejects.toThrow();
  expect(journal).toMatchObject({ isClosed: true, listeners: 0 });
  // Less, where a timer of an earlier test ends meanwhile.
  expect(timers()).toBeLessThanOrEqual(before);
});

describe('close', () => {
  test('closes the journal once what goes on beside has ended: the end of an attachment, and a state that is kept', async () => {
    /** It writes slowly, as one does that is not in this process. */
    class SlowJournal extends MemoryJournal {
      readonly done: string[] = [];

      override async append(...[session, events, options]: Parameters<MemoryJournal['append']>) {
        if (events[0]?.type === 'orchestrator:detached') await this.#slowly('detached');
        return super.append(session, events, options);
      }

      override async saveSnapshot(...args: Parameters<MemoryJournal['saveSnapshot']>) {
        if (this.done.length === 0) await this.#slowly('kept');
        return super.saveSnapshot(...args);
      }

      override close(): Promise<void> {
        this.done.push('closed');
        return super.close();
      }

      async #slowly(what: string): Promise<void> {
        for (let turns = 0; turns < 1_000 && !this.done.includes('closed'); turns++) await nextTurn();
        this.done.push(what);
      }
    }
    const journal = new SlowJournal();
    const problems: unknown[] = [];
    const log = pino({ level: 'error' }, { write: (line: string) => problems.push(line) });
    const server = await startServer({ journal, log });
    await attachOrchestrator(server.url);
    const steps = Array.from({ length: 3_000 }, (_, n) => step(n));
    for (let at = 0; at < steps.length; at += 1_000) await publish(server, 's', steps.slice(at, at + 1_000));
    await server.close();
    expect(journal.done.toSorted()).toEqual(['closed', 'detached', 'kept']);
    expect(journal.done.at(-1)).toBe('closed');
    expect(problems).toEqual([]);
  });

  test('gives up to fold a long history, and says nothing of that', async () => {
    class CountedJournal extends MemoryJournal {
      reads = 0;

      override read(...[session, range]: Parameters<MemoryJournal['read']>) {
        this.reads++;
        return super.read(session, range);
      }
    }
    const journal = new CountedJournal();
    const timestamp = new Date().toISOString();
    const events = Array.from({ length: 20_000 }, () => ({ type: 'skill:started', data: { skill_name: 'look' }, timestamp }));
    await journal.append('long', events);
    const problems: unknown[] = [];
    const log = pino({ level: 'error' }, { write: (line: string) => problems.push(line) });
    const server = await startServer({ journal, log });
    await server.close();
    // Of 20 that a whole fold takes.
    expect(journal.reads).toBeLessThan(10);
    expect(problems).toEqual([]);
  });

  test.each([['websocket'], ['polling']])('says server:shutdown to every client on %s, then lets it go', async (transport) => {
    const server = await startServer();
    const clients = await Promise.all([1, 2, 3].map(() => connectClient(server.url, { transports: [transport] })));
    await server.close();
    for (const client of clients) {
      expect(await client.next('server:shutdown')).toMatchObject({ timestamp: expect.any(String), reason: expect.any(String) });
      await client.until('the end', () => client.disconnects.length === 1);
    }
  });

  test('plain clients of both transports come back by themselves when a server is there again', async () => {
    const server = await startServer();
    const options = { reconnection: true, reconnectionDelay: 50, reconnectionDelayMax: 100 };
    const clients = await Promise.all(
      ['websocket', 'polling', 'websocket', 'polling'].map((transport) =>
        connectClient(server.url, { ...options, transports: [transport] }),
      ),
    );
    await server.close();
    for (const client of clients) await client.until('the end', () => client.disconnects.length === 1);
    await server.restart();
    for (const client of clients) await client.until('a second greeting', () => client.all('connected').length === 2);
  });

  test('with clients of every kind connected takes less than 5 s', async () => {
    const server = await startServer();
    await publish(server, 's', step(1));
    await connectClient(server.url);
    await connectClient(server.url, { transports: ['polling'] });
    const orchestrator = await attachOrchestrator(server.url);
    orchestrator.acknowledges = false;
    orchestrator.answer = () => undefined;
    const stream = await openSse(`${server.url}/api/sessions/s/events`);
    const asleep = await connectRaw(server.port, { auth: {} });
    asleep.socket.pause();
    const waiting = http('POST', `${server.url}/api/sessions/s/commands`, { type: 'INJECT', skill_name: 'x', timeout_ms: 600_000 }).catch(
      () => 'cut',
    );
    await expect.poll(() => orchestrator.executed.length).toBe(1);
    const startedAt = performance.now();
    await server.close();
    expect(performance.now() - startedAt).toBeLessThan(5_000);
    await stream.until('the end', () => stream.isEnded);
    await waiting;
  });

  test('twice is once, and before listening is fine', async () => {
    const server = await createServer({ journal: new MemoryJournal(), projectFolder: await temporaryFolder() });
    await Promise.all([server.close(), server.close()]);
  });

  test('nothing acknowledged is lost, however many publish at that moment', async () => {
    const server = await startServer();
    const producers = await Promise.all([1, 2, 3, 4].map(() => connectQuiet(server.url)));
    const acknowledged: number[] = [];
    const publishing = producers.map(async (producer, index) => {
      for (let n = index; ; n += producers.length) {
        try {
          const answer = await producer.publish('s', [step(n)]);
          if (answer['success'] !== true) return;
          acknowledged.push(n);
        } catch {
          return;
        }
      }
    });
    await expect.poll(() => acknowledged.length).toBeGreaterThan(200);
    await server.close();
    await Promise.all(publishing);
    await server.restart();
    const { body } = await http<{ events: SessionEvent[] }>('GET', `${server.url}/api/sessions/s/events?limit=10000`);
    const kept = new Set(body.events.map((event) => event.data['n']));
    expect(acknowledged.filter((n) => !kept.has(n))).toEqual([]);
    expect(body.events.map((event) => event.seq)).toEqual(body.events.map((_, index) => index + 1));
  });
});

describe('a server process', () => {
  test('ends by itself after close, whatever was under way: no handle is left', async () => {
    const child = await startServerProcess(join(await temporaryFolder(), 'journal.sqlite'));
    await http('POST', `${child.url}/api/sessions/s/events`, [
      { type: 'decision:point', data: { decision_id: 'd', question: '?', options: ['a'], default: 'a', timeout_ms: 600_000 } },
    ]);
    const orchestrator = await attachOrchestrator(child.url);
    orchestrator.acknowledges = false;
    orchestrator.answer = () => undefined;
    const operator = await connectClient(child.url);
    operator.socket.emit('command', { type: 'INJECT', session_id: 's', skill_name: 'x', timeout_ms: 600_000 });
    await expect.poll(() => orchestrator.executed.length).toBe(1);
    await openSse(`${child.url}/api/sessions/s/events`);
    const startedAt = performance.now();
    expect(await child.end('SIGTERM')).toEqual({ code: 0, signal: null });
    expect(performance.now() - startedAt).toBeLessThan(5_000);
    await operator.next('server:shutdown');
  });

  test('that is killed comes back with everything that it acknowledged', async () => {
    const journal = join(await temporaryFolder(), 'journal.sqlite');
    const child = await startServerProcess(journal);
    const client = await connectQuiet(child.url);
    for (let n = 1; n <= 50; n++) await client.publish('s', [step(n)]);
    expect(await child.end('SIGKILL')).toEqual({ code: null, signal: 'SIGKILL' });
    const again = await startServerProcess(journal);
    expect((await http('GET', `${again.url}/api/sessions/s`)).body).toMatchObject({ seq: 50 });
  });
});

const hasLimits = await run('/bin/sh', ['-c', 'command -v prlimit']).then(
  () => true,
  () => false,
);

test.skipIf(!hasLimits)(
  'a disk that takes no more: publishing is refused with JOURNAL_FAILED, reading goes on, and publishing too once there is room (skipped without prlimit)',
  async () => {
    const journal = join(await temporaryFolder(), 'journal.sqlite');
    // No file may grow beyond 2 MiB; the write fails, as on a full disk, instead of the signal ending the process.
    const child = await startServerProcess(journal, 0, `trap '' XFSZ; exec prlimit --fsize=2097152:unlimited "$@"`);
    const client = await connectQuiet(child.url);
    await client.ask('subscribe', { session_id: 's' });
    const text = 'x'.repeat(100_000);
    let kept = 0;
    let refused: Record<string, unknown> | undefined;
    while (refused === undefined && kept < 100) {
      const answer = await client.publish('s', [{ type: 'test:step', id: `n${kept + 1}`, data: { n: kept + 1, text } }]);
      if (answer['success'] === true) kept++;
      else refused = answer;
    }
    expect(refused).toMatchObject({ success: false, code: 'JOURNAL_FAILED', error: expect.stringContaining('could not be written') });
    expect(kept).toBeGreaterThan(2);
    const url = `${child.url}/api/sessions/s`;
    const event = { type: 'test:step', id: `n${kept + 1}`, data: { n: kept + 1, text } };
    expect(await http('POST', `${url}/events`, event)).toMatchObject({ status: 503, body: { success: false, code: 'JOURNAL_FAILED' } });
    expect(await http('POST', `${child.url}/api/sessions/new/events`, event)).toMatchObject({ status: 503 });
    expect((await http('GET', `${child.url}/api/sessions/new`)).status).toBe(404);
    expect(await http('GET', url)).toMatchObject({ status: 200, body: { seq: kept } });
    expect(await client.ask('ping')).toHaveProperty('timestamp');
    await run('prlimit', ['--pid', String(child.pid), '--fsize=unlimited']);
    expect(await client.publish('s', [event])).toMatchObject({ success: true, first_seq: kept + 1 });
    const events = await client.untilEvents(kept + 1);
    expect(events.map((each) => each.seq)).toEqual(Array.from({ length: kept + 1 }, (_, index) => index + 1));
    expect(await http('POST', `${url}/commands`, { type: 'HALT' })).toMatchObject({ status: 200, body: { status: 'applied' } });
    expect(await child.end('SIGTERM')).toEqual({ code: 0, signal: null });
  },
);
