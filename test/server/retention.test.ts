import { pino } from 'pino';
import { describe, expect, onTestFinished, test, vi } from 'vitest';
import type { SessionEvent } from '../../src/core/protocol/event.ts';
import type { SessionState } from '../../src/core/protocol/session-state.ts';
import { foldVersion } from '../../src/core/fold/fold.ts';
import type { Journal, JournalEvent, NewEvent, ReadRange, Snapshot } from '../../src/journal/journal.ts';
import { MemoryJournal } from '../../src/journal/memory/memory-journal.ts';
import { openSqliteJournal } from '../../src/journal/sqlite/sqlite-journal.ts';
import { Retention, type RetentionRules } from '../../src/server/sessions/retention.ts';
import { SessionStore } from '../../src/server/sessions/session-store.ts';
import { bring } from '../helpers/bring-session.ts';
import { connectQuiet } from '../helpers/socket-client.ts';
import { openSse } from '../helpers/sse-reader.ts';
import { http, journalAsOf, publish, startServer, type Json, type TestServer } from '../helpers/start-server.ts';

const dayMs = 24 * 3_600_000;
const daysAgo = (days: number) => new Date(Date.now() - days * dayMs).toISOString();
const step = (n: number, timestamp = daysAgo(0)): NewEvent => ({ type: 'test:step', data: { n }, timestamp });
const seqs = (from: number, through: number) => Array.from({ length: through - from + 1 }, (_, at) => from + at);

/** A session with a start, so many steps and, unless it goes on, an end. */
async function fill(
  journal: Journal,
  session: string,
  { days = 0, steps = 20, isLive = false, isPinned = false, text = '' } = {},
): Promise<void> {
  const timestamp = daysAgo(days);
  const events: NewEvent[] = [
    { type: 'execution:started', data: { task: session }, timestamp },
    ...(isPinned ? [{ type: 'run:marked', data: { pinned: true }, timestamp }] : []),
    ...seqs(1, steps).map((n) => ({ type: 'test:step', data: { n, text }, timestamp })),
    ...(isLive ? [] : [{ type: 'execution:completed', data: {}, timestamp }]),
  ];
  for (let at = 0; at < events.length; at += 500) await journal.append(session, events.slice(at, at + 500));
}

async function stateOf(server: TestServer, session: string, query = ''): Promise<Json> {
  return (await http('GET', `${server.url}/api/sessions/${session}${query}`)).body;
}

async function seqsOf(server: TestServer, session: string, query = ''): Promise<number[]> {
  const { body } = await http<{ events: SessionEvent[] }>('GET', `${server.url}/api/sessions/${session}/events?limit=10000${query}`);
  return body.events.map(({ seq }) => seq);
}

async function cutAt(server: TestServer, session: string, seq: number): Promise<void> {
  const { epoch, first_available: _, ...state } = await stateOf(server, session, `?at=${seq}`);
  await server.journal.cut({ session_id: session, epoch: String(epoch) }, { seq, version: foldVersion, json: JSON.stringify(state) });
}

