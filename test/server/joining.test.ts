import { describe, expect, test } from 'vitest';
import type { Cursor } from '../../src/core/protocol/event.ts';
import { foldAll } from '../../src/core/fold/fold.ts';
import type { SessionState } from '../../src/core/protocol/session-state.ts';
import { connectClient, connectQuiet, type SocketClient } from '../helpers/socket-client.ts';
import { http, publish, startServer, type TestServer } from '../helpers/start-server.ts';

const steps = (from: number, to: number) =>
  Array.from({ length: to - from + 1 }, (_, index) => ({ type: 'test:step', data: { n: from + index } }));
const seqs = (from: number, to: number) => Array.from({ length: to - from + 1 }, (_, index) => from + index);
const seqsOf = (client: SocketClient) => client.events().map((event) => event.seq);

async function epochOf(server: TestServer, sessionId: string): Promise<string> {
  return (await http<{ epoch: string }>('GET', `${server.url}/api/sessions/${sessionId}`)).body.epoch;
}

async function join(server: TestServer, payload: Record<string, unknown>): Promise<SocketClient> {
  const client = await connectQuiet(server.url);
  await client.ask('subscribe', { session_id: 's', ...payload });
  return client;
}

describe('without a cursor', () => {
  test('a session that does not exist yet can be subscribed to: its state comes when it is created', async () => {
    const server = await startServer();
    const client = await join(server, {});
    expect(await client.next('subscribed')).toMatchObject({ session_id: 's', seq: 0 });
    expect(client.all('session:state')).toEqual([]);
    await publish(server, 's', steps(1, 2));
    await client.untilEvents(2);
    expect(client.heard.slice(2).map((each) => each.name)).toEqual(['session:created', 'session:state', 'test:step', 'test:step']);
    expect(client.all('session:state')[0]).toMatchObject({ seq: 0, session: { session_id: 's', status: 'created' } });
  });

  test('the same, when it is created without an event', async () => {
    const server = await startServer();
    const client = await join(server, {});
    await http('POST', `${server.url}/api/sessions`, { session_id: 's', skills: ['a'], metadata: { k: 1 } });
    const state = await client.next('session:state');
    expect(state).toMatchObject({ seq: 0, session: { planned_skills: ['a'], metadata: { k: 1 } } });
  });

  test('every event after the greeting is heard, however many states are still to come', async () => {
    const server = await startServer();
    const sessions = seqs(1, 150).map((n) => `s-${n}`);
    for (const session of sessions) await publish(server, session, steps(1, 1));
    const producer = await connectQuiet(server.url);
    const client = await connectClient(server.url);
    await client.next('connected');
    await Promise.all(sessions.map((session) => producer.publish(session, steps(2, 2))));
    const events = await client.untilEvents(sessions.length);
    expect(events.map(({ session_id, seq }) => `${session_id} ${seq}`).toSorted()).toEqual(sessions.map((id) => `${id} 2`).toSorted());
    expect(client.all('session:state').map(({ seq }) => seq)).toEqual(sessions.map(() => 1));
  });

  test('the state comes first, and folding what follows gives what the server has', async () => {
    const server = await startServer();
    await publish(server, 's', [
      { type: 'execution:started', data: { task: 'work' } },
      { type: 'skill:started', data: { skill_name: 'a' } },
    ]);
    const client = await join(server, {});
    const { session, seq, epoch } = (await client.next('session:state')) as { session: SessionState; seq: number; epoch: string };
    expect([seq, session.seq, session.status, session.current_skill]).toEqual([2, 2, 'running', 'a']);
    await publish(server, 's', [
      { type: 'skill:completed', data: { skill_name: 'a', result: { ok: [1] } } },
      { type: 'execution:completed', data: { result: { fine: true } } },
    ]);
    const events = await client.untilEvents(2);
    const { body } = await http('GET', `${server.url}/api/sessions/s`);
    expect({ ...foldAll(session, events), epoch }).toEqual(body);
    await server.restart();
    expect((await http('GET', `${server.url}/api/sessions/s`)).body).toEqual(body);
  });

  test('while events pour in: state and events meet without a hole or a double', async () => {
    const server = await startServer();
    const producer = await connectQuiet(server.url);
    let published = 0;
    const pour = { isOn: true };
    const pouring = (async () => {
      while (pour.isOn) {
        await producer.publish('s', steps(published + 1, published + 5));
        published += 5;
      }
    })();
    const watchers: SocketClient[] = [];
    for (let n = 0; n < 10; n++) watchers.push(await join(server, n % 2 === 0 ? {} : { batch: true }));
    pour.isOn = false;
    await pouring;
    for (const watcher of watchers) {
      const { seq } = (await watcher.next('session:state')) as { seq: number };
      await watcher.untilEvents(published - seq);
      expect(seqsOf(watcher)).toEqual(seqs(seq + 1, published));
    }
  });
});

