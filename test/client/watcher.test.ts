import { afterEach, beforeEach, describe, expect, test } from 'vitest';
import { connect } from '../../src/client/connection/connection.ts';
import { connectPublisher, type Publisher } from '../../src/client/orchestrator/publisher.ts';
import { SessionWatcher } from '../../src/client/watcher/session-watcher.ts';
import { connectWatcher } from '../../src/client/watcher/watcher.ts';
import type { Watcher, WatchOptions, WatchUpdate } from '../../src/client/watcher/watcher-contract.ts';
import type { SessionEvent } from '../../src/core/protocol/event.ts';
import { pause, startServer, until, type RestartableServer } from './restartable-server.ts';

let server: RestartableServer;
const open: { close(): Promise<void> }[] = [];

beforeEach(async () => {
  server = await startServer();
});

afterEach(async () => {
  for (const client of open.splice(0)) await client.close();
  await server.remove();
});

async function watch(options: WatchOptions): Promise<Watcher> {
  const watcher = await connectWatcher({ url: server.url, ...options });
  open.push(watcher);
  return watcher;
}

async function publisher(session: string): Promise<Publisher> {
  const made = await connectPublisher({ url: server.url, session });
  open.push(made);
  return made;
}

async function publishMany(target: Publisher, count: number, from = 1): Promise<void> {
  await Promise.all(
    Array.from({ length: count }, (_, index) => target.publish('note:made', { number: from + index }, { whenFull: 'wait' })),
  );
}

/** Collects what a watcher's updates carry. */
function collect(watcher: Watcher): { events: SessionEvent[]; updates: WatchUpdate[] } {
  const events: SessionEvent[] = [];
  const updates: WatchUpdate[] = [];
  watcher.onUpdate((update) => {
    updates.push(update);
    if (update.kind === 'events') events.push(...update.events);
  });
  return { events, updates };
}

const seqs = (events: readonly SessionEvent[]) => events.map((event) => event.seq);
const upTo = (last: number, first = 1) => Array.from({ length: last - first + 1 }, (_, index) => first + index);

