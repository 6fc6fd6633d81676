import { expect, onTestFinished, test, vi } from 'vitest';
import type { JournalChange, JournalListener } from '../../src/journal/journal.ts';
import { MemoryJournal } from '../../src/journal/memory/memory-journal.ts';
import { StateWriter } from '../../src/server/commands/state-writer.ts';
import { Hub } from '../../src/server/sessions/watching/hub.ts';
import { SessionStore } from '../../src/server/sessions/session-store.ts';
import type { Watcher } from '../../src/server/sessions/watching/watcher.ts';

const timestamp = '2026-01-01T00:00:00.000Z';
const started = (name: string) => ({ type: 'skill:started', data: { skill_name: name }, timestamp });

/** A journal whose feed can miss changes, as that of a journal on another machine can. */
class GappyJournal extends MemoryJournal {
  isMissing = false;
  tell: JournalListener = () => undefined;

  override subscribe(listener: JournalListener): () => void {
    this.tell = listener;
    return super.subscribe((changes: JournalChange[]) => {
      if (!this.isMissing) listener(changes);
    });
  }
}

/** Notes the numbers of the events that it gets, by session, and the messages beside them. */
class NotingWatcher implements Watcher {
  readonly seqs: Record<string, number[]> = {};
  readonly told: string[] = [];

  deliver({ events }: Parameters<Watcher['deliver']>[0]): void {
    for (const { session_id, seq } of events) (this.seqs[session_id] ??= []).push(seq);
  }

  async replay(read: Parameters<Watcher['replay']>[0]): Promise<boolean> {
    for (const { session_id, seq } of await read()) (this.seqs[session_id] ??= []).push(seq);
    return true;
  }

  tell({ name }: Parameters<Watcher['tell']>[0]): void {
    this.told.push(name);
  }

  async tellPaced(message: Parameters<Watcher['tellPaced']>[0]): Promise<boolean> {
    await message();
    return true;
  }

  drained = () => Promise.resolve();

  cut(): void {
    throw new Error('nothing cuts it');
  }
}

async function watched() {
  const journal = new GappyJournal();
  await journal.append('s', [started('a'), started('b')]);
  const problems: unknown[] = [];
  const store = new SessionStore(journal, (problem) => problems.push(problem));
  await store.open();
  const hub = new Hub(journal, store, (problem) => problems.push(problem));
  const heard: number[] = [];
  hub.onChange((change) => change.kind === 'appended' && change.session_id === 's' && heard.push(...change.events.map(({ seq }) => seq)));
  const [one, all] = [new NotingWatcher(), new NotingWatcher()];
  await (
    await hub.subscribe('s', one, { after: { epoch: journal.epoch, seq: 0 }, filter: () => true })
  ).joined;
  await hub.subscribeAll(all, () => true).joined;
  await expect.poll(() => one.seqs['s']).toEqual([1, 2]);
  return { journal, store, hub, heard, one, all, problems };
}

test('a session that the feed says is behind is read on: each watcher gets every event once, and the state follows', async () => {
  const { journal, store, heard, one, all, problems } = await watched();
  journal.isMissing = true;
  await journal.append('s', [started('c'), started('d')]);
  journal.tell([{ kind: 'behind', session_id: 's' }]);
  await expect
    .poll(() => [one.seqs['s'], all.seqs['s'], heard])
    .toEqual([
      [1, 2, 3, 4],
      [3, 4],
      [3, 4],
    ]);
  expect(await store.load('s')).toMatchObject({ seq: 4, current_skill: 'd' });
  journal.isMissing = false;
  await journal.append('s', [started('e')]);
  await expect
    .poll(() => [one.seqs['s'], all.seqs['s'], heard])
    .toEqual([
      [1, 2, 3, 4, 5],
      [3, 4, 5],
      [3, 4, 5],
    ]);
  expect(await store.load('s')).toMatchObject({ seq: 5, current_skill: 'e' });
  expect(problems).toEqual([]);
});

test('events that do not follow are not delivered before those that were missed', async () => {
  const { journal, store, heard, one, all, problems } = await watched();
  journal.isMissing = true;
  await journal.append('s', [started('c')]);
  journal.isMissing = false;
  await Promise.all([journal.append('s', [started('d')]), journal.append('t', [started('x')]), journal.append('s', [started('e')])]);
  await journal.append('s', [started('f')]);
  await expect.poll(() => one.seqs['s']).toEqual([1, 2, 3, 4, 5, 6]);
  await expect.poll(() => all.seqs).toEqual({ s: [3, 4, 5, 6], t: [1] });
  await expect.poll(() => heard).toEqual([3, 4, 5, 6]);
  expect(await store.load('s')).toMatchObject({ seq: 6, current_skill: 'f' });
  expect(problems).toEqual([]);
});

test('what the feed tells a second time is delivered once', async () => {
  const { journal, heard, one, problems } = await watched();
  const { tell } = journal;
  const told: JournalChange[] = [];
  journal.subscribe((changes) => told.push(...changes));
  await journal.append('s', [started('c')]);
  tell(told);
  await journal.append('s', [started('d')]);
  await expect.poll(() => one.seqs['s']).toEqual([1, 2, 3, 4]);
  await expect.poll(() => heard).toEqual([3, 4]);
  expect(problems).toEqual([]);
});

