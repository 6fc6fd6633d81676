import { describe, expect, test } from 'vitest';
import type { CommandResult } from '../../src/core/protocol/command.ts';
import type { SessionEvent } from '../../src/core/protocol/event.ts';
import type { SessionState } from '../../src/core/protocol/session-state.ts';
import { connectClient, connectQuiet, type SocketClient } from '../helpers/socket-client.ts';
import { http, publish, startServer, type TestServer } from '../helpers/start-server.ts';
import { attachOrchestrator } from '../helpers/test-orchestrator.ts';

const started = { type: 'execution:started', data: {} };
const operatorOf = (server: TestServer) => connectQuiet(server.url, { auth: { client: 'ana' } });
const send = (client: SocketClient, fields: Record<string, unknown>) =>
  client.ask<CommandResult>('command', { session_id: 's', timeout_ms: 10_000, ...fields });

async function stateOf(server: TestServer, sessionId = 's'): Promise<SessionState> {
  return (await http<SessionState>('GET', `${server.url}/api/sessions/${sessionId}`)).body;
}

async function history(server: TestServer, sessionId = 's'): Promise<SessionEvent[]> {
  const { body } = await http<{ events: SessionEvent[] }>('GET', `${server.url}/api/sessions/${sessionId}/events?limit=10000`);
  return body.events;
}

const typesOf = async (server: TestServer, sessionId = 's') => (await history(server, sessionId)).map((event) => event.type);

/** A server with one running session. */
async function serverWithSession(options: Parameters<typeof startServer>[0] = {}): Promise<TestServer> {
  const server = await startServer(options);
  await publish(server, 's', started);
  return server;
}

