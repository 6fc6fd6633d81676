import { join } from 'node:path';
import { describe, expect, test } from 'vitest';
import type { CommandResult } from '../../src/core/protocol/command.ts';
import type { SessionEvent } from '../../src/core/protocol/event.ts';
import type { SessionState } from '../../src/core/protocol/session-state.ts';
import { connectRaw } from '../helpers/raw-websocket.ts';
import { startServerProcess } from '../helpers/server-process.ts';
import { connectQuiet, type SocketClient } from '../helpers/socket-client.ts';
import { http, publish, startServer, type TestServer } from '../helpers/start-server.ts';
import { temporaryFolder } from '../helpers/temporary-folder.ts';
import { attachOrchestrator, TestOrchestrator } from '../helpers/test-orchestrator.ts';

const started = { type: 'execution:started', data: {} };
const send = (client: SocketClient, fields: Record<string, unknown>) =>
  client.ask<CommandResult>('command', { session_id: 's', timeout_ms: 10_000, ...fields });
const stateOf = async (server: TestServer) => (await http<SessionState>('GET', `${server.url}/api/sessions/s`)).body;
const eventsOf = async (server: TestServer, types: string) =>
  (await http<{ events: SessionEvent[] }>('GET', `${server.url}/api/sessions/s/events?types=${types}`)).body.events;

describe('attaching', () => {
  test('answers with the fold so far and the commands not finished, then delivers those', async () => {
    const server = await startServer();
    await publish(server, 's', started);
    const operator = await connectQuiet(server.url);
    await send(operator, { type: 'INJECT', skill_name: 'x', command_id: 'c', timeout_ms: 10 });
    const orchestrator = new TestOrchestrator(await connectQuiet(server.url));
    const answer = await orchestrator.attach({ capabilities: ['INJECT'] });
    expect(answer).toMatchObject({
      success: true,
      epoch: expect.any(String),
      state: { session_id: 's', status: 'running', orchestrator: { attached: true, instance_id: 'one', capabilities: ['INJECT'] } },
      commands: [{ command_id: 'c', command_type: 'INJECT', status: 'queued' }],
    });
    expect(orchestrator.executed.length).toBeLessThanOrEqual(1);
    expect(await send(operator, { type: 'INJECT', skill_name: 'x', command_id: 'c' })).toMatchObject({ status: 'applied' });
  });

  test('creates a session that is not there yet, which stays created', async () => {
    const server = await startServer();
    await attachOrchestrator(server.url);
    expect(await stateOf(server)).toMatchObject({ status: 'created', seq: 1, orchestrator: { attached: true, instance_id: 'one' } });
    expect((await http('GET', `${server.url}/api/stats`)).body).toMatchObject({ orchestrators: 1 });
  });

  test.each<[string, Record<string, unknown>, string]>([
    ['no session', { session_id: undefined }, 'session_id'],
    ['no instance', { instance_id: undefined }, 'instance_id'],
    ['an instance that is an object', { instance_id: {} }, 'instance_id'],
    ['capabilities that are a text', { capabilities: 'INJECT' }, 'capabilities'],
    ['65 capabilities', { capabilities: Array.from({ length: 65 }, () => 'x') }, 'capabilities'],
  ])('with %s is refused', async (_what, fields, field) => {
    const server = await startServer();
    const orchestrator = new TestOrchestrator(await connectQuiet(server.url));
    const answer = await orchestrator.attach(fields);
    expect(answer).toMatchObject({ success: false, code: 'INVALID' });
    expect(answer['error']).toContain(field);
    expect(await http('GET', `${server.url}/api/sessions`)).toMatchObject({ body: { total: 0 } });
  });
});