describe('with a cursor', () => {
  test('every later event comes, then the live ones, without a state', async () => {
    const server = await startServer();
    await publish(server, 's', steps(1, 5));
    const epoch = await epochOf(server, 's');
    const client = await join(server, { after: { epoch, seq: 2 } });
    await client.untilEvents(3);
    await publish(server, 's', steps(6, 7));
    await client.untilEvents(5);
    expect(seqsOf(client)).toEqual(seqs(3, 7));
    expect(client.all('session:state')).toEqual([]);
    expect(client.all('session:gap')).toEqual([]);
  });

  test('of the newest event, nothing comes but what is new', async () => {
    const server = await startServer();
    await publish(server, 's', steps(1, 5));
    const client = await join(server, { after: { epoch: await epochOf(server, 's'), seq: 5 } });
    await publish(server, 's', steps(6, 6));
    await client.untilEvents(1);
    expect(client.heard.map((each) => each.name)).toEqual(['connected', 'subscribed', 'test:step']);
  });

  test('globs hold for the past as for the present', async () => {
    const server = await startServer();
    const mixed = (from: number) => steps(from, from + 1_499).map((event, index) => (index % 3 === 0 ? { type: 'other:thing' } : event));
    for (let from = 1; from < 4_500; from += 1_500)
      for (let at = 0; at < 1_500; at += 500) await publish(server, 's', mixed(from).slice(at, at + 500));
    const client = await join(server, { after: { epoch: await epochOf(server, 's'), seq: 0 }, event_types: ['other:*'], batch: true });
    const events = await client.untilEvents(1_500);
    expect(events.map((event) => event.seq)).toEqual(seqs(0, 1_499).map((n) => n * 3 + 1));
    await publish(server, 's', [{ type: 'test:step' }, { type: 'other:thing' }]);
    expect((await client.untilEvents(1_501)).at(-1)?.seq).toBe(4_502);
  });

  test('a reconnect after a restart of the server goes on where it was', async () => {
    const server = await startServer();
    await publish(server, 's', steps(1, 3));
    const epoch = await epochOf(server, 's');
    const before = await join(server, { after: { epoch, seq: 0 } });
    await before.untilEvents(3);
    await server.restart();
    await publish(server, 's', steps(4, 6));
    const after = await join(server, { after: { epoch, seq: 3 } });
    await after.untilEvents(3);
    expect(seqsOf(after)).toEqual([4, 5, 6]);
    expect(after.all('session:gap')).toEqual([]);
  });

  test('catching up while events pour in: each once, in order', async () => {
    const server = await startServer();
    const producer = await connectQuiet(server.url);
    for (let from = 1; from <= 5_000; from += 1_000) await producer.publish('s', steps(from, from + 999));
    const epoch = await epochOf(server, 's');
    let published = 5_000;
    const pour = { isOn: true };
    const pouring = (async () => {
      while (pour.isOn || published < 6_000) {
        await producer.publish('s', steps(published + 1, published + 10));
        published += 10;
      }
    })();
    const cursors: Cursor[] = [0, 1, 4_999, 2_500].map((seq) => ({ epoch, seq }));
    const watchers = await Promise.all(cursors.map((after, index) => join(server, { after, batch: index % 2 === 0 })));
    pour.isOn = false;
    await pouring;
    for (const [index, watcher] of watchers.entries()) {
      const from = (cursors[index]?.seq ?? 0) + 1;
      await watcher.untilEvents(published - from + 1);
      expect(seqsOf(watcher)).toEqual(seqs(from, published));
    }
  });

  test.each([
    ['another epoch', (epoch: string) => ({ epoch: `${epoch}x`, seq: 2 })],
    ['a seq beyond the newest event', (epoch: string) => ({ epoch, seq: 99 })],
  ])('of %s is answered by a gap, then the state, then on from there', async (_what, cursorOf) => {
    const server = await startServer();
    await publish(server, 's', steps(1, 3));
    const epoch = await epochOf(server, 's');
    const after = cursorOf(epoch);
    const client = await join(server, { after });
    await publish(server, 's', steps(4, 4));
    await client.untilEvents(1);
    expect(client.heard.slice(1).map((each) => each.name)).toEqual(['subscribed', 'session:gap', 'session:state', 'test:step']);
    expect(await client.next('session:gap')).toMatchObject({ requested: after, first_available: 1, reason: 'epoch' });
    expect(await client.next('session:state')).toMatchObject({ seq: 3, epoch });
  });

  test('into a session that was deleted and created anew is answered by a gap, also after a restart', async () => {
    const server = await startServer();
    await publish(server, 's', steps(1, 3));
    const after = { epoch: await epochOf(server, 's'), seq: 2 };
    expect((await http('DELETE', `${server.url}/api/sessions/s`)).status).toBe(200);
    const early = await join(server, { after });
    expect(await early.next('session:gap')).toMatchObject({ requested: after, reason: 'epoch' });
    await publish(server, 's', steps(1, 5));
    await early.untilEvents(5);
    expect(seqsOf(early)).toEqual(seqs(1, 5));
    for (let restarts = 0; restarts < 2; restarts++) {
      const client = await join(server, { after });
      expect(await client.next('session:gap')).toMatchObject({ requested: after, reason: 'epoch' });
      expect(await client.next('session:state')).toMatchObject({ seq: 5 });
      expect(client.events()).toEqual([]);
      await server.restart();
    }
    const anew = await join(server, { after: { epoch: await epochOf(server, 's'), seq: 3 } });
    await anew.untilEvents(2);
    expect(seqsOf(anew)).toEqual([4, 5]);
  });

  test('of a session that is deleted under the watcher: it hears of it, and of the one that comes after', async () => {
    const server = await startServer();
    await publish(server, 's', steps(1, 2));
    const named = await join(server, {});
    const all = await connectClient(server.url);
    await http('DELETE', `${server.url}/api/sessions/s`);
    await publish(server, 's', steps(1, 1));
    for (const client of [named, all]) {
      await client.untilEvents(1);
      const names = client.heard.map((each) => each.name);
      expect(names.slice(-4)).toEqual(['session:deleted', 'session:created', 'session:state', 'test:step']);
      expect(client.events()[0]?.seq).toBe(1);
    }
  });
});

describe('a session whose state is not in memory any more', () => {
  test('is folded again for whoever joins it, publishes to it or asks for it', async () => {
    const server = await startServer();
    await publish(server, 's', [{ type: 'execution:started', data: { task: 'first' } }, ...steps(2, 3)]);
    const quiet = await connectQuiet(server.url);
    const watcher = await join(server, {});
    // More sessions than are kept in memory.
    for (let n = 0; n < 520; n++) await quiet.publish(`other-${n}`, steps(1, 1));
    await publish(server, 's', steps(4, 4));
    expect(await watcher.untilEvents(1)).toMatchObject([{ seq: 4 }]);
    expect((await http('GET', `${server.url}/api/sessions/s`)).body).toMatchObject({ seq: 4, task: 'first', status: 'running' });
    for (let n = 0; n < 520; n++) await quiet.publish(`other-${n}`, steps(2, 2));
    const late = await join(server, {});
    expect(await late.next('session:state')).toMatchObject({ seq: 4, session: { task: 'first' } });
    const { body } = await http<{ sessions: { session_id: string; status: string }[]; total: number }>('GET', `${server.url}/api/sessions`);
    expect(body.total).toBe(521);
    expect(body.sessions.every((session) => session.status === 'running')).toBe(true);
  });
});
