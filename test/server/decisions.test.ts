import { describe, expect, test } from 'vitest';
import type { CommandResult } from '../../src/core/protocol/command.ts';
import type { SessionEvent } from '../../src/core/protocol/event.ts';
import { limits } from '../../src/core/protocol/limits.ts';
import type { DecisionState } from '../../src/core/protocol/session-state.ts';
import { connectQuiet, type SocketClient } from '../helpers/socket-client.ts';
import { http, publish, startServer, type TestServer } from '../helpers/start-server.ts';
import { attachOrchestrator } from '../helpers/test-orchestrator.ts';

const point = (fields: Record<string, unknown> = {}) => ({
  type: 'decision:point',
  data: { decision_id: 'd', question: 'Deploy?', options: ['yes', 'no'], ...fields },
});
const answer = (client: SocketClient, choice: string, fields: Record<string, unknown> = {}) =>
  client.ask<CommandResult>('command', { type: 'DECISION', session_id: 's', decision_id: 'd', choice, timeout_ms: 10_000, ...fields });
const decisionOf = async (server: TestServer, sessionId = 's') =>
  (await http<DecisionState & { answer_path?: string }>('GET', `${server.url}/api/sessions/${sessionId}/decisions/d`)).body;
const madeOf = async (server: TestServer) =>
  (await http<{ events: SessionEvent[] }>('GET', `${server.url}/api/sessions/s/events?types=decision:made`)).body.events;
const operatorOf = (server: TestServer, client: string) => connectQuiet(server.url, { auth: { client } });
const isMade = (server: TestServer) => expect.poll(async () => (await decisionOf(server)).status, { timeout: 20_000 });

describe('answering', () => {
  test('the first answer wins, later ones are told by whom', async () => {
    const server = await startServer();
    await publish(server, 's', point());
    expect(await answer(await operatorOf(server, 'ana'), 'yes', { comment: 'go' })).toMatchObject({
      status: 'applied',
      acknowledged_by: 'server',
    });
    const late = await answer(await operatorOf(server, 'ben'), 'no');
    expect(late).toMatchObject({
      success: false,
      status: 'rejected',
      code: 'CONFLICT',
      error: 'Decision d was already made: "yes" by ana',
    });
    expect(await decisionOf(server)).toMatchObject({ status: 'made', choice: 'yes', made_by: 'ana', comment: 'go' });
    expect(await madeOf(server)).toHaveLength(1);
  });

  test.each([
    ['by the server', false],
    ['by an orchestrator', true],
  ])('two at the same moment, carried out %s: one wins, the other is told', async (_what, hasOrchestrator) => {
    const server = await startServer();
    await publish(server, 's', point());
    if (hasOrchestrator) await attachOrchestrator(server.url);
    const operators = await Promise.all(['ana', 'ben', 'cy', 'dot'].map((name) => operatorOf(server, name)));
    const answers = await Promise.all(operators.map((operator, index) => answer(operator, index % 2 === 0 ? 'yes' : 'no')));
    const winners = answers.filter((each) => each.status === 'applied');
    expect(winners).toHaveLength(1);
    const decision = await decisionOf(server);
    for (const loser of answers.filter((each) => each.status !== 'applied')) {
      expect(loser).toMatchObject({ success: false, error: `Decision d was already made: "${decision.choice}" by ${decision.made_by}` });
    }
    expect(await madeOf(server)).toHaveLength(1);
  });

  test('an answer right behind a decision that the program made itself is told so, and changes nothing', async () => {
    const server = await startServer();
    await publish(server, 's', point());
    const client = await operatorOf(server, 'ana');
    const made = client.ask('publish', {
      session_id: 's',
      events: [{ type: 'decision:made', data: { decision_id: 'd', choice: 'yes', made_by: 'the program' } }],
    });
    expect(await answer(client, 'no')).toMatchObject({ status: 'rejected', error: 'Decision d was already made: "yes" by the program' });
    expect(await made).toMatchObject({ success: true });
    expect(await decisionOf(server)).toMatchObject({ choice: 'yes', made_by: 'the program' });
  });

  test('a decision takes its default also in a session whose state is not in memory any more', async () => {
    const server = await startServer();
    await publish(server, 's', { type: 'execution:started', data: {} });
    for (let at = 0; at <= limits.foldedSessions; at++) await publish(server, `other-${at}`, { type: 'execution:started', data: {} });
    await publish(server, 's', point({ default: 'no', timeout_ms: 50 }));
    await isMade(server).toBe('made');
    expect(await decisionOf(server)).toMatchObject({ choice: 'no', made_by: 'timeout' });
  });

  test('options may be objects; their ids are what is chosen', async () => {
    const server = await startServer();
    await publish(
      server,
      's',
      point({
        options: [
          { id: 'a', label: 'First' },
          { id: 'b', label: 'Second', recommended: true },
        ],
      }),
    );
    const operator = await operatorOf(server, 'ana');
    expect(await answer(operator, 'First')).toMatchObject({ error: '"First" is not an option of d (a, b)' });
    expect(await answer(operator, 'b')).toMatchObject({ status: 'applied' });
  });

  test('while a decision is pending the other commands work', async () => {
    const server = await startServer();
    await publish(server, 's', point());
    const operator = await operatorOf(server, 'ana');
    expect(await operator.ask('command', { type: 'HALT' })).toMatchObject({ status: 'applied' });
    expect(await operator.ask('command', { type: 'RESUME' })).toMatchObject({ status: 'applied' });
    expect(await answer(operator, 'no')).toMatchObject({ status: 'applied' });
  });

  test('an answer that the orchestrator could not take leaves the decision open', async () => {
    const server = await startServer();
    await publish(server, 's', point());
    const orchestrator = await attachOrchestrator(server.url);
    orchestrator.answer = () => ({ status: 'failed', error: 'busy' });
    const operator = await operatorOf(server, 'ana');
    expect(await answer(operator, 'yes')).toMatchObject({ success: false, status: 'failed' });
    expect((await decisionOf(server)).status).toBe('open');
    orchestrator.answer = () => ({ status: 'applied' });
    expect(await answer(operator, 'no')).toMatchObject({ status: 'applied' });
  });
});