describe('going away', () => {
  test('does not change the status: attached false and last_seen say so', async () => {
    const server = await startServer();
    await publish(server, 's', started);
    const orchestrator = await attachOrchestrator(server.url);
    orchestrator.client.close();
    await expect.poll(async () => (await stateOf(server)).orchestrator?.attached).toBe(false);
    const state = await stateOf(server);
    expect(state).toMatchObject({
      status: 'running',
      orchestrator: { attached: false, instance_id: 'one', last_seen: expect.any(String) },
    });
    expect((await eventsOf(server, 'orchestrator:*')).map((event) => event.type)).toEqual([
      'orchestrator:attached',
      'orchestrator:detached',
    ]);
  });

  test('with the server: it is detached when the server is back', async () => {
    const server = await startServer();
    await attachOrchestrator(server.url);
    await server.restart();
    expect((await stateOf(server)).orchestrator).toMatchObject({ attached: false, instance_id: 'one' });
    expect((await eventsOf(server, 'orchestrator:detached')).length).toBe(1);
  });

  test('what was not finished is delivered again after the reconnect, and applied once', async () => {
    const server = await startServer();
    await publish(server, 's', started);
    const before = await attachOrchestrator(server.url);
    before.answer = () => undefined;
    const operator = await connectQuiet(server.url);
    for (const command_id of ['a', 'b']) await send(operator, { type: 'INJECT', skill_name: 'x', command_id, timeout_ms: 200 });
    expect((await stateOf(server)).commands.map((command) => command.status)).toEqual(['delivered', 'delivered']);
    before.client.close();
    const after = await attachOrchestrator(server.url, { reattach: true });
    await expect.poll(() => after.executed.map((each) => each.command_id)).toEqual(['a', 'b']);
    await expect.poll(async () => (await stateOf(server)).commands.map((command) => command.status)).toEqual(['applied', 'applied']);
    expect(await eventsOf(server, 'skill:injected')).toHaveLength(2);
  });

  test('cut off without a farewell: a reconnect of the same instance takes its place at once', async () => {
    const server = await startServer();
    await publish(server, 's', started);
    const raw = await connectRaw(server.port);
    raw.send('420["orchestrator:attach",{"session_id":"s","instance_id":"one"}]');
    await raw.next('430');
    raw.socket.pause();
    const operator = await connectQuiet(server.url);
    const waiting = send(operator, { type: 'INJECT', skill_name: 'x', command_id: 'c' });
    const again = await attachOrchestrator(server.url, { reattach: true });
    expect(await waiting).toMatchObject({ status: 'applied' });
    expect(again.executed.map((each) => each.command_id)).toEqual(['c']);
    raw.socket.destroy();
    await expect.poll(async () => (await http('GET', `${server.url}/health`)).body['connected_clients']).toBe(2);
    expect((await stateOf(server)).orchestrator).toMatchObject({ attached: true, instance_id: 'one' });
  });

  test('at the end of the run: what it did not carry out is failed, not left open', async () => {
    const server = await startServer();
    await publish(server, 's', started);
    const orchestrator = await attachOrchestrator(server.url);
    orchestrator.answer = () => undefined;
    const operator = await connectQuiet(server.url);
    await send(operator, { type: 'INJECT', skill_name: 'x', command_id: 'c', timeout_ms: 50 });
    await orchestrator.client.publish('s', [{ type: 'execution:completed', data: {} }]);
    orchestrator.client.close();
    expect(await send(operator, { type: 'INJECT', skill_name: 'x', command_id: 'c' })).toMatchObject({
      status: 'failed',
      error: 'The run ended (completed) before this was carried out',
    });
  });

  test('at the end of the run, by a crash of the server: the same', async () => {
    const journal = join(await temporaryFolder(), 'journal.sqlite');
    const child = await startServerProcess(journal);
    const orchestrator = await attachOrchestrator(child.url);
    orchestrator.answer = () => undefined;
    const operator = await connectQuiet(child.url);
    await orchestrator.client.publish('s', [started]);
    await send(operator, { type: 'INJECT', skill_name: 'x', command_id: 'c', timeout_ms: 200 });
    await orchestrator.client.publish('s', [{ type: 'execution:failed', data: {} }]);
    await child.end('SIGKILL');
    const again = await startServerProcess(journal);
    const { body } = await http<SessionState>('GET', `${again.url}/api/sessions/s`);
    expect(body).toMatchObject({ status: 'failed', orchestrator: { attached: false }, commands: [{ command_id: 'c', status: 'failed' }] });
  });

  test('a deleted session does not come back because its orchestrator left', async () => {
    const server = await startServer();
    const orchestrator = await attachOrchestrator(server.url);
    await http('DELETE', `${server.url}/api/sessions/s`);
    orchestrator.client.close();
    await expect.poll(async () => (await http('GET', `${server.url}/health`)).body['connected_clients']).toBe(0);
    expect((await http('GET', `${server.url}/api/sessions`)).body).toMatchObject({ sessions: [], total: 0 });
  });

  test('a session that is deleted and comes back under its orchestrator is still its', async () => {
    const server = await startServer();
    const orchestrator = await attachOrchestrator(server.url);
    await http('DELETE', `${server.url}/api/sessions/s`);
    await orchestrator.client.publish('s', [started]);
    await expect.poll(async () => (await stateOf(server)).orchestrator).toMatchObject({ attached: true, instance_id: 'one' });
    expect(await send(await connectQuiet(server.url), { type: 'HALT' })).toMatchObject({ status: 'applied', acknowledged_by: 'one' });
  });
});