describe('the life of a command', () => {
  test('with an orchestrator is queued, delivered, applied, each step an event with who sent it', async () => {
    const server = await serverWithSession();
    const orchestrator = await attachOrchestrator(server.url);
    orchestrator.answer = () => ({ status: 'applied', result: { files: 3 } });
    const operator = await operatorOf(server);
    const result = await send(operator, { type: 'rollback', steps: 2, command_id: 'c1' });
    expect(result).toEqual({
      success: true,
      command_type: 'ROLLBACK',
      command_id: 'c1',
      session_id: 's',
      status: 'applied',
      acknowledged_by: 'one',
      attached: true,
      steps: 2,
      result: { files: 3 },
      elapsed_ms: expect.any(Number),
      timestamp: expect.any(String),
    });
    expect(await operator.next('command:result')).toEqual(result);
    expect(orchestrator.executed).toEqual([{ steps: 2, command_id: 'c1', type: 'ROLLBACK', session_id: 's', by: 'ana' }]);
    const events = (await history(server)).filter((event) => event.type.startsWith('command:') || event.type === 'execution:rollback');
    expect(events.map((event) => event.type)).toEqual(['command:queued', 'command:delivered', 'command:applied', 'execution:rollback']);
    for (const { data } of events.slice(0, 3)) expect(data).toMatchObject({ command_id: 'c1', command_type: 'ROLLBACK', by: 'ana' });
    expect(events[3]?.data).toMatchObject({ steps: 2, command_id: 'c1', initiated_by: 'ana' });
    expect((await stateOf(server)).rollback).toMatchObject({ steps: 2, by: 'ana' });
  });

  test('a dry run changes nothing and gives its preview', async () => {
    const server = await serverWithSession();
    const orchestrator = await attachOrchestrator(server.url);
    orchestrator.answer = () => ({ status: 'applied', result: { would: ['a.txt'] } });
    const result = await send(await operatorOf(server), { type: 'ROLLBACK', dry_run: true });
    expect(result).toMatchObject({ success: true, status: 'applied', result: { would: ['a.txt'] } });
    expect(orchestrator.executed[0]).toMatchObject({ dry_run: true, steps: 1 });
    expect(await typesOf(server)).not.toContain('execution:rollback');
  });

  test('a command that the orchestrator could not do is failed, with its words', async () => {
    const server = await serverWithSession();
    const orchestrator = await attachOrchestrator(server.url);
    orchestrator.answer = () => ({ status: 'failed', error: 'no such skill' });
    const result = await send(await operatorOf(server), { type: 'INJECT', skill_name: 'x' });
    expect(result).toMatchObject({ success: false, status: 'failed', error: 'no such skill', code: 'FAILED', acknowledged_by: 'one' });
    expect(await typesOf(server)).not.toContain('skill:injected');
  });

  test('HALT moves the session through halting to halted, RESUME back', async () => {
    const server = await serverWithSession();
    const orchestrator = await attachOrchestrator(server.url);
    orchestrator.answer = () => undefined;
    const operator = await operatorOf(server);
    const halting = send(operator, { type: 'HALT', reason: 'look', command_id: 'h' });
    await expect.poll(() => orchestrator.executed.length).toBe(1);
    expect(await stateOf(server)).toMatchObject({ status: 'halting', halt: { reason: 'look', by: 'ana', command_id: 'h' } });
    await orchestrator.update({ command_id: 'h', session_id: 's' }, { status: 'applied' });
    expect(await halting).toMatchObject({ status: 'applied' });
    expect((await stateOf(server)).status).toBe('halted');
    expect(await send(operator, { type: 'HALT' })).toMatchObject({ success: true, status: 'applied', acknowledged_by: 'server' });
    orchestrator.answer = () => ({ status: 'applied' });
    expect(await send(operator, { type: 'resume' })).toMatchObject({ status: 'applied' });
    expect(await stateOf(server)).toMatchObject({ status: 'running', halt: null });
    const types = (await typesOf(server)).filter((type) => type.startsWith('execution:'));
    expect(types).toEqual(['execution:started', 'execution:halting', 'execution:halted', 'execution:resumed']);
  });

  test('a HALT that fails gives the status back', async () => {
    const server = await serverWithSession();
    const orchestrator = await attachOrchestrator(server.url);
    orchestrator.answer = () => ({ status: 'failed', error: 'cannot stop' });
    expect(await send(await operatorOf(server), { type: 'HALT' })).toMatchObject({ success: false, status: 'failed' });
    expect(await stateOf(server)).toMatchObject({ status: 'running', halt: null });
  });

  test('a large result arrives whole', async () => {
    const server = await serverWithSession();
    const orchestrator = await attachOrchestrator(server.url);
    const lines = Array.from({ length: 5_000 }, (_, n) => `line ${n}`);
    orchestrator.answer = () => ({ status: 'applied', result: { lines } });
    const result = await send(await operatorOf(server), { type: 'ROLLBACK', dry_run: true, command_id: 'big' });
    expect(result.result).toEqual({ lines });
    const ledger = await http<{ commands: { result: unknown }[] }>('GET', `${server.url}/api/sessions/s/commands`);
    expect(ledger.body.commands[0]?.result).toEqual({ lines });
  });

  test('an orchestrator that never says how it ended: the operator sees delivered, later the true end', async () => {
    const server = await serverWithSession();
    const orchestrator = await attachOrchestrator(server.url);
    orchestrator.answer = () => undefined;
    const result = await send(await operatorOf(server), { type: 'INJECT', skill_name: 'x', command_id: 'c', timeout_ms: 100 });
    expect(result).toMatchObject({ success: true, status: 'delivered', message: expect.stringContaining('one has it') });
    await orchestrator.update({ command_id: 'c', session_id: 's' }, { status: 'applied' });
    const { body } = await http('GET', `${server.url}/api/sessions/s/commands`);
    expect(body['commands']).toMatchObject([{ command_id: 'c', status: 'applied', acknowledged_by: 'one', by: 'ana' }]);
  });

  test('an orchestrator that does not even acknowledge: queued, with a message', async () => {
    const server = await serverWithSession();
    const orchestrator = await attachOrchestrator(server.url);
    orchestrator.acknowledges = false;
    orchestrator.answer = () => undefined;
    const result = await send(await operatorOf(server), { type: 'HALT', timeout_ms: 100 });
    expect(result).toMatchObject({ success: true, status: 'queued', message: expect.stringContaining('has not acknowledged') });
  });
});