describe('retention', () => {
  test('by age removes what is over for so long, and neither what is live nor what is pinned', async () => {
    const journal = new MemoryJournal();
    await fill(journal, 'old', { days: 31 });
    await fill(journal, 'older', { days: 60 });
    await fill(journal, 'recent', { days: 29 });
    await fill(journal, 'pinned', { days: 60, isPinned: true });
    await fill(journal, 'live', { days: 60, isLive: true });
    const server = await startServer({ journal, retention: { ageMs: 30 * dayMs }, lostAfterMs: 365 * dayMs });
    const client = await connectQuiet(server.url);
    await client.ask('subscribe', {});
    await vi.waitFor(
      async () => expect((await journal.sessions()).map(({ session_id }) => session_id)).toEqual(['recent', 'pinned', 'live']),
      30_000,
    );
    for (const session of ['recent', 'pinned', 'live'])
      expect(await seqsOf(server, session)).toHaveLength(session === 'recent' ? 22 : session === 'pinned' ? 23 : 21);
  });

  test('by events keeps the newest of each session that is over, and its state and commands as they were; what is live stays whole', async () => {
    const journal = new MemoryJournal();
    const timestamp = daysAgo(0);
    await journal.append('s', [
      { type: 'execution:started', data: { task: 'long work' }, timestamp },
      { type: 'decision:point', data: { decision_id: 'd', question: 'Ship?', options: ['yes', 'no'] }, timestamp },
    ]);
    for (let n = 0; n < 210; n++) {
      const command = { command_id: `c${n}`, command_type: 'INJECT', parameters: {}, by: 'ana' };
      await journal.append('s', [
        { type: 'command:queued', data: command, timestamp },
        { type: 'command:failed', data: { ...command, error: 'no' }, timestamp },
      ]);
    }
    await journal.append(
      's',
      seqs(1, 500).map((n) => step(n)),
    );
    await journal.append('s', [{ type: 'execution:completed', data: {}, timestamp }]);
    await fill(journal, 'live', { steps: 300, isLive: true });
    await fill(journal, 'pinned', { steps: 300, isPinned: true });
    await fill(journal, 'short', { steps: 10 });
    const before = await startServer({ journal: await copyOf(journal) });
    const server = await startServer({ journal, retention: { events: 100 } });
    await vi.waitFor(async () => expect((await journal.head('s'))?.cut).toBe(823), 30_000);
    const { epoch: _, first_available, ...state } = await stateOf(server, 's');
    const { epoch: __, ...was } = await stateOf(before, 's');
    expect([state, first_available]).toEqual([was, 824]);
    expect(await seqsOf(server, 's')).toEqual(seqs(824, 923));
    expect(await seqsOf(server, 'pinned')).toHaveLength(303);
    expect(await seqsOf(server, 'live')).toHaveLength(301);
    expect(await seqsOf(server, 'short')).toHaveLength(12);
    // Older ones went with their events; those that the state at the cut had are told still.
    const ledger = await http<{ total: number }>('GET', `${server.url}/api/sessions/s/commands?limit=1000`);
    expect(ledger.body.total).toBe(200);
  });

  test('by size removes what ended first until it fits, and says when only what it keeps is left', async () => {
    const warnings: string[] = [];
    const log = pino({ level: 'warn' }, { write: (line: string) => void warnings.push(line) });
    const server = await startServer();
    const text = 'x'.repeat(1_000);
    for (const [days, session] of ['live', 'first', 'pinned', 'second', 'third'].entries()) {
      const place = { days: 10 - days, steps: 500, text, isLive: session === 'live', isPinned: session === 'pinned' };
      await fill(server.journal, session, place);
    }
    await server.journal.create({ session_id: 'empty', created_at: daysAgo(0) });
    const held = server.journal.usedBytes() ?? 0;
    await server.close();
    const reopened = async (bytes: number) => {
      const journal = await openSqliteJournal({ path: `${server.folder}/journal.sqlite` });
      return startServer({ journal, retention: { bytes }, lostAfterMs: 365 * dayMs, log });
    };
    const some = await reopened(held - 800_000);
    await vi.waitFor(async () => expect(await some.journal.head('second')).toBeUndefined(), 30_000);
    expect((await some.journal.sessions()).map(({ session_id }) => session_id)).toEqual(['live', 'pinned', 'third', 'empty']);
    expect(await seqsOf(some, 'live')).toHaveLength(501);
    await some.close();
    expect(warnings.filter((each) => each.includes('retain_size'))).toEqual([]);
    const least = await reopened(300_000);
    await vi.waitFor(() => expect(warnings.join('\n')).toMatch(/The journal has 2 MB, more than the 1 MB.*live or pinned/), 30_000);
    expect((await least.journal.sessions()).map(({ session_id }) => session_id)).toEqual(['live', 'pinned', 'empty']);
  });
});

/** Another journal with the same sessions. */
async function copyOf(journal: Journal): Promise<Journal> {
  const copy = new MemoryJournal();
  for (const head of await journal.sessions()) {
    const events = await journal.read(head.session_id, { after: 0, limit: 100_000 });
    await bring(
      copy,
      head,
      events.map(({ event }) => event),
    );
  }
  return copy;
}

