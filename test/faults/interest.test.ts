import { expect, onTestFinished, test } from 'vitest';
import { connectWatcher } from '../../src/client/watcher/watcher.ts';
import type { SessionEvent } from '../../src/core/protocol/event.ts';
import type { SessionState } from '../../src/core/protocol/session-state.ts';
import type { Journal } from '../../src/journal/journal.ts';
import { openPostgresJournal } from '../../src/journal/postgres/postgres-journal.ts';
import { newPostgresJournal } from '../helpers/postgres-journal.ts';
import { hasPostgres } from '../helpers/postgres-server.ts';
import { connectQuiet } from '../helpers/socket-client.ts';
import { http, publish, startServer } from '../helpers/start-server.ts';
import { attachOrchestrator } from '../helpers/test-orchestrator.ts';

/** Notes of which sessions a server reads events or states, or asks where they stand. */
function noting(journal: Journal): { journal: Journal; readOf: Set<string> } {
  const readOf = new Set<string>();
  const looks: ReadonlySet<string | symbol> = new Set(['read', 'find', 'head', 'loadSnapshot']);
  const noted = new Proxy(journal, {
    get(target, name) {
      const value: unknown = Reflect.get(target, name);
      if (typeof value !== 'function') return value;
      return (...args: unknown[]) => {
        if (looks.has(name)) readOf.add(String(args[0]));
        return Reflect.apply(value, target, args) as unknown;
      };
    },
  });
  return { journal: noted, readOf };
}

async function watch(url: string, session: string): Promise<SessionEvent[]> {
  const watcher = await connectWatcher({ url, session, after: 'start' });
  onTestFinished(() => watcher.close());
  const events: SessionEvent[] = [];
  void (async () => {
    for await (const event of watcher) events.push(event);
  })();
  return events;
}

test('a server reads nothing of a session with which nobody there has to do, and all of it for those who ask', async ({ skip }) => {
  skip(!hasPostgres, 'no PostgreSQL answers');
  const location = newPostgresJournal();
  const a = await startServer({ journal: await openPostgresJournal(location) });
  const { journal, readOf } = noting(await openPostgresJournal(location));
  const b = await startServer({ journal });
  const stateAtB = async (session: string) => (await http<SessionState>('GET', `${b.url}/api/sessions/${session}`)).body;
  const steps = (count: number) => Array.from({ length: count }, (_, n) => ({ type: 'my:step', data: { n } }));

  // One connection brings the notes of commits in their order: what stands before this one was heard before it.
  const marks = await watch(b.url, 'mark');
  const heardAtB = async () => {
    const before = marks.length;
    await publish(a, 'mark', { type: 'my:mark', data: {} });
    await expect.poll(() => marks.length).toBeGreaterThan(before);
  };
  await heardAtB();

  const program = await attachOrchestrator(a.url, { instance_id: 'program' });
  await program.client.publish('s', [{ type: 'execution:started', data: {} }]);
  const ask = { question: '?', options: ['yes', 'no'], default: 'no', timeout_ms: 100 };
  await program.client.publish('s', [{ type: 'decision:point', data: { decision_id: 'd', ...ask } }]);
  for (let n = 0; n < 20; n++) await program.client.publish('s', steps(20));
  await publish(a, 'over', { type: 'execution:started', data: {} });
  await publish(a, 'over', { type: 'execution:completed', data: {} });
  await publish(a, 'later', { type: 'decision:point', data: { decision_id: 'd', ...ask, timeout_ms: 3_000 } });
  await heardAtB();
  const madeAt = (url: string) =>
    http<{ events: SessionEvent[] }>('GET', `${url}/api/sessions/s/events?types=decision:made`).then(({ body }) => body.events.length);
  await expect.poll(() => madeAt(a.url)).toBe(1);
  await heardAtB();
  readOf.delete('mark');
  // Of a session that is new where it stands is asked once.
  expect([...readOf].toSorted()).toEqual(['later', 'over', 's']);
  readOf.clear();
  for (let n = 0; n < 20; n++) await program.client.publish('s', steps(20));
  await heardAtB();
  readOf.delete('mark');
  expect([...readOf]).toEqual([]);
  expect(((await http('GET', `${b.url}/api/stats`)).body['sessions'] as object) ?? {}).toMatchObject({ s: 0, over: 0 });
  expect([...readOf]).toEqual([]);

  // What is asked for is as it is now.
  expect((await stateAtB('s')).seq).toBe((await a.journal.head('s'))?.seq);
  const seen = await watch(b.url, 's');
  await program.client.publish('s', steps(20));
  await expect.poll(async () => seen.length === (await a.journal.head('s'))?.seq).toBe(true);
  await program.client.publish('s', [{ type: 'my:last', data: {} }]);
  await expect.poll(() => seen.at(-1)?.type).toBe('my:last');
  expect(seen.map(({ seq }) => seq)).toEqual(seen.map((_, at) => at + 1));
  expect(readOf.has('over')).toBe(false);
  const operator = await connectQuiet(b.url);
  expect(await operator.ask('command', { session_id: 's', type: 'HALT', timeout_ms: 10_000 })).toMatchObject({
    status: 'applied',
    acknowledged_by: 'program',
  });
  const { sessions } = (await http<{ sessions: { session_id: string; status: string; seq: number }[] }>('GET', `${b.url}/api/sessions`))
    .body;
  expect(Object.fromEntries(sessions.map(({ session_id, status }) => [session_id, status]))).toMatchObject({
    s: 'halted',
    over: 'completed',
  });
  expect(sessions.find(({ session_id }) => session_id === 'over')?.seq).toBe(2);

  // What is due in a session whose server is gone is done by the one that is left.
  await publish(a, 'left', { type: 'decision:point', data: { decision_id: 'd', ...ask, timeout_ms: 1_000 } });
  await a.close();
  const decided = async (session: string) => (await stateAtB(session)).decisions.map(({ made_by }) => made_by);
  const before = await journal.read('left', { after: 0, limit: 10 });
  expect(before.length).toBeGreaterThan(0);
  await expect
    .poll(async () => (await journal.read('left', { after: 0, limit: 10 })).map(({ type }) => type), { timeout: 20_000 })
    .toEqual(['decision:point', 'decision:made']);
  await expect.poll(() => decided('later'), { timeout: 20_000 }).toEqual(['timeout']);
});
