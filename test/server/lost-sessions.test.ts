import { describe, expect, test } from 'vitest';
import type { CommandResult } from '../../src/core/protocol/command.ts';
import type { SessionEvent } from '../../src/core/protocol/event.ts';
import type { SessionState } from '../../src/core/protocol/session-state.ts';
import { connectClient, connectQuiet } from '../helpers/socket-client.ts';
import { http, publish, startServer, type Json, type TestServer } from '../helpers/start-server.ts';
import { attachOrchestrator } from '../helpers/test-orchestrator.ts';

const started = { type: 'execution:started', data: {} };
const lostAfterMs = 400;
const stateOf = async (server: TestServer, id = 's') => (await http<SessionState>('GET', `${server.url}/api/sessions/${id}`)).body;
const statusOf = async (server: TestServer, id = 's') => (await stateOf(server, id)).status;
const untilLost = (server: TestServer, id = 's') => expect.poll(() => statusOf(server, id), { timeout: 10_000 }).toBe('lost');
const eventsOf = async (server: TestServer, types: string, id = 's') =>
  (await http<{ events: SessionEvent[] }>('GET', `${server.url}/api/sessions/${id}/events?types=${types}`)).body.events;
const listed = async (server: TestServer) => (await http<{ sessions: Json[] }>('GET', `${server.url}/api/sessions`)).body.sessions;

describe('a session whose program has gone without a word', () => {
  test('is lost after a while, everywhere: nothing in it runs, its clock stands, and its next event brings it back', async () => {
    const server = await startServer({ lostAfterMs });
    const watcher = await connectQuiet(server.url);
    await watcher.ask('subscribe', { session_id: 's' });
    const producer = await connectQuiet(server.url);
    const emit = (event_type: string, data: Json = {}) => producer.ask('cli_event', { session_id: 's', event_type, data });
    await emit('execution:started');
    await emit('skill:started', { skill: 'build' });
    await emit('agent:spawned', { agent_id: 'a' });
    await emit('validation:started', { check_name: 'lint' });
    const before = await stateOf(server);
    expect(await listed(server)).toMatchObject([{ status: 'running', producers: 1 }]);
    producer.close();
    const told = await watcher.next('execution:lost');
    expect(told).toMatchObject({ session_id: 's', seq: 5, id: 'execution:lost:4', data: { last_seen: before.updated_at } });
    expect(await stateOf(server)).toMatchObject({
      status: 'lost',
      ended_at: before.updated_at,
      lost: { from: 'running', since: expect.any(String) },
      current_skill: null,
      skills: [{ skill_name: 'build', status: 'lost' }],
      agents: [{ agent_id: 'a', status: 'lost' }],
      validations: [{ check_name: 'lint', status: 'lost' }],
    });
    expect(await listed(server)).toMatchObject([{ status: 'lost', producers: 0 }]);
    expect((await http('GET', `${server.url}/health`)).body).toMatchObject({ active_sessions: 0 });
    await publish(server, 's', { type: 'skill:progress', data: { skill_name: 'build', progress: 40 } });
    expect(await stateOf(server)).toMatchObject({
      status: 'running',
      lost: null,
      ended_at: null,
      current_skill: 'build',
      skills: [{ status: 'running', progress: 40, ended_at: null }],
    });
    await untilLost(server);
    expect((await eventsOf(server, 'execution:lost')).map(({ id }) => id)).toEqual(['execution:lost:4', 'execution:lost:6']);
  });

  test('is not lost while a connection that has published to it is there, nor while somebody is attached, nor before it begins', async () => {
    const server = await startServer({ lostAfterMs });
    const producer = await connectQuiet(server.url);
    await producer.publish('quiet', [started]);
    const orchestrator = await attachOrchestrator(server.url, { session_id: 'attached' });
    await publish(server, 'attached', started);
    await http('POST', `${server.url}/api/sessions`, { session_id: 'planned' });
    await publish(server, 'ended', [started, { type: 'execution:completed', data: {} }]);
    await publish(server, 'gone', started);
    await untilLost(server, 'gone');
    await publish(server, 'gone', started);
    await untilLost(server, 'gone');
    const statuses = Object.fromEntries((await listed(server)).map(({ session_id, status }) => [session_id, status]));
    expect(statuses).toEqual({ quiet: 'running', attached: 'running', planned: 'created', ended: 'completed', gone: 'lost' });
    orchestrator.client.close();
    await untilLost(server, 'attached');
    expect(await statusOf(server, 'quiet')).toBe('running');
  });

  test('is lost after a restart too, and stays lost over one', async () => {
    const server = await startServer({ lostAfterMs });
    await publish(server, 'one', started);
    await untilLost(server, 'one');
    const attached = await attachOrchestrator(server.url, { session_id: 'two' });
    await publish(server, 'two', started);
    attached.client.close();
    await server.restart();
    expect(await statusOf(server, 'one')).toBe('lost');
    await untilLost(server, 'two');
    expect(await eventsOf(server, 'execution:lost', 'one')).toHaveLength(1);
  });

  test('cannot be forged', async () => {
    const server = await startServer();
    const client = await connectQuiet(server.url);
    expect(await client.publish('s', [{ type: 'execution:lost', data: {} }])).toMatchObject({ success: false, code: 'INVALID' });
    expect(await client.ask('cli_event', { session_id: 's', event_type: 'execution:lost' })).toMatchObject({ code: 'INVALID' });
    expect(await client.publish('s', [{ ...started, id: 'execution:lost:1' }])).toMatchObject({ success: false, code: 'INVALID' });
  });
});

