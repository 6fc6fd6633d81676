import { expect, test } from 'vitest';
import { limits } from '../../src/core/protocol/limits.ts';
import { initialState } from '../../src/core/protocol/session-state.ts';
import type { JournalEvent, ReadRange, Snapshot } from '../../src/journal/journal.ts';
import { MemoryJournal } from '../../src/journal/memory/memory-journal.ts';
import { createServer } from '../../src/server/create-server.ts';
import { foldVersion } from '../../src/core/fold/fold.ts';
import { SessionStore } from '../../src/server/sessions/session-store.ts';
import { http } from '../helpers/start-server.ts';
import { temporaryFolder } from '../helpers/temporary-folder.ts';

const timestamp = '2026-01-01T00:00:00.000Z';
const skill = (name: string) => ({ type: 'skill:started', data: { skill_name: name }, timestamp });

/** A journal with two sessions, `sound` and `broken`, of which the latter has fewer events than its head says. */
class ShortJournal extends MemoryJournal {
  reads = 0;

  override read(sessionId: string, range: ReadRange): Promise<JournalEvent[]> {
    this.reads++;
    return super.read(sessionId, sessionId === 'broken' ? { ...range, through: Math.min(range.through ?? 1, 1) } : range);
  }
}

async function filled<Kept extends MemoryJournal>(journal: Kept): Promise<Kept> {
  await journal.append('broken', [skill('a'), skill('b')]);
  await journal.append('sound', [skill('a'), skill('b')]);
  return journal;
}

test('a journal that has fewer events than its head claims ends in an error for that session alone', async () => {
  const journal = await filled(new ShortJournal());
  const server = await createServer({ journal, projectFolder: await temporaryFolder() });
  const { url } = await server.listen({ port: 0 });
  const broken = await http('GET', `${url}/api/sessions/broken`);
  expect(broken).toMatchObject({
    status: 503,
    body: { code: 'JOURNAL_FAILED', error: 'The journal has the events of broken through 1 only, of 2' },
  });
  expect(await http('GET', `${url}/api/sessions/sound`)).toMatchObject({ status: 200, body: { seq: 2, current_skill: 'b' } });
  expect((await http('GET', `${url}/health`)).status).toBe(200);
  await server.close();
});

test('at start each session is read once', async () => {
  class CountingJournal extends MemoryJournal {
    readonly read_of: string[] = [];

    override read(sessionId: string, range: ReadRange): Promise<JournalEvent[]> {
      this.read_of.push(sessionId);
      return super.read(sessionId, range);
    }
  }
  const journal = new CountingJournal();
  const names = Array.from({ length: 600 }, (_, n) => `s${n}`);
  for (const name of names) await journal.append(name, [skill('a')]);
  const server = await createServer({ journal, projectFolder: await temporaryFolder() });
  const { url } = await server.listen({ port: 0 });
  expect(await http('GET', `${url}/api/sessions`)).toMatchObject({ status: 200, body: { total: names.length } });
  // More than are kept in memory: a second look at each would read it again.
  expect(journal.read_of).toEqual(names);
  await server.close();
});

test('a state that nobody asks for is not folded, and lists show the session as it is', async () => {
  class CountingJournal extends MemoryJournal {
    reads = 0;

    override read(sessionId: string, range: ReadRange): Promise<JournalEvent[]> {
      this.reads++;
      return super.read(sessionId, range);
    }
  }
  const journal = new CountingJournal();
  const server = await createServer({ journal, projectFolder: await temporaryFolder() });
  const { url } = await server.listen({ port: 0 });
  // More than are kept in memory.
  const names = Array.from({ length: limits.foldedSessions + 100 }, (_, n) => `s${n}`);
  for (const name of [...names, ...names]) await journal.append(name, [skill('a')]);
  await journal.append('s0', [{ type: 'decision:point', data: { decision_id: 'd', options: ['x', 'y'] }, timestamp }]);
  // The ledger looks at decisions.
  expect(await http('GET', `${url}/api/sessions/s0`)).toMatchObject({ body: { decisions: [{ decision_id: 'd' }] } });
  const readsBefore = journal.reads;
  for (const name of names) await journal.append(name, [{ type: 'execution:progress', data: { progress: 40 }, timestamp }, skill('b')]);
  const { body } = await http('GET', `${url}/api/sessions`);
  const shown = { status: 'running', current_skill: 'b', progress: 40, updated_at: timestamp };
  expect(body.sessions).toMatchObject(
    names.map((session_id) => ({ session_id, ...shown, ...(session_id === 's0' ? { seq: 5, open_decisions: 1 } : { seq: 4 }) })),
  );
  expect(journal.reads).toBe(readsBefore);
  expect(await http('GET', `${url}/api/sessions/s1`)).toMatchObject({
    body: { seq: 4, skills: [{ skill_name: 'a' }, { skill_name: 'b' }] },
  });
  await server.close();
});