describe('without an orchestrator', () => {
  test('HALT and RESUME are applied by the server', async () => {
    const server = await serverWithSession();
    const operator = await operatorOf(server);
    expect(await send(operator, { type: 'halt', reason: 'r' })).toMatchObject({
      status: 'applied',
      acknowledged_by: 'server',
      attached: false,
      message: 'Execution halted successfully',
    });
    expect(await stateOf(server)).toMatchObject({ status: 'halted', halt: { reason: 'r', by: 'ana' } });
    expect(await send(operator, { type: 'resume' })).toMatchObject({
      status: 'applied',
      acknowledged_by: 'server',
      message: 'Execution resumed successfully',
    });
    expect(await typesOf(server)).toEqual([
      'execution:started',
      'command:queued',
      'execution:halting',
      'command:applied',
      'execution:halted',
      'command:queued',
      'command:applied',
      'execution:resumed',
    ]);
  });

  test('a session that is only created can be halted before it starts, and starting does not open the gate', async () => {
    const server = await startServer();
    await http('POST', `${server.url}/api/sessions`, { session_id: 's' });
    const operator = await operatorOf(server);
    expect(await send(operator, { type: 'HALT' })).toMatchObject({ status: 'applied' });
    await publish(server, 's', started);
    expect((await stateOf(server)).status).toBe('halted');
    await send(operator, { type: 'RESUME' });
    expect((await stateOf(server)).status).toBe('running');
  });

  test.each([
    ['ROLLBACK', {}],
    ['REDIRECT', { target_skill: 'x' }],
    ['INJECT', { skill_name: 'x' }],
  ])('%s is answered at once and stays queued until one attaches, also over a restart', async (type, fields) => {
    const server = await serverWithSession();
    const operator = await operatorOf(server);
    // The test would end before the time that the command may take.
    const result = await send(operator, { type, ...fields, command_id: 'c', timeout_ms: 600_000 });
    expect(result).toMatchObject({
      success: true,
      status: 'queued',
      attached: false,
      message: expect.stringContaining('no orchestrator is attached'),
    });
    await server.restart();
    const orchestrator = await attachOrchestrator(server.url);
    await expect.poll(() => orchestrator.executed.map((each) => each.command_id)).toEqual(['c']);
    await expect.poll(async () => (await stateOf(server)).commands[0]?.status).toBe('applied');
  });
});

