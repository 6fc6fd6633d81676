import { afterEach, beforeEach, describe, expect, test } from 'vitest';
import { connectOperator, type Operator } from '../../src/client/operator.ts';
import { connectPublisher } from '../../src/client/orchestrator/publisher.ts';
import type { CommandInput } from '../../src/core/protocol/command.ts';
import { attachOrchestrator } from '../helpers/test-orchestrator.ts';
import { startServer, until, type RestartableServer } from './restartable-server.ts';

let server: RestartableServer;
let operator: Operator;

beforeEach(async () => {
  server = await startServer();
  const publisher = await connectPublisher({ url: server.url, session: 's' });
  await publisher.publish('execution:started', {});
  await publisher.close();
  operator = await connectOperator({ url: server.url, session: 's', client: 'ana' });
});

afterEach(async () => {
  await operator.close();
  await server.remove();
});

describe('an operator', () => {
  test('gets the answer, and the same answer for the same id', async () => {
    const first = await operator.send({ type: 'HALT', reason: 'lunch', command_id: 'h1' });
    expect(first).toMatchObject({
      success: true,
      command_type: 'HALT',
      command_id: 'h1',
      session_id: 's',
      status: 'applied',
      acknowledged_by: 'server',
    });
    expect(await operator.send({ type: 'HALT', reason: 'lunch', command_id: 'h1' })).toMatchObject({ command_id: 'h1', status: 'applied' });
    const halts = (await server.history('s')).filter((event) => event.type === 'execution:halted');
    expect(halts.map((event) => event.data)).toMatchObject([{ reason: 'lunch', initiated_by: 'ana' }]);
  });

  test('gets an answer that is not a success, and an error for what is no command', async () => {
    expect(await operator.send({ type: 'RESUME' })).toMatchObject({
      success: false,
      status: 'rejected',
      error: 'Cannot resume - execution is running',
    });
    await expect(operator.send({ type: 'HLAT' } as unknown as CommandInput)).rejects.toMatchObject({
      code: 'INVALID',
      message: 'Unknown command type: HLAT',
    });
    await expect(operator.send({ type: 'HALT', session_id: 'nobody' })).rejects.toMatchObject({ code: 'NOT_FOUND' });
  });

  test('sends again what was not applied, and takes back what waits for a program', async () => {
    await operator.send({ type: 'RESUME', command_id: 'early' });
    await operator.send({ type: 'HALT' });
    expect(await operator.resend({ session_id: 's', resend_of: 'early' })).toMatchObject({ status: 'applied', command_type: 'RESUME' });
    await operator.send({ type: 'INJECT', skill_name: 'x', command_id: 'waits' });
    const cancelled = await operator.cancel({ session_id: 's', command_id: 'waits' });
    expect(cancelled).toMatchObject({ success: true, command: { status: 'cancelled', cancelled_by: 'ana' } });
    await expect(operator.resend({ session_id: 's', resend_of: 'none' })).rejects.toMatchObject({ code: 'NOT_FOUND' });
  });

  test('reaches every live session with *', async () => {
    expect(await operator.send({ type: 'HALT', session_id: '*' })).toMatchObject({
      success: true,
      session_id: '*',
      results: [{ session_id: 's', status: 'applied' }],
    });
  });

  test('sends again what was under way during a restart; it happens once', async () => {
    await server.stop();
    await until(() => operator.connection.status !== 'live', 'the loss');
    const sent = operator.send({ type: 'HALT' }, { timeoutMs: 10_000 });
    await server.start();
    expect(await sent).toMatchObject({ status: 'applied' });
    const waiting = operator.send({ type: 'REDIRECT', target_skill: 'docs', command_id: 'r1', timeout_ms: 1_000 }, { timeoutMs: 10_000 });
    await until(() => operator.connection.status === 'live', 'the return');
    await new Promise((resolve) => setTimeout(resolve, 100));
    await server.restart();
    expect(await waiting).toMatchObject({ command_id: 'r1', status: 'queued' });
    const queued = (await server.history('s')).filter((event) => event.type === 'command:queued' && event.data['command_id'] === 'r1');
    expect(queued.length).toBe(1);
  });

  test('says whether a command may have taken effect when the server stays away', async () => {
    const orchestrator = await attachOrchestrator(server.url);
    orchestrator.answer = () => undefined;
    const waiting = operator.send({ type: 'REDIRECT', target_skill: 'docs' }, { timeoutMs: 600 });
    await new Promise((resolve) => setTimeout(resolve, 100));
    await server.stop();
    await expect(waiting).rejects.toMatchObject({ code: 'TIMEOUT', message: 'no answer to REDIRECT in 600 ms; it may still take effect' });
    await expect(operator.send({ type: 'HALT' }, { timeoutMs: 300 })).rejects.toMatchObject({ code: 'UNREACHABLE' });
    await operator.close();
    await expect(operator.send({ type: 'HALT' })).rejects.toMatchObject({ code: 'UNREACHABLE' });
  });
});