test('a session that nobody asks for gets a snapshot now and then, so that it never takes long to fold', async () => {
  const journal = new MemoryJournal();
  const problems: unknown[] = [];
  const store = new SessionStore(journal, (problem) => problems.push(problem));
  await store.open();
  journal.subscribe((changes) => {
    for (const change of changes) store.apply(change);
  });
  const names = Array.from({ length: limits.foldedSessions + 1 }, (_, n) => `s${n}`);
  for (const name of names) await journal.append(name, [skill('a')]);
  expect(store.get('s0')?.state).toBeUndefined();
  for (let round = 0; round < 51; round++) {
    const events = Array.from({ length: 100 }, () => ({ type: 'execution:progress', data: { progress: round }, timestamp }));
    await journal.append('s0', events);
  }
  expect(await store.load('s0')).toMatchObject({ seq: 5_101, progress: 50 });
  expect((await journal.loadSnapshot('s0'))?.seq).toBeGreaterThanOrEqual(2_500);
  expect(problems).toEqual([]);
});

/** Counts the events that are read. */
class CountingJournal extends MemoryJournal {
  events = 0;

  override async read(sessionId: string, range: ReadRange): Promise<JournalEvent[]> {
    const found = await super.read(sessionId, range);
    this.events += found.length;
    return found;
  }
}

test('a state in the middle of a long history is folded from the snapshot before it, and one that was missing is there from then on', async () => {
  const journal = new CountingJournal();
  const fill = async (session: string) => {
    for (let n = 0; n < 20; n++) {
      const events = Array.from({ length: 1_000 }, (_, at) => ({
        type: 'execution:progress',
        data: { progress: (n * 1_000 + at) % 100, message: 'm'.repeat(200) },
        timestamp,
      }));
      await journal.append(session, events);
    }
  };
  const opened = async () => {
    const store = new SessionStore(journal, (problem) => expect(problem).toBeUndefined());
    await store.open();
    return store;
  };
  // Without a server beside it nobody saves a snapshot.
  await fill('s');
  await (await opened()).load('s');
  const store = await opened();
  for (const seq of [10_007, 19_999, 2_500, 4_999]) {
    journal.events = 0;
    expect(await store.at('s', seq)).toMatchObject({ seq, progress: (seq - 1) % 100 });
    expect(journal.events).toBeLessThan(5_000);
  }
});

test("a program's output is not read to fold it, and the state is that of its last line", async () => {
  const journal = new CountingJournal();
  const output = (n: number) => ({ type: 'process:output', data: { lines: [String(n)] }, timestamp: new Date(n * 1_000).toISOString() });
  await journal.append('s', [skill('a')]);
  await journal.append(
    's',
    Array.from({ length: 3_000 }, (_, n) => output(n)),
  );
  await journal.append('s', [skill('b'), { type: 'execution:lost', data: {}, timestamp }, output(5_000), output(6_000)]);
  const store = new SessionStore(journal, (problem) => expect(problem).toBeUndefined());
  await store.open();
  const found = { seq: 3_005, status: 'running', current_skill: null, lost: null, updated_at: output(6_000).timestamp };
  expect(await store.load('s')).toMatchObject(found);
  expect(journal.events).toBeLessThan(500);
  expect(await store.at('s', 2_000)).toMatchObject({ seq: 2_000, current_skill: 'a', updated_at: output(1_998).timestamp });
});

test.each([
  ['no JSON', '{"session_id":"sound'],
  ['no state', '[]'],
  ['null', 'null'],
  ['a state without its lists', '{"session_id":"sound","seq":1}'],
  ['the state of another session', JSON.stringify({ ...initialState({ session_id: 'other', created_at: timestamp }), seq: 1 })],
  ['a state whose list is none', JSON.stringify({ ...initialState({ session_id: 'sound', created_at: timestamp }), seq: 1, commands: {} })],
])('a snapshot that is %s is told and thrown away', async (_, json) => {
  class SnapshotJournal extends MemoryJournal {
    override loadSnapshot(): Promise<Snapshot | undefined> {
      return Promise.resolve({ seq: 1, version: foldVersion, json });
    }
  }
  const journal = await filled(new SnapshotJournal());
  const problems: unknown[] = [];
  const store = new SessionStore(journal, (problem) => problems.push(problem));
  await store.open();
  expect(await store.load('sound')).toMatchObject({ seq: 2, current_skill: 'b', skills: [{ skill_name: 'a' }, { skill_name: 'b' }] });
  expect(problems.map(String)).toEqual(['Error: The snapshot of sound is no state: its history is folded anew']);
});