describe('sent again, and taken back', () => {
  const ledger = async (server: TestServer) =>
    (await http<{ commands: Record<string, unknown>[] }>('GET', `${server.url}/api/sessions/s/commands`)).body.commands;
  const over = (server: TestServer, id: string, verb: 'resend' | 'cancel', body?: object) =>
    http('POST', `${server.url}/api/sessions/s/commands/${id}/${verb}`, body);
  const inject = { type: 'INJECT', skill_name: 'x', timeout_ms: 1 };

  test('what failed is sent again as a new command that names the old one, whole, and once for each id', async () => {
    const server = await serverWithSession();
    const orchestrator = await attachOrchestrator(server.url);
    const operator = await operatorOf(server);
    orchestrator.answer = () => ({ status: 'failed', error: 'busy' });
    const instructions = 'y'.repeat(9_000);
    await send(operator, { type: 'REDIRECT', target_skill: 'x', instructions, command_id: 'old' });
    orchestrator.answer = () => ({ status: 'applied' });
    const again = { session_id: 's', resend_of: 'old', command_id: 'new', timeout_ms: 10_000 };
    expect(await operator.ask('command:resend', again)).toMatchObject({ success: true, command_id: 'new', status: 'applied' });
    expect(await operator.ask('command:resend', again)).toMatchObject({ success: true, command_id: 'new', status: 'applied' });
    expect(orchestrator.executed.map(({ command_id, instructions: told }) => [command_id, told])).toEqual([
      ['old', instructions],
      ['new', instructions],
    ]);
    expect(await ledger(server)).toMatchObject([
      { command_id: 'old', status: 'failed', resend_of: null },
      { command_id: 'new', status: 'applied', resend_of: 'old', by: 'ana' },
    ]);
    expect(await over(server, 'new', 'resend', {})).toMatchObject({ status: 409, body: { code: 'CONFLICT' } });
    expect(await over(server, 'nobody', 'resend', {})).toMatchObject({ status: 404 });
    expect(await over(server, 'old', 'resend', { timeout_ms: 0 })).toMatchObject({ status: 400, body: { code: 'INVALID' } });
  });

  test('so is what expired and what was refused, if it can be taken now', async () => {
    const server = await serverWithSession({ commandExpiryMs: 30 });
    const operator = await operatorOf(server);
    await send(operator, { ...inject, command_id: 'late' });
    await expect.poll(async () => (await ledger(server))[0]?.['status']).toBe('expired');
    await send(operator, { type: 'RESUME', command_id: 'early' });
    expect(await over(server, 'early', 'resend', {})).toMatchObject({
      status: 409,
      body: { error: 'Cannot resume - execution is running' },
    });
    await send(operator, { type: 'HALT' });
    expect(await over(server, 'early', 'resend', {})).toMatchObject({ status: 200, body: { status: 'applied', command_type: 'RESUME' } });
    await attachOrchestrator(server.url);
    expect(await over(server, 'late', 'resend', { timeout_ms: 10_000 })).toMatchObject({ status: 200, body: { status: 'applied' } });
  });

  test('what waits for an orchestrator is taken back: the ledger says by whom, and nobody gets it', async () => {
    const server = await serverWithSession();
    const operator = await operatorOf(server);
    for (const command_id of ['one', 'two']) await send(operator, { ...inject, command_id });
    const ben = await connectQuiet(server.url, { auth: { client: 'ben' } });
    const cancel = { session_id: 's', command_id: 'one' };
    for (const _ of ['first', 'its answer was lost']) {
      expect(await ben.ask('command:cancel', cancel)).toMatchObject({
        success: true,
        command: { status: 'cancelled', cancelled_by: 'ben' },
      });
    }
    expect(await operator.ask('command:cancel', cancel)).toMatchObject({ success: false, code: 'CONFLICT' });
    const orchestrator = await attachOrchestrator(server.url);
    await expect.poll(async () => (await ledger(server)).map(({ status }) => status)).toEqual(['cancelled', 'applied']);
    expect(orchestrator.executed.map(({ command_id }) => command_id)).toEqual(['two']);
    expect(await ledger(server)).toMatchObject([{ by: 'ana', cancelled_by: 'ben', error: 'Taken back by ben' }, {}]);
    expect(await over(server, 'two', 'cancel')).toMatchObject({ status: 409, body: { error: 'Command two has ended already: applied' } });
    expect((await history(server)).find(({ type }) => type === 'command:cancelled')?.data).toMatchObject({
      cancelled_from: { role: 'admin' },
    });
    // It was not applied, so it can be sent again after all.
    expect(await over(server, 'one', 'resend', { timeout_ms: 10_000 })).toMatchObject({ body: { status: 'applied' } });
  });

  test('what an orchestrator may have stays, also once that is gone without a word', async () => {
    const server = await serverWithSession();
    const operator = await operatorOf(server);
    const orchestrator = await attachOrchestrator(server.url);
    orchestrator.acknowledges = false;
    orchestrator.answer = () => undefined;
    await send(operator, { ...inject, command_id: 'c' });
    const refused = { status: 409, body: { error: 'Command c was sent to one, which may be carrying it out' } };
    expect(await over(server, 'c', 'cancel')).toMatchObject(refused);
    orchestrator.client.close();
    await expect.poll(async () => (await stateOf(server)).orchestrator?.attached).toBe(false);
    expect(await over(server, 'c', 'cancel')).toMatchObject(refused);
    const back = await attachOrchestrator(server.url, { reattach: true });
    await expect.poll(async () => (await ledger(server))[0]?.['status']).toBe('applied');
    expect(back.executed).toHaveLength(1);
  });
});