describe('a deadline', () => {
  test('with a default is kept by the server', async () => {
    const server = await startServer();
    await publish(server, 's', point({ timeout_ms: 100, default: 'no' }));
    await isMade(server).toBe('made');
    expect(await decisionOf(server)).toMatchObject({ choice: 'no', made_by: 'timeout' });
    expect(await answer(await operatorOf(server, 'ana'), 'yes')).toMatchObject({ error: 'Decision d was already made: "no" by timeout' });
    expect(await madeOf(server)).toHaveLength(1);
  });

  test('without a default leaves the decision open', async () => {
    const server = await startServer();
    await publish(server, 's', [point({ timeout_ms: 50 }), { ...point({ timeout_ms: 100, default: 'no', decision_id: 'e' }) }]);
    await expect
      .poll(async () => (await http('GET', `${server.url}/api/sessions/s/decisions/e`)).body['status'], { timeout: 20_000 })
      .toBe('made');
    expect(await decisionOf(server)).toMatchObject({ status: 'open', deadline: null });
    expect(await answer(await operatorOf(server, 'ana'), 'yes')).toMatchObject({ status: 'applied' });
  });

  test('is kept over a restart, whether it passes before or after', async () => {
    const server = await startServer();
    await publish(server, 's', point({ timeout_ms: 300, default: 'no' }));
    await server.restart();
    await isMade(server).toBe('made');
    await publish(server, 't', point({ timeout_ms: 10, default: 'no' }));
    await server.close();
    await server.restart();
    await expect.poll(async () => (await decisionOf(server, 't')).made_by, { timeout: 20_000 }).toBe('timeout');
  });

  test('that passes while an answer is on its way waits for it: applied, the answer stands', async () => {
    const server = await startServer();
    const orchestrator = await attachOrchestrator(server.url);
    orchestrator.answer = () => undefined;
    await publish(server, 's', [
      point({ timeout_ms: 800, default: 'no' }),
      { ...point({ timeout_ms: 900, default: 'no', decision_id: 'e' }) },
    ]);
    const waiting = answer(await operatorOf(server, 'ana'), 'yes', { command_id: 'c' });
    await expect
      .poll(async () => (await http('GET', `${server.url}/api/sessions/s/decisions/e`)).body['status'], { timeout: 20_000 })
      .toBe('made');
    expect((await decisionOf(server)).status).toBe('open');
    await orchestrator.update({ command_id: 'c', session_id: 's' }, { status: 'applied' });
    expect(await waiting).toMatchObject({ status: 'applied' });
    expect(await decisionOf(server)).toMatchObject({ choice: 'yes', made_by: 'ana' });
    expect(await madeOf(server)).toHaveLength(2);
  });

  test('that passed while an answer was on its way comes when that fails', async () => {
    const server = await startServer();
    const orchestrator = await attachOrchestrator(server.url);
    orchestrator.answer = () => undefined;
    await publish(server, 's', [
      point({ timeout_ms: 800, default: 'no' }),
      { ...point({ timeout_ms: 900, default: 'no', decision_id: 'e' }) },
    ]);
    const waiting = answer(await operatorOf(server, 'ana'), 'yes', { command_id: 'c' });
    await expect
      .poll(async () => (await http('GET', `${server.url}/api/sessions/s/decisions/e`)).body['status'], { timeout: 20_000 })
      .toBe('made');
    expect((await decisionOf(server)).status).toBe('open');
    await orchestrator.update({ command_id: 'c', session_id: 's' }, { status: 'failed', error: 'no' });
    expect(await waiting).toMatchObject({ status: 'failed' });
    await isMade(server).toBe('made');
    expect(await decisionOf(server)).toMatchObject({ choice: 'no', made_by: 'timeout' });
  });

  test('of a deleted session does not answer the same question of the one that comes after', async () => {
    const server = await startServer();
    await publish(server, 's', point({ timeout_ms: 300, default: 'no' }));
    await http('DELETE', `${server.url}/api/sessions/s`);
    await publish(server, 's', point({ timeout_ms: 600_000, default: 'no' }));
    await publish(server, 't', point({ timeout_ms: 400, default: 'no' }));
    await expect.poll(async () => (await decisionOf(server, 't')).status, { timeout: 20_000 }).toBe('made');
    expect((await decisionOf(server)).status).toBe('open');
  });
});