describe('take-over', () => {
  test('a newer one wins: the older is told, and can neither publish nor update nor come back', async () => {
    const server = await startServer();
    await publish(server, 's', started);
    const older = await attachOrchestrator(server.url, { instance_id: 'older' });
    older.answer = () => undefined;
    const operator = await connectQuiet(server.url);
    await send(operator, { type: 'INJECT', skill_name: 'x', command_id: 'c', timeout_ms: 100 });
    const newer = await attachOrchestrator(server.url, { instance_id: 'newer' });
    expect(await older.client.next('orchestrator:superseded')).toMatchObject({ session_id: 's', instance_id: 'newer' });
    await expect.poll(() => newer.executed.map((each) => each.command_id)).toEqual(['c']);
    await expect.poll(async () => (await stateOf(server)).commands[0]).toMatchObject({ status: 'applied', acknowledged_by: 'newer' });
    const { seq } = await stateOf(server);
    expect(await older.client.publish('s', [started])).toMatchObject({ success: false, code: 'SUPERSEDED' });
    expect(await older.client.ask('cli_event', { session_id: 's', event_type: 'a:b' })).toMatchObject({
      success: false,
      code: 'SUPERSEDED',
    });
    for (const session_id of ['s', undefined]) {
      const answer = await older.client.ask('command:update', { command_id: 'c', session_id, status: 'failed' });
      expect(answer).toMatchObject({ success: false, code: 'SUPERSEDED' });
    }
    expect(await older.attach({ instance_id: 'older', reattach: true })).toMatchObject({ success: false, code: 'SUPERSEDED' });
    const back = new TestOrchestrator(await connectQuiet(server.url));
    expect(await back.attach({ instance_id: 'older', reattach: true })).toMatchObject({
      success: false,
      code: 'SUPERSEDED',
      details: { instance_id: 'newer' },
    });
    expect(await back.client.publish('s', [started])).toMatchObject({ success: false, code: 'SUPERSEDED' });
    expect((await stateOf(server)).seq).toBe(seq);
    expect((await stateOf(server)).orchestrator).toMatchObject({ attached: true, instance_id: 'newer' });
    older.client.close();
    expect(await send(operator, { type: 'HALT' })).toMatchObject({ acknowledged_by: 'newer' });
  });

  test('holds over a restart of the server: the superseded one is refused there too', async () => {
    const server = await startServer();
    await attachOrchestrator(server.url, { instance_id: 'older' });
    await attachOrchestrator(server.url, { instance_id: 'newer' });
    await server.restart();
    const older = new TestOrchestrator(await connectQuiet(server.url));
    expect(await older.attach({ instance_id: 'older', reattach: true })).toMatchObject({ success: false, code: 'SUPERSEDED' });
    const newer = new TestOrchestrator(await connectQuiet(server.url));
    expect(await newer.attach({ instance_id: 'newer', reattach: true })).toMatchObject({ success: true });
  });

  test('of one session leaves the other sessions of that orchestrator alone', async () => {
    const server = await startServer();
    const older = await attachOrchestrator(server.url, { instance_id: 'older' });
    const attaching = Array.from({ length: 20 }, (_, n) => older.attach({ session_id: `other-${n}`, instance_id: 'older' }));
    await attachOrchestrator(server.url, { instance_id: 'newer' });
    for (const answer of await Promise.all(attaching)) expect(answer).toMatchObject({ success: true });
    await older.client.next('orchestrator:superseded');
    for (let n = 0; n < 20; n++) expect(await older.client.publish(`other-${n}`, [started])).toMatchObject({ success: true });
    expect(older.client.all('orchestrator:superseded')).toHaveLength(1);
  });

  test('on purpose is open to anybody who attaches without reattach, the superseded one too', async () => {
    const server = await startServer();
    const a = await attachOrchestrator(server.url, { instance_id: 'a' });
    const b = await attachOrchestrator(server.url, { instance_id: 'b' });
    expect(await a.attach({ instance_id: 'a' })).toMatchObject({ success: true });
    await b.client.next('orchestrator:superseded');
    expect(await a.client.publish('s', [started])).toMatchObject({ success: true });
    expect(await b.client.publish('s', [started])).toMatchObject({ code: 'SUPERSEDED' });
  });
});