describe('refusals', () => {
  const finished = { type: 'execution:completed', data: {} };
  const point = { type: 'decision:point', data: { decision_id: 'D', question: '?', options: ['A', 'B'] } };
  const made = { type: 'decision:made', data: { decision_id: 'D', choice: 'A', made_by: 'ana' } };
  test.each<[string, unknown[], Record<string, unknown> | undefined, number]>([
    ['Command type is required', [started], {}, 400],
    ['Command type is required', [started], { type: 5 }, 400],
    ['Unknown command type: EXPLODE', [started], { type: 'EXPLODE' }, 400],
    ['Unknown command type: __proto__', [started], { type: '__proto__' }, 400],
    ['target_skill or target_path is required', [started], { type: 'REDIRECT' }, 400],
    ['target_skill or target_path is required', [started], { type: 'redirect', target_skill: '' }, 400],
    ['decision_id and choice are required', [started], { type: 'DECISION', decision_id: 'D' }, 400],
    ['skill_name is required', [started], { type: 'INJECT', position: 'end' }, 400],
    ['Cannot resume - execution is running', [started], { type: 'RESUME' }, 409],
    ['Cannot resume - execution is completed', [finished], { type: 'RESUME' }, 409],
    ['Cannot halt - execution is completed', [finished], { type: 'HALT' }, 409],
    ['Cannot halt - execution is failed', [{ type: 'execution:failed', data: {} }], { type: 'HALT' }, 409],
    ['Decision D was already made: "A" by ana', [point, made], { type: 'DECISION', decision_id: 'D', choice: 'B' }, 409],
    ['"C" is not an option of D (A, B)', [point], { type: 'DECISION', decision_id: 'D', choice: 'C' }, 409],
    ['Decision not found: E', [point], { type: 'DECISION', decision_id: 'E', choice: 'A' }, 409],
  ])('"%s", on both transports', async (text, events, command, status) => {
    const server = await startServer();
    await publish(server, 's', events);
    const operator = await operatorOf(server);
    const answer = await operator.ask('command', { session_id: 's', ...command });
    expect(answer).toMatchObject({ success: false, error: text, code: status === 400 ? 'INVALID' : 'CONFLICT' });
    operator.socket.emit('command', { session_id: 's', ...command });
    await operator.until('two results', () => operator.all('command:result').length === 2);
    expect(operator.all('command:result')[1]).toMatchObject({ success: false, error: text });
    const overHttp = await http('POST', `${server.url}/api/sessions/s/commands`, command);
    expect(overHttp).toMatchObject({ status, body: { success: false, error: text } });
  });

  test.each<[string, Record<string, unknown>, string]>([
    ['steps of -5', { type: 'ROLLBACK', steps: -5 }, 'steps'],
    ['steps of 1,001', { type: 'ROLLBACK', steps: 1_001 }, 'steps'],
    ['steps of a half', { type: 'ROLLBACK', steps: 0.5 }, 'steps'],
    ['steps and a checkpoint', { type: 'ROLLBACK', steps: 1, checkpoint_id: 'c' }, 'steps'],
    ['a position that is a banana', { type: 'INJECT', skill_name: 'x', position: 'banana' }, 'position'],
    ['parameters that are a list', { type: 'INJECT', skill_name: 'x', parameters: [] }, 'parameters'],
    ['a timeout of 0', { type: 'HALT', timeout_ms: 0 }, 'timeout_ms'],
    ['a timeout of an hour', { type: 'HALT', timeout_ms: 3_600_000 }, 'timeout_ms'],
    ['a command_id of 129 characters', { type: 'HALT', command_id: 'x'.repeat(129) }, 'command_id'],
    ['a session id with a space', { type: 'HALT', session_id: 'a b' }, 'session_id'],
    ['a reason that is no text', { type: 'HALT', reason: {} }, 'reason'],
  ])('%s names the field', async (_what, command, field) => {
    const server = await serverWithSession();
    const answer = await (await operatorOf(server)).ask('command', { session_id: 's', ...command });
    expect(answer).toMatchObject({ success: false, code: 'INVALID' });
    expect(answer['error']).toContain(field);
    expect(await typesOf(server)).toEqual(['execution:started']);
  });

  test('an unknown session, and no session at all', async () => {
    const server = await startServer();
    const operator = await operatorOf(server);
    expect(await operator.ask('command', { type: 'HALT', session_id: 'X' })).toMatchObject({
      success: false,
      error: 'Session not found: X',
      code: 'NOT_FOUND',
    });
    expect(await operator.ask('command', { type: 'rollback' })).toMatchObject({ error: 'session_id is required for rollback' });
    expect((await http('POST', `${server.url}/api/sessions/X/commands`, { type: 'HALT' })).status).toBe(404);
    expect((await http('GET', `${server.url}/api/sessions/X/commands`)).status).toBe(404);
    expect((await http('GET', `${server.url}/api/sessions`)).body).toMatchObject({ total: 0 });
  });

  test('a session that is deleted while somebody waits for a command of it', async () => {
    const server = await serverWithSession();
    const operator = await operatorOf(server);
    const orchestrator = await attachOrchestrator(server.url);
    orchestrator.answer = () => undefined;
    const waiting = send(operator, { type: 'ROLLBACK' });
    await expect.poll(() => orchestrator.executed.length).toBe(1);
    await http('DELETE', `${server.url}/api/sessions/s`);
    expect(await waiting).toMatchObject({ success: false, code: 'NOT_FOUND', error: 'Session not found: s' });
  });

  test('a refused command is in the ledger, with who sent it', async () => {
    const server = await serverWithSession();
    await send(await operatorOf(server), { type: 'RESUME', command_id: 'r' });
    const { body } = await http('GET', `${server.url}/api/sessions/s/commands?status=rejected`);
    expect(body).toMatchObject({
      total: 1,
      commands: [{ command_id: 'r', command_type: 'RESUME', status: 'rejected', by: 'ana', error: 'Cannot resume - execution is running' }],
    });
  });

  test('more than 100 unfinished commands', async () => {
    const server = await serverWithSession();
    const operator = await operatorOf(server);
    await Promise.all(Array.from({ length: 100 }, () => send(operator, { type: 'INJECT', skill_name: 'x', timeout_ms: 1 })));
    expect(await send(operator, { type: 'INJECT', skill_name: 'x' })).toMatchObject({ success: false, code: 'LIMIT_REACHED' });
    expect(await send(operator, { type: 'HALT' }), 'a HALT must get through').toMatchObject({ success: true });
  });
});

