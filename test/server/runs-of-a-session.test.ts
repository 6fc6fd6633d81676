import { describe, expect, test } from 'vitest';
import type { CommandResult } from '../../src/core/protocol/command.ts';
import type { SessionState } from '../../src/core/protocol/session-state.ts';
import { connectQuiet, type SocketClient } from '../helpers/socket-client.ts';
import { http, publish, startServer, type TestServer } from '../helpers/start-server.ts';
import { attachOrchestrator, TestOrchestrator } from '../helpers/test-orchestrator.ts';

const started = { type: 'execution:started', data: {} };
const completed = { type: 'execution:completed', data: {} };
const stateOf = async (server: TestServer) => (await http<SessionState>('GET', `${server.url}/api/sessions/s`)).body;
const send = (client: SocketClient, fields: Record<string, unknown>) =>
  client.ask<CommandResult>('command', { session_id: 's', timeout_ms: 10_000, ...fields });
const commandOf = async (server: TestServer, id: string) => (await stateOf(server)).commands.find(({ command_id }) => command_id === id);

/** A session that one instance has run and left: with a word, or without. */
async function formerRun(server: TestServer, isEnded: boolean) {
  const former = await attachOrchestrator(server.url, { instance_id: 'former' });
  former.acknowledges = false;
  former.answer = () => undefined;
  await former.client.publish('s', [started]);
  const operator = await connectQuiet(server.url);
  // Its sender is told that the outcome is unknown.
  expect(await send(operator, { type: 'INJECT', skill_name: 'x', command_id: 'sent', timeout_ms: 50 })).toMatchObject({ status: 'queued' });
  if (isEnded) await former.client.publish('s', [completed]);
  former.client.close();
  await expect.poll(async () => (await stateOf(server)).orchestrator?.attached).toBe(false);
  return operator;
}

describe('a queue is never inherited by another run of the same name', () => {
  test.each([
    ['ROLLBACK', {}, 'rollback'],
    ['REDIRECT', { target_skill: 'x' }, 'redirect'],
    ['INJECT', { skill_name: 'x' }, 'inject'],
    ['HALT', {}, 'halt'],
  ])('%s to a session that has ended is refused', async (type, fields, word) => {
    const server = await startServer();
    await publish(server, 's', [started, completed]);
    const answer = await send(await connectQuiet(server.url), { type, ...fields });
    expect(answer).toMatchObject({
      success: false,
      status: 'rejected',
      error: `Cannot ${word} - execution is completed`,
      code: 'CONFLICT',
    });
    const next = await attachOrchestrator(server.url);
    await next.client.publish('s', [started]);
    expect(await stateOf(server)).toMatchObject({ status: 'running', halt: null });
    expect(next.executed).toEqual([]);
  });

  test('what was sent to a run that ended fails with it, whether or not anybody was attached then', async () => {
    const server = await startServer();
    const operator = await formerRun(server, true);
    await expect.poll(() => commandOf(server, 'sent')).toMatchObject({ status: 'failed', for_instance: 'former' });
    const next = await attachOrchestrator(server.url, { instance_id: 'next' });
    await next.client.publish('s', [started]);
    expect(await send(operator, { type: 'INJECT', skill_name: 'y', command_id: 'later' })).toMatchObject({ status: 'applied' });
    expect(next.executed.map(({ command_id }) => command_id)).toEqual(['later']);
    next.client.close();
    // Nobody is attached: queued, and gone with the end.
    await expect.poll(async () => (await stateOf(server)).orchestrator?.attached).toBe(false);
    await send(operator, { type: 'ROLLBACK', command_id: 'unheard' });
    await publish(server, 's', completed);
    await expect.poll(() => commandOf(server, 'unheard')).toMatchObject({ status: 'failed' });
  });

  test('what was sent to a run that is gone without a word expires when another one begins, also over a restart', async () => {
    const server = await startServer();
    await formerRun(server, false);
    await server.restart();
    expect(await commandOf(server, 'sent')).toMatchObject({ status: 'queued', for_instance: 'former' });
    const next = await attachOrchestrator(server.url, { instance_id: 'next' });
    const operator = await connectQuiet(server.url);
    expect(await commandOf(server, 'sent')).toMatchObject({
      status: 'expired',
      error: expect.stringMatching(/another one has begun; former was sent it, and may have carried it out$/),
    });
    expect(await send(operator, { type: 'INJECT', skill_name: 'y', command_id: 'later' })).toMatchObject({ status: 'applied' });
    expect(next.executed.map(({ command_id }) => command_id)).toEqual(['later']);
  });

  test('the same instance gets it when it is back, and who comes late to a session that was only created gets what was sent before', async () => {
    const server = await startServer();
    await formerRun(server, false);
    const back = await attachOrchestrator(server.url, { instance_id: 'former', reattach: true });
    await expect.poll(() => back.executed.map(({ command_id }) => command_id)).toEqual(['sent']);
    await http('POST', `${server.url}/api/sessions`, { session_id: 'planned' });
    const operator = await connectQuiet(server.url);
    expect(await send(operator, { type: 'INJECT', skill_name: 'x', session_id: 'planned', command_id: 'early' })).toMatchObject({
      status: 'queued',
    });
    const late = await attachOrchestrator(server.url, { session_id: 'planned', instance_id: 'late' });
    await expect.poll(() => late.executed.map(({ command_id }) => command_id)).toEqual(['early']);
  });
});

test('with take_over: false a second instance is refused and named the first; the first goes on', async () => {
  const server = await startServer();
  const first = await attachOrchestrator(server.url, { instance_id: 'first' });
  const second = new TestOrchestrator(await connectQuiet(server.url));
  expect(await second.attach({ instance_id: 'second', take_over: false })).toMatchObject({
    success: false,
    code: 'CONFLICT',
    error: 'first is attached to s',
    details: { instance_id: 'first' },
  });
  expect(await first.client.publish('s', [started])).toMatchObject({ success: true });
  expect(await first.attach({ instance_id: 'first', take_over: false })).toMatchObject({ success: true });
  first.client.close();
  await expect.poll(async () => (await stateOf(server)).orchestrator?.attached).toBe(false);
  expect(await second.attach({ instance_id: 'second', take_over: false })).toMatchObject({ success: true });
});