describe('a command', () => {
  test('without a session takes the only one that is published to, and the only one that is not lost', async () => {
    const server = await startServer({ lostAfterMs });
    const operator = await connectClient(server.url);
    const halt = () => operator.ask<CommandResult>('command', { type: 'halt' });
    // Each as a run of the older producer: it says nothing of its end.
    for (const session_id of ['run-1', 'run-2']) {
      const producer = await connectQuiet(server.url);
      await producer.ask('cli_event', { session_id, event_type: 'execution:started', data: {} });
      expect(await halt()).toMatchObject({ success: true, status: 'applied', session_id });
      producer.close();
      await expect.poll(async () => (await listed(server)).every(({ producers }) => producers === 0)).toBe(true);
    }
    expect(await halt()).toMatchObject({ success: false, error: 'session_id is required: 2 sessions are live (run-1, run-2)' });
    for (const id of ['run-1', 'run-2']) await untilLost(server, id);
    expect(await halt()).toMatchObject({ success: false, error: 'session_id is required for halt' });
    await publish(server, 'run-2', { type: 'test:step', data: {} });
    expect(await halt()).toMatchObject({ success: true, status: 'applied', session_id: 'run-2' });
  });

  test('to a lost session: its HALT holds when it is heard of again, also one from before, and RESUME lets it go on', async () => {
    const server = await startServer({ lostAfterMs });
    const operator = await connectQuiet(server.url);
    const send = (type: string) => operator.ask<CommandResult>('command', { type, session_id: 's' });
    await publish(server, 's', started);
    await untilLost(server);
    expect(await send('RESUME')).toMatchObject({ status: 'rejected', error: 'Cannot resume - execution is lost' });
    expect(await send('HALT')).toMatchObject({ status: 'applied', acknowledged_by: 'server' });
    expect(await stateOf(server)).toMatchObject({ status: 'halted', lost: null, halt: { from: 'running' } });
    await untilLost(server);
    await publish(server, 's', { type: 'test:step', data: {} });
    expect(await statusOf(server)).toBe('halted');
    await untilLost(server);
    expect(await send('RESUME')).toMatchObject({ status: 'applied' });
    expect(await stateOf(server)).toMatchObject({ status: 'running', halt: null });
  });
});