describe('the session that is meant', () => {
  test('is the only live one', async () => {
    const server = await serverWithSession();
    await publish(server, 'over', { type: 'execution:completed', data: {} });
    const operator = await operatorOf(server);
    expect(await operator.ask('command', { type: 'halt' })).toMatchObject({ success: true, session_id: 's' });
  });

  test('is not guessed among several: the error names them', async () => {
    const server = await serverWithSession();
    await publish(server, 't', started);
    const operator = await operatorOf(server);
    const error = 'session_id is required: 2 sessions are live (s, t)';
    expect(await operator.ask('command', { type: 'halt' })).toMatchObject({ success: false, error, code: 'INVALID' });
    const browser = await connectClient(server.url);
    expect(await browser.ask('command', { type: 'halt' })).toMatchObject({ success: false, error });
  });

  test('is the one that the connection is subscribed to', async () => {
    const server = await serverWithSession();
    await publish(server, 't', started);
    const operator = await operatorOf(server);
    await operator.ask('subscribe', { session_id: 't' });
    expect(await operator.ask('command', { type: 'halt' })).toMatchObject({ success: true, session_id: 't' });
    await operator.ask('subscribe', { session_id: 's' });
    expect(await operator.ask('command', { type: 'resume' })).toMatchObject({ success: false, code: 'INVALID' });
  });

  test('"*" is every live session, each with its own answer', async () => {
    const server = await serverWithSession();
    await publish(server, 't', [started, { type: 'execution:halted', data: {} }]);
    await publish(server, 'over', { type: 'execution:completed', data: {} });
    const operator = await operatorOf(server);
    const answer = await operator.ask<{ results: CommandResult[] }>('command', { type: 'RESUME', session_id: '*', command_id: 'all' });
    expect(answer).toMatchObject({ success: false, session_id: '*', command_type: 'RESUME' });
    expect(answer.results.map(({ session_id, status, command_id }) => [session_id, status, command_id])).toEqual([
      ['s', 'rejected', 'all'],
      ['t', 'applied', 'all'],
    ]);
    expect(await operator.ask('command', { type: 'HALT', session_id: '*' })).toMatchObject({ success: true });
    expect([(await stateOf(server)).status, (await stateOf(server, 't')).status, (await stateOf(server, 'over')).status]).toEqual([
      'halted',
      'halted',
      'completed',
    ]);
  });

  test('one session that cannot take a command for all does not hide the others', async () => {
    const server = await serverWithSession();
    await publish(server, 't', started);
    const operator = await operatorOf(server);
    await send(operator, { type: 'HALT', command_id: 'taken' });
    const answer = await operator.ask<{ results: CommandResult[] }>('command', {
      type: 'INJECT',
      skill_name: 'x',
      session_id: '*',
      command_id: 'taken',
      timeout_ms: 50,
    });
    expect(answer).toMatchObject({ success: false });
    expect(answer.results).toMatchObject([
      { session_id: 's', success: false, code: 'CONFLICT' },
      { session_id: 't', success: true, status: 'queued' },
    ]);
  });
});