describe('command:update', () => {
  test('is for the orchestrator only', async () => {
    const server = await startServer();
    await publish(server, 's', started);
    const operator = await connectQuiet(server.url);
    await send(operator, { type: 'INJECT', skill_name: 'x', command_id: 'c', timeout_ms: 10 });
    for (const session_id of ['s', undefined]) {
      const answer = await operator.ask('command:update', { command_id: 'c', session_id, status: 'applied' });
      expect(answer).toMatchObject({ success: false, code: 'FORBIDDEN' });
    }
    expect((await stateOf(server)).commands[0]?.status).toBe('queued');
  });

  test('is taken although the one before acknowledges the command at that moment', async () => {
    const server = await startServer();
    await publish(server, 's', started);
    const former = await attachOrchestrator(server.url, { instance_id: 'former' });
    former.acknowledges = false;
    former.answer = () => undefined;
    const late: (() => void)[] = [];
    former.client.socket.on('command:execute', (_command: unknown, ack: () => void) => late.push(ack));
    const operator = await connectQuiet(server.url);
    for (let n = 0; n < 20; n++) {
      late.length = 0;
      await former.attach({ instance_id: 'former' });
      const waiting = send(operator, { type: 'INJECT', skill_name: 'x', command_id: `c${n}` });
      await expect.poll(() => late.length).toBe(1);
      const newer = new TestOrchestrator(await connectQuiet(server.url));
      newer.acknowledges = false;
      newer.answer = () => undefined;
      await newer.attach({ instance_id: `newer-${n}` });
      late[0]?.();
      expect(await newer.update({ command_id: `c${n}`, session_id: 's' }, { status: 'applied' })).toEqual({ success: true });
      expect(await waiting).toMatchObject({ status: 'applied', acknowledged_by: `newer-${n}` });
      newer.client.close();
    }
  });

  test('twice alike is fine, otherwise a conflict; unknown commands and fields are refused', async () => {
    const server = await startServer();
    await publish(server, 's', started);
    const orchestrator = await attachOrchestrator(server.url);
    const operator = await connectQuiet(server.url);
    expect(await send(operator, { type: 'INJECT', skill_name: 'x', command_id: 'c' })).toMatchObject({ status: 'applied' });
    const update = (fields: Record<string, unknown>) => orchestrator.client.ask('command:update', { command_id: 'c', ...fields });
    expect(await update({ status: 'applied' })).toEqual({ success: true });
    expect(await update({ status: 'failed' })).toMatchObject({ success: false, code: 'CONFLICT', details: { status: 'applied' } });
    expect(await update({ status: 'rejected' })).toMatchObject({ success: false, code: 'INVALID' });
    expect(await update({})).toMatchObject({ success: false, code: 'INVALID' });
    expect(await update({ command_id: 'unknown', status: 'applied' })).toMatchObject({ success: false, code: 'NOT_FOUND' });
    expect(await eventsOf(server, 'command:applied')).toHaveLength(1);
  });
});