describe('a watcher of one session', () => {
  test('joins with the state and sees each later event once', async () => {
    const producer = await publisher('s');
    await producer.publish('execution:started', { task: 'build' });
    const watcher = await watch({ session: 's' });
    expect(watcher.state).toMatchObject({ status: 'running', task: 'build', seq: 1 });
    const { events } = collect(watcher);
    await publishMany(producer, 2_500);
    await until(() => events.length >= 2_500, 'all events');
    expect(seqs(events)).toEqual(upTo(2_501, 2));
    expect(watcher.cursor).toMatchObject({ seq: 2_501 });
    expect(watcher.state?.seq).toBe(2_501);
  });

  test('may come before its session, and begins with its first event', async () => {
    const watcher = await watch({ session: 'later' });
    expect(watcher.state).toBeUndefined();
    const { events, updates } = collect(watcher);
    const producer = await publisher('later');
    await publishMany(producer, 3);
    await until(() => events.length === 3, 'three events');
    expect(updates.map((update) => update.kind).filter((kind) => kind !== 'connection')).toEqual(['created', 'state', 'events']);
    expect(watcher.state).toMatchObject({ session_id: 'later', seq: 3, status: 'running' });
  });

  test('starts at the first event, or after a cursor, with the right state to fold into', async () => {
    const producer = await publisher('s');
    await producer.publish('execution:started', { task: 'build' });
    await publishMany(producer, 1_500);
    await producer.publish('skill:started', { skill_name: 'test' });
    const fromStart = await watch({ session: 's', after: 'start' });
    const whole = collect(fromStart);
    await until(() => fromStart.state?.seq === 1_502, 'the whole history');
    expect(seqs(whole.events)).toEqual(upTo(1_502));
    const cursor = { epoch: fromStart.cursor?.epoch ?? '', seq: 1_000 };
    const fromCursor = await watch({ session: 's', after: cursor });
    const part = collect(fromCursor);
    await until(() => fromCursor.state?.seq === 1_502, 'the rest of the history');
    expect(seqs(part.events)).toEqual(upTo(1_502, 1_001));
    expect(fromCursor.state).toEqual(fromStart.state);
    expect(fromCursor.state).toMatchObject({ task: 'build', current_skill: 'test' });
  });

  test('loses and doubles nothing over restarts of the server', async () => {
    const producer = await publisher('s');
    const watcher = await watch({ session: 's', after: 'start' });
    const { events } = collect(watcher);
    const published = publishMany(producer, 3_000);
    await until(() => events.length > 0, 'the first events');
    await server.restart();
    await published;
    const more = publishMany(producer, 3_000, 3_001);
    await server.restart();
    await more;
    await until(() => watcher.state?.seq === 6_000, 'everything', 15_000);
    expect(seqs(events)).toEqual(upTo(6_000));
    expect(events.map((event) => event.data['number'])).toEqual(upTo(6_000));
    expect((await server.history('s')).length).toBe(6_000);
  });

  test('sees with event types only those, without a state, also over a restart', async () => {
    const producer = await publisher('s');
    const watcher = await watch({ session: 's', after: 'start', eventTypes: ['skill:*'] });
    const { events } = collect(watcher);
    await producer.publish('note:made', {});
    await producer.publish('skill:started', { skill_name: 'a' });
    await server.stop();
    const waiting = [producer.publish('note:made', {}), producer.publish('skill:completed', { skill_name: 'a' })];
    await server.start();
    await Promise.all(waiting);
    await until(() => events.length === 2, 'both skill events');
    await pause(50);
    expect(seqs(events)).toEqual([2, 4]);
    expect(watcher.state).toBeUndefined();
  });

  test('says that its cursor is of another history, and goes on from the state', async () => {
    const producer = await publisher('s');
    await publishMany(producer, 5);
    const watcher = await watch({ session: 's', after: { epoch: 'another', seq: 3 } });
    const { events, updates } = collect(watcher);
    await until(() => watcher.state !== undefined, 'the state');
    expect(updates.map((update) => update.kind).filter((kind) => kind !== 'connection')).toEqual(['gap', 'state']);
    expect(watcher.state?.seq).toBe(5);
    await publishMany(producer, 1, 6);
    await until(() => events.length === 1, 'the next event');
    expect(seqs(events)).toEqual([6]);
  });

  test('begins anew when the session is deleted and made again', async () => {
    const producer = await publisher('s');
    await publishMany(producer, 3);
    const watcher = await watch({ session: 's' });
    const { events, updates } = collect(watcher);
    await fetch(`${server.url}/api/sessions/s`, { method: 'DELETE' });
    await until(() => updates.some((update) => update.kind === 'deleted'), 'the deletion');
    expect(watcher.state).toBeUndefined();
    await publishMany(producer, 2);
    await until(() => events.length === 2, 'the new events');
    expect(seqs(events)).toEqual([1, 2]);
    expect(watcher.state?.seq).toBe(2);
  });
});