describe('the same command_id', () => {
  test('again is the same command: nothing happens twice, the answer is where it stands', async () => {
    const server = await serverWithSession();
    const orchestrator = await attachOrchestrator(server.url);
    orchestrator.answer = () => undefined;
    const operator = await operatorOf(server);
    const command = { type: 'INJECT', skill_name: 'x', command_id: 'c' };
    const waiting = [send(operator, command), send(operator, command), send(await operatorOf(server), command)];
    await expect.poll(() => orchestrator.executed.length).toBe(1);
    expect(await send(operator, { ...command, timeout_ms: 20 })).toMatchObject({ status: 'delivered' });
    await orchestrator.update({ command_id: 'c', session_id: 's' }, { status: 'applied', result: 7 });
    for (const answer of await Promise.all(waiting)) expect(answer).toMatchObject({ status: 'applied', result: 7 });
    expect(await send(operator, command)).toMatchObject({ status: 'applied', result: 7 });
    await server.restart();
    const later = await operatorOf(server);
    expect(await send(later, command)).toMatchObject({ status: 'applied', result: 7 });
    expect((await typesOf(server)).filter((type) => type === 'skill:injected')).toHaveLength(1);
    expect(orchestrator.executed).toHaveLength(1);
  });

  test('is known long after it has left the list of 200', async () => {
    const server = await serverWithSession();
    const operator = await operatorOf(server);
    const first = await send(operator, { type: 'HALT', reason: 'the first', command_id: 'old' });
    await send(operator, { type: 'RESUME', command_id: 'old-resume' });
    for (let n = 0; n < 125; n++) {
      await send(operator, { type: 'HALT', command_id: `h${n}` });
      await send(operator, { type: 'RESUME', command_id: `r${n}` });
    }
    expect((await stateOf(server)).commands.some((command) => command.command_id === 'old')).toBe(false);
    const again = await send(operator, { type: 'HALT', reason: 'the first', command_id: 'old' });
    expect(again).toMatchObject({ status: 'applied', command_id: 'old', acknowledged_by: first.acknowledged_by });
    expect((await stateOf(server)).status).toBe('running');
    const { body } = await http<{ commands: { command_id: string }[]; total: number }>(
      'GET',
      `${server.url}/api/sessions/s/commands?limit=1000`,
    );
    expect(body.total).toBe(252);
    expect(body.commands[0]).toMatchObject({ command_id: 'old', status: 'applied', parameters: { reason: 'the first' }, by: 'ana' });
    expect((await http('GET', `${server.url}/api/sessions/s/commands?limit=0`)).body).toMatchObject({ commands: [], total: 252 });
  });

  test('with another type is a conflict', async () => {
    const server = await serverWithSession();
    const operator = await operatorOf(server);
    await send(operator, { type: 'HALT', command_id: 'c' });
    expect(await send(operator, { type: 'RESUME', command_id: 'c' })).toMatchObject({ success: false, code: 'CONFLICT' });
    expect((await stateOf(server)).status).toBe('halted');
  });
});