describe('the link', () => {
  test('answers with one request, once, also after a restart', async () => {
    const server = await startServer();
    await publish(server, 's', point());
    const { answer_path: path } = await decisionOf(server);
    expect(path).toMatch(/^\/api\/sessions\/s\/decisions\/d\/answer\/[\w-]{43}$/);
    await server.restart();
    expect((await decisionOf(server)).answer_path).toBe(path);
    const bad = await http('POST', `${server.url}${path}`, { choice: 'maybe' });
    expect(bad).toMatchObject({ status: 409, body: { success: false, error: '"maybe" is not an option of d (yes, no)' } });
    const first = await http('POST', `${server.url}${path}`, { choice: 'yes', comment: 'from the phone' });
    expect(first).toMatchObject({ status: 200, body: { success: true, status: 'applied' } });
    const second = await http('POST', `${server.url}${path}`, { choice: 'no' });
    expect(second).toMatchObject({ status: 409, body: { success: false, error: 'Decision d was already made: "yes" by link' } });
    expect(await decisionOf(server)).not.toHaveProperty('answer_path');
  });

  test('with a wrong token, for another decision or for another history is 404', async () => {
    const server = await startServer();
    await publish(server, 's', [point(), point({ decision_id: 'e' })]);
    const { answer_path: path = '' } = await decisionOf(server);
    const token = path.slice(path.lastIndexOf('/') + 1);
    const attempts = [
      path.slice(0, -1),
      `${path}x`,
      `/api/sessions/s/decisions/d/answer/x`,
      `/api/sessions/s/decisions/e/answer/${token}`,
      `/api/sessions/t/decisions/d/answer/${token}`,
    ];
    for (const attempt of attempts) {
      expect(await http('POST', `${server.url}${attempt}`, { choice: 'yes' })).toMatchObject({ status: 404, body: { code: 'NOT_FOUND' } });
    }
    await http('DELETE', `${server.url}/api/sessions/s`);
    await publish(server, 's', point());
    expect((await http('POST', `${server.url}${path}`, { choice: 'yes' })).status).toBe(404);
    expect((await decisionOf(server)).status).toBe('open');
  });

  test.each([[undefined], [{}], [{ choice: 5 }], [{ choice: '' }], [[]]])('with the body %j is 400', async (body) => {
    const server = await startServer();
    await publish(server, 's', point());
    const { answer_path: path } = await decisionOf(server);
    expect(await http('POST', `${server.url}${path}`, body)).toMatchObject({ status: 400, body: { success: false, code: 'INVALID' } });
  });

  test('works for ids that need escaping', async () => {
    const server = await startServer();
    const decision_id = 'a/b?c=d e\u00e9%';
    await publish(server, 's', point({ decision_id }));
    const { body } = await http('GET', `${server.url}/api/sessions/s/decisions/${encodeURIComponent(decision_id)}`);
    expect(await http('POST', `${server.url}${String(body['answer_path'])}`, { choice: 'yes' })).toMatchObject({ status: 200 });
  });
});