describe('the iteration of a watcher', () => {
  test('yields the events and ends with close', async () => {
    const producer = await publisher('s');
    const watcher = await watch({ session: 's', after: 'start' });
    await publishMany(producer, 10);
    const seen: number[] = [];
    for await (const event of watcher) {
      seen.push(event.seq);
      if (event.seq === 10) await watcher.close();
    }
    expect(seen).toEqual(upTo(10));
  });

  test('refuses a second loop at the same time, and goes on after the first', async () => {
    const producer = await publisher('s');
    const watcher = await watch({ session: 's', after: 'start' });
    await publishMany(producer, 3);
    for await (const event of watcher) {
      expect(() => watcher[Symbol.asyncIterator]()).toThrow('being iterated already');
      if (event.seq === 2) break;
    }
    for await (const event of watcher) {
      expect(event.seq).toBe(3);
      break;
    }
  });

  test('is bounded: a slow loop stops the stream and loses nothing', { timeout: 60_000 }, async () => {
    const producer = await publisher('s');
    const watcher = await watch({ session: 's', after: 'start' });
    const loop = watcher[Symbol.asyncIterator]();
    await publishMany(producer, 25_000);
    await until(() => (watcher.cursor?.seq ?? 0) >= 10_000, 'a full queue');
    await pause(300);
    expect(watcher.cursor?.seq).toBe(10_000);
    for (let seq = 1; seq <= 25_000; seq++) {
      const next = await loop.next();
      if (next.done === true || next.value.seq !== seq) throw new Error(`expected ${seq}, got ${JSON.stringify(next).slice(0, 200)}`);
    }
    expect(watcher.state?.seq).toBe(25_000);
  });

  test('may begin long after the watcher, without memory spent or events lost', { timeout: 60_000 }, async () => {
    const producer = await publisher('s');
    const watcher = await watch({ session: 's', after: 'start' });
    await publishMany(producer, 15_000);
    await until(() => watcher.state?.seq === 15_000, 'the fold, which nobody holds up');
    const { updates } = collect(watcher);
    let expected = 1;
    for await (const event of watcher) {
      expect(event.seq).toBe(expected++);
      if (expected > 15_000) break;
    }
    expect(updates.filter((update) => update.kind === 'events')).toEqual([]);
    expect(watcher.cursor?.seq).toBe(15_000);
  });
});

describe('a watcher of every session', () => {
  test('keeps the state of each, and hears of new and deleted ones', async () => {
    const [one, two] = [await publisher('one'), await publisher('two')];
    await publishMany(one, 2);
    const watcher = await watch({});
    expect([...watcher.states.keys()]).toEqual(['one']);
    const { events, updates } = collect(watcher);
    await publishMany(two, 3);
    await publishMany(one, 1, 3);
    await until(() => events.length === 4, 'four events');
    expect(watcher.states.get('one')?.seq).toBe(3);
    expect(watcher.states.get('two')?.seq).toBe(3);
    expect([...watcher.states.keys()]).toEqual(['two', 'one']);
    await fetch(`${server.url}/api/sessions/one`, { method: 'DELETE' });
    await until(() => updates.some((update) => update.kind === 'deleted'), 'the deletion');
    expect([...watcher.states.keys()]).toEqual(['two']);
  });

  test('has the right states again after a restart, without those deleted meanwhile', async () => {
    const [one, two] = [await publisher('one'), await publisher('two')];
    await publishMany(one, 2);
    await publishMany(two, 2);
    const watcher = await watch({});
    const { updates } = collect(watcher);
    await server.stop();
    const waiting = publishMany(one, 2, 3);
    await server.start();
    await fetch(`${server.url}/api/sessions/two`, { method: 'DELETE' });
    await waiting;
    await until(() => watcher.states.get('one')?.seq === 4 && !watcher.states.has('two'), 'the states of now');
    expect(updates.some((update) => update.kind === 'connection' && update.connection.status === 'reconnecting')).toBe(true);
  });

  test('fetches the state of a session that was not sent when it joined', async () => {
    const first = await publisher('first');
    await first.publish('execution:started', { task: 'old' });
    for (let index = 0; index < 201; index++) {
      await fetch(`${server.url}/api/sessions/other-${index}/events`, {
        method: 'POST',
        headers: { 'content-type': 'application/json' },
        body: JSON.stringify({ type: 'note:made', data: {} }),
      });
    }
    const watcher = await watch({});
    expect(watcher.states.size).toBe(200);
    expect(watcher.states.has('first')).toBe(false);
    await publishMany(first, 2);
    await until(() => watcher.states.get('first')?.seq === 3, 'its state');
    expect(watcher.states.get('first')?.task).toBe('old');
  });
});

test('a watcher on a connection of somebody else leaves it as it was', async () => {
  const connection = await connect({ url: server.url });
  const producer = await publisher('s');
  await publishMany(producer, 1);
  const watcher = new SessionWatcher(connection, { session: 's', ownsConnection: false });
  await watcher.joined;
  const watchers = async () => (await connection.read('stats', {})).sessions['s'];
  expect(await watchers()).toBe(1);
  await watcher.close();
  await connection.ping();
  expect(await watchers()).toBe(0);
  connection.close();
});