describe('expiry', () => {
  test('a command that is not delivered in its time is expired, and is not delivered after that', async () => {
    const server = await serverWithSession({ commandExpiryMs: 150 });
    const operator = await operatorOf(server);
    const ask = () => send(operator, { type: 'INJECT', skill_name: 'x', command_id: 'c' });
    await expect
      .poll(ask)
      .toMatchObject({ success: false, status: 'expired', code: 'EXPIRED', error: 'It was not delivered within 0.15 s' });
    const orchestrator = await attachOrchestrator(server.url);
    expect(await send(operator, { type: 'INJECT', skill_name: 'y', command_id: 'd' })).toMatchObject({ status: 'applied' });
    expect(orchestrator.executed.map((each) => each.command_id)).toEqual(['d']);
    expect(await orchestrator.update({ command_id: 'c', session_id: 's' }, { status: 'applied' })).toMatchObject({ code: 'CONFLICT' });
  });

  test('one that a program was sent, which never said so, may have been carried out', async () => {
    const server = await serverWithSession({ commandExpiryMs: 150 });
    const orchestrator = await attachOrchestrator(server.url);
    Object.assign(orchestrator, { acknowledges: false, answer: () => undefined });
    const operator = await operatorOf(server);
    const ask = () => send(operator, { type: 'INJECT', skill_name: 'x', command_id: 'c', timeout_ms: 10 });
    const error = expect.stringMatching(
      /^It was sent to \S+, which did not say within 0\.15 s that it has it: it may have been carried out$/,
    );
    await expect.poll(ask).toMatchObject({ success: false, status: 'expired', error });
  });

  test('its time goes on while the server is away', async () => {
    const server = await serverWithSession({ commandExpiryMs: 300 });
    await send(await operatorOf(server), { type: 'ROLLBACK', command_id: 'c', timeout_ms: 10 });
    await server.restart();
    const operator = await operatorOf(server);
    await expect.poll(() => send(operator, { type: 'ROLLBACK', command_id: 'c' })).toMatchObject({ status: 'expired' });
  });

  test('a delivered command does not expire', async () => {
    const server = await serverWithSession({ commandExpiryMs: 100 });
    const orchestrator = await attachOrchestrator(server.url);
    orchestrator.answer = () => undefined;
    const operator = await operatorOf(server);
    expect(await send(operator, { type: 'ROLLBACK', command_id: 'c', timeout_ms: 400 })).toMatchObject({ status: 'delivered' });
  });
});