describe('a history that retention has cut', () => {
  const started = async (journal?: Journal) => {
    const server = await startServer(journal === undefined ? {} : { journal });
    await publish(server, 's', [
      { type: 'execution:started', data: { task: 'work' } },
      { type: 'skill:started', data: { skill_name: 'a' } },
    ]);
    await journalAsOf(
      server,
      's',
      seqs(3, 30).map((n) => step(n)),
    );
    return { server, epoch: String((await stateOf(server, 's'))['epoch']) };
  };

  test('tells a cursor before the cut of the gap, and the state; one behind it misses nothing', async () => {
    const { server, epoch } = await started();
    await cutAt(server, 's', 20);
    for (const [after, isGap] of [
      [0, true],
      [19, true],
      [20, false],
      [30, false],
    ] as const) {
      const client = await connectQuiet(server.url);
      await client.ask('subscribe', { session_id: 's', after: { epoch, seq: after } });
      await publish(server, 's', step(0));
      if (isGap) {
        const gap = { session_id: 's', requested: { epoch, seq: after }, first_available: 21, epoch, reason: 'retention' };
        expect(await client.next('session:gap')).toMatchObject(gap);
        expect(await client.next('session:state')).toMatchObject({ session: { task: 'work', current_skill: 'a' } });
        await client.untilEvents(1);
      } else {
        const through = Number((await stateOf(server, 's'))['seq']);
        const events = await client.untilEvents(through - after);
        expect(events.map(({ seq }) => seq)).toEqual(seqs(after + 1, through));
        expect(client.all('session:gap')).toEqual([]);
      }
    }
  });

  test('tells it on a stream of SSE, and begins where there is something in a history that is read', async () => {
    const { server, epoch } = await started();
    await cutAt(server, 's', 20);
    const stream = await openSse(`${server.url}/api/sessions/s/events`, { 'last-event-id': `${epoch}:4` });
    await stream.until('state', () => stream.messages.some(({ event }) => event === 'session:state'));
    expect(stream.messages.map(({ event }) => event)).toEqual(['session:gap', 'session:state']);
    expect(stream.messages[0]?.data).toMatchObject({ reason: 'retention', first_available: 21 });
    expect(await http('GET', `${server.url}/api/sessions/s/events?after=3&limit=2`)).toMatchObject({
      body: { events: [{ seq: 21 }, { seq: 22 }], next: 22, first_available: 21 },
    });
    const lines = await fetch(`${server.url}/api/sessions/s/events`, { headers: { accept: 'application/x-ndjson' } });
    expect((await lines.text()).trimEnd().split('\n')).toHaveLength(10);
  });

  test('has no state before the cut, and says so; the state at the cut and all later ones are there, also after a restart', async () => {
    const { server } = await started();
    const earlier = await stateOf(server, 's', '?at=25');
    await cutAt(server, 's', 20);
    const looksRight = async () => {
      expect(await http('GET', `${server.url}/api/sessions/s?at=19`)).toMatchObject({
        status: 410,
        body: {
          code: 'GONE',
          error: expect.stringContaining('Retention has taken the events of s through 20') as string,
          details: { first_available: 21 },
        },
      });
      expect(await stateOf(server, 's', '?at=20')).toMatchObject({ seq: 20, task: 'work', current_skill: 'a' });
      expect(await stateOf(server, 's', '?at=25')).toEqual({ ...earlier, first_available: 21 });
    };
    await looksRight();
    await server.restart();
    await looksRight();
  });

  test('while a watcher reads it: the watcher is told of the gap, and has no silent hole', async () => {
    class CutWhileReading extends MemoryJournal {
      beforeRead: (() => Promise<void>) | undefined;

      override async read(sessionId: string, range: ReadRange): Promise<JournalEvent[]> {
        const then = range.limit === 500 ? this.beforeRead : undefined;
        if (then !== undefined) this.beforeRead = undefined;
        await then?.();
        return super.read(sessionId, range);
      }
    }
    const journal = new CutWhileReading();
    const { server, epoch } = await started(journal);
    journal.beforeRead = () => cutAt(server, 's', 20);
    const client = await connectQuiet(server.url);
    await client.ask('subscribe', { session_id: 's', after: { epoch, seq: 5 } });
    expect(await client.next('session:gap')).toMatchObject({ requested: { epoch, seq: 5 }, first_available: 21, reason: 'retention' });
    expect(await client.next('session:state')).toMatchObject({ seq: 30 });
    await publish(server, 's', step(31));
    expect((await client.untilEvents(1)).map(({ seq }) => seq)).toEqual([31]);
  });

  test('goes on from the state that another version of the fold has left, as far as its parts fit', async () => {
    class OtherVersion extends MemoryJournal {
      override async loadBase(sessionId: string): Promise<Snapshot | undefined> {
        const base = await super.loadBase(sessionId);
        if (base === undefined) return undefined;
        const state = JSON.parse(base.json) as SessionState;
        const { pinned: _, ...older } = { ...state, skills: [...state.skills, { skill_name: 5 }], files: 'none' };
        return { ...base, version: 1, json: JSON.stringify(older) };
      }
    }
    const journal = new OtherVersion();
    const timestamp = daysAgo(0);
    await journal.append('s', [
      { type: 'execution:started', data: { task: 'work' }, timestamp },
      { type: 'skill:started', data: { skill_name: 'a' }, timestamp },
      step(3),
    ]);
    const problems: unknown[] = [];
    const opened = async () => {
      const store = new SessionStore(journal, (problem) => problems.push(problem));
      await store.open();
      return store;
    };
    const base = await (await opened()).at('s', 2);
    await journal.cut((await journal.head('s'))!, { seq: 2, version: foldVersion, json: JSON.stringify(base) });
    expect(await (await opened()).load('s')).toMatchObject({
      seq: 3,
      status: 'running',
      task: 'work',
      pinned: false,
      files: [],
      skills: [{ skill_name: 'a', status: 'running' }],
    });
    expect(problems).toEqual([]);
  });
});