test('a session that was deleted, or created anew, while its changes were missed is told as that', async () => {
  const { journal, store, one, problems } = await watched();
  journal.isMissing = true;
  await journal.delete('s');
  await journal.append('s', [started('z')]);
  journal.tell([{ kind: 'behind', session_id: 's' }]);
  await expect.poll(() => one.told).toEqual(['session:deleted', 'session:created', 'session:state']);
  await expect.poll(() => one.seqs['s']).toEqual([1, 2, 1]);
  expect(await store.load('s')).toMatchObject({ seq: 1, current_skill: 'z' });
  // A recording of it has its epoch, and may end before it did.
  const { epoch } = (await journal.head('s'))!;
  const events = (await journal.read('s', { after: 0, limit: 1 })).map(({ event }) => event);
  await journal.append('s', [started('y'), started('x')]);
  await journal.delete('s');
  const imported = { at: timestamp, by: 'ana', seq: 1 };
  const bringing = await journal.beginImport({ session_id: 's', created_at: timestamp, imported }, epoch);
  await bringing.add(events);
  await bringing.finish();
  one.told.length = 0;
  journal.tell([{ kind: 'behind', session_id: 's' }]);
  await expect.poll(() => one.told).toEqual(['session:deleted', 'session:created', 'session:state']);
  expect(await store.load('s')).toMatchObject({ seq: 1, status: 'lost', imported });
  await journal.delete('s');
  journal.tell([{ kind: 'behind', session_id: 's' }]);
  await expect.poll(() => one.told.at(-1)).toBe('session:deleted');
  expect([store.get('s'), problems]).toEqual([undefined, []]);
});

test('what another server writes to a session with which nobody has to do is read when somebody asks for it', async () => {
  const journal = new GappyJournal();
  await journal.append('s', [started('a')]);
  const store = new SessionStore(journal, (problem) => expect(problem).toBeUndefined());
  await store.open();
  const hub = new Hub(journal, store, (problem) => expect(problem).toBeUndefined());
  const told: string[] = [];
  hub.onChange(({ kind }) => told.push(kind));
  journal.isMissing = true;
  const behind = () => journal.tell([{ kind: 'behind', session_id: 's', epoch: journal.epoch }]);
  await journal.append('s', [started('b')]);
  behind();
  behind();
  expect(store.get('s')).toMatchObject({ isBehind: true, head: { seq: 1 } });
  expect(await store.load('s')).toMatchObject({ seq: 2, current_skill: 'b' });
  expect(told).toEqual(['written', 'caughtUp']);

  await journal.append('s', [started('c')]);
  behind();
  const one = new NotingWatcher();
  const { epoch } = journal;
  await (
    await hub.subscribe('s', one, { after: { epoch, seq: 1 }, filter: () => true, onJoined: ({ seq }) => expect(seq).toBe(3) })
  ).joined;
  await expect.poll(() => one.seqs['s']).toEqual([2, 3]);
  await journal.append('s', [started('d')]);
  behind();
  await expect.poll(() => one.seqs['s']).toEqual([2, 3, 4]);

  const release = hub.interest.hold('t');
  await journal.append('t', [started('x')]);
  journal.tell([{ kind: 'behind', session_id: 't', epoch }]);
  await expect.poll(() => store.get('t')?.state?.seq).toBe(1);
  release();
  // Where this server writes itself, it reads what others have written before.
  await journal.append('t', [started('y')]);
  journal.tell([{ kind: 'behind', session_id: 't', epoch }]);
  journal.isMissing = false;
  await journal.append('t', [started('z')]);
  await expect.poll(async () => (await store.load('t'))?.seq).toBe(3);
});

test('where the journal could not tell where a session stands, it is asked again', async () => {
  const { journal, heard, one, problems } = await watched();
  const head = vi.spyOn(journal, 'head').mockRejectedValueOnce(new Error('it is away'));
  onTestFinished(() => head.mockRestore());
  journal.isMissing = true;
  await journal.append('s', [started('c')]);
  journal.tell([{ kind: 'behind', session_id: 's' }]);
  await expect.poll(() => [one.seqs['s'], heard]).toEqual([[1, 2, 3], [3]]);
  expect(problems).toEqual([new Error('it is away')]);
});

test('what a server has decided is in the state of who goes on from there, also while it reads what others have written', async () => {
  const { journal, store, problems } = await watched();
  const looked = Promise.withResolvers<undefined>();
  const head = vi.spyOn(journal, 'head').mockReturnValueOnce(looked.promise.then(() => journal.head('s')));
  onTestFinished(() => head.mockRestore());
  journal.tell([{ kind: 'behind', session_id: 's' }]);
  const writing = new StateWriter(journal, store).write('s', () => ({
    events: [{ type: 'skill:started', data: { skill_name: 'c' } }],
    result: 0,
  }));
  await expect.poll(async () => (await journal.read('s', { after: 2, limit: 1 })).length).toBe(1);
  setImmediate(() => looked.resolve(undefined));
  await writing;
  expect(await store.load('s')).toMatchObject({ seq: 3, current_skill: 'c' });
  expect(problems).toEqual([]);
});