describe('what happens while a session is read', () => {
  async function opened(journal: Journal): Promise<SessionStore> {
    const store = new SessionStore(journal, (problem) => expect(problem).toBeUndefined());
    await store.open();
    journal.subscribe((changes) => changes.forEach((change) => store.apply(change)));
    return store;
  }

  const retaining = (
    journal: Journal,
    store: SessionStore,
    rules: RetentionRules,
    onWarning = (sentence: string) => expect(sentence).toBe(''),
  ) => {
    const onProblem = (problem: unknown) => expect(problem).toBeUndefined();
    const retention = new Retention({ journal, store, rules, ready: () => Promise.resolve(), onWarning, onProblem });
    onTestFinished(() => retention.close());
    retention.open();
    return retention;
  };

  test('a history with few events too many is not cut for these, and one that is cut keeps as many as were asked for', async () => {
    const journal = new MemoryJournal();
    await fill(journal, 'few', { steps: 190, days: 2 });
    await fill(journal, 'many', { steps: 2_000, days: 1 });
    const store = await opened(journal);
    await store.load('few');
    retaining(journal, store, { events: 100 });
    await vi.waitFor(async () => expect(await journal.head('many')).toMatchObject({ seq: 2_002, cut: 1_902 }), 30_000);
    expect((await journal.head('few'))?.cut).toBeUndefined();
  });

  test('sessions that stay are not looked at one by one when the journal is too large', async () => {
    const journal = new MemoryJournal();
    const store = await opened(journal);
    for (let n = 0; n < 300; n++) await fill(journal, `s${n}`, { steps: 1, isPinned: true });
    const look = vi.spyOn(store, 'attachments');
    const [warning] = await new Promise<string[]>(
      (resolve) => void retaining(journal, store, { bytes: 10 }, (sentence) => resolve([sentence])),
    );
    expect(warning).toContain('live or pinned');
    expect(look).not.toHaveBeenCalled();
  });

  test('a history that is cut then is folded from the state that is left', async () => {
    class CutWhileReading extends MemoryJournal {
      beforeRead: (() => Promise<void>) | undefined;

      override async read(sessionId: string, range: ReadRange): Promise<JournalEvent[]> {
        const then = this.beforeRead;
        this.beforeRead = undefined;
        await then?.();
        return super.read(sessionId, range);
      }
    }
    const journal = new CutWhileReading();
    await fill(journal, 's', { steps: 400, isLive: true });
    const before = await opened(journal);
    const [whole, base] = [await before.load('s'), await before.at('s', 300)];
    const cut = async () => journal.cut((await journal.head('s'))!, { seq: 300, version: foldVersion, json: JSON.stringify(base) });
    const loading = await opened(journal);
    journal.beforeRead = cut;
    expect(await loading.load('s')).toEqual(whole);
    const looking = await opened(journal);
    expect(await looking.at('s', 350)).toMatchObject({ seq: 350, task: 's' });
    await expect(looking.at('s', 200)).rejects.toMatchObject({ code: 'GONE' });
  });

  test('a session that is pinned then is not removed', async () => {
    const journal = new MemoryJournal();
    await fill(journal, 'old', { days: 60 });
    // Looked at after it.
    await fill(journal, 'last', { days: 30 });
    const store = await opened(journal);
    const load = store.load.bind(store);
    // First whether it may go is looked at, then it is read to be removed.
    let looks = 0;
    store.load = async (session) => {
      if (session === 'old' && looks++ === 1)
        await journal.append('old', [{ type: 'run:marked', data: { pinned: true }, timestamp: daysAgo(60) }]);
      return load(session);
    };
    retaining(journal, store, { ageMs: dayMs });
    await vi.waitFor(async () => expect(await journal.head('last')).toBeUndefined(), 30_000);
    expect(await journal.head('old')).toMatchObject({ seq: 23 });
  });
});
