import { afterEach, beforeEach, describe, expect, test } from 'vitest';
import { connectOperator, type Operator } from '../../src/client/operator.ts';
import { connectOrchestrator } from '../../src/client/orchestrator/orchestrator.ts';
import type { Orchestrator, OrchestratorOptions } from '../../src/client/orchestrator/orchestrator-contract.ts';
import type { CommandInput, CommandResult } from '../../src/core/protocol/command.ts';
import { pause, startServer, until, type RestartableServer } from './restartable-server.ts';
import { eventPhrase } from '../../src/view/text/event-phrase.ts';

let server: RestartableServer;
const open: { close(): Promise<void> }[] = [];

beforeEach(async () => {
  server = await startServer();
});

afterEach(async () => {
  await Promise.all(open.splice(0).map((client) => client.close()));
  await server.remove();
});

async function orchestrate(options: OrchestratorOptions = {}): Promise<Orchestrator> {
  const run = await connectOrchestrator({ url: server.url, session: 's', ...options });
  open.push(run);
  return run;
}

async function operate(): Promise<Operator> {
  const operator = await connectOperator({ url: server.url, session: 's', client: 'ana' });
  open.push(operator);
  return operator;
}

async function send(operator: Operator, command: CommandInput): Promise<CommandResult> {
  return (await operator.send(command)) as CommandResult;
}

/** Tells whether a promise is settled a moment later. */
async function isPending(promise: Promise<unknown>): Promise<boolean> {
  const pending = Symbol('pending');
  const first = await Promise.race([promise.catch(() => undefined), pause(100).then(() => pending)]);
  return first === pending;
}

const types = async (prefix = '') => (await server.history('s')).map((event) => event.type).filter((type) => type.startsWith(prefix));

describe('publishing', () => {
  test('tells the story of a run', async () => {
    const run = await orchestrate();
    await run.start({ task: 'build', total_steps: 2 });
    const agent = run.agent('builder', { role: 'coder' });
    const result = await run.skill('compile', async ({ progress }) => {
      progress(50, 'half');
      return { files: 3 };
    });
    expect(result).toEqual({ files: 3 });
    await expect(
      run.skill('test', () => {
        throw new Error('3 tests failed');
      }),
    ).rejects.toThrow('3 tests failed');
    void agent.completed();
    expect(await run.checkpoint({ label: 'before the end', checkpointId: 'c1' })).toBe('c1');
    await run.close('failed', { error: new Error('3 tests failed') });
    const events = await server.history('s');
    expect(events.map((event) => event.type)).toEqual([
      'orchestrator:attached',
      'execution:started',
      'agent:spawned',
      'skill:started',
      'skill:progress',
      'skill:completed',
      'skill:started',
      'skill:failed',
      'agent:completed',
      'checkpoint:created',
      'execution:failed',
      'orchestrator:detached',
    ]);
    expect(events[5]?.data).toMatchObject({ skill_name: 'compile', result: { files: 3 }, duration: expect.any(Number) as number });
    expect(events[7]?.data).toMatchObject({ skill_name: 'test', error: '3 tests failed' });
    expect(events[10]?.data).toEqual({ error: '3 tests failed' });
  });

  test('loses and doubles nothing over restarts of the server', async () => {
    const run = await orchestrate();
    const emitted: Promise<{ seq: number }>[] = [];
    for (let number = 1; number <= 4_000; number++) {
      emitted.push(run.emit('note:made', { number }));
      if (number === 1_000 || number === 2_500) await server.restart();
      if (number % 100 === 0) await pause(1);
    }
    const places = await Promise.all(emitted);
    const notes = (await server.history('s')).filter((event) => event.type === 'note:made');
    expect(notes.map((event) => event.data['number'])).toEqual(Array.from({ length: 4_000 }, (_, index) => index + 1));
    expect(notes.map((event) => event.seq)).toEqual(places.map((place) => place.seq));
  });

  test('ends a skill whose result is no JSON, and tells of the fault', async () => {
    const run = await orchestrate();
    const problems: string[] = [];
    run.onProblem(({ error }) => problems.push(error.code));
    const circular: Record<string, unknown> = {};
    circular['self'] = circular;
    expect(await run.skill('odd', () => circular)).toBe(circular);
    await run.flush();
    expect(await types('skill:')).toEqual(['skill:started', 'skill:completed']);
    expect(problems).toEqual(['INVALID']);
  });
});

describe('the gate', () => {
  test('closes with HALT and opens with RESUME', async () => {
    const run = await orchestrate({ instanceId: 'one' });
    const operator = await operate();
    await run.start();
    await run.gate();
    expect(await send(operator, { type: 'HALT', reason: 'lunch' })).toMatchObject({
      status: 'applied',
      acknowledged_by: 'one',
      result: { gate: 'closed' },
    });
    const passing = run.gate();
    expect(await isPending(passing)).toBe(true);
    expect(run.isHalted).toBe(true);
    expect(await send(operator, { type: 'RESUME' })).toMatchObject({ status: 'applied', result: { gate: 'open' } });
    await passing;
    expect(await types('execution:')).toEqual(['execution:started', 'execution:halting', 'execution:halted', 'execution:resumed']);
  });

  test('rejects with the reason of a signal', async () => {
    const run = await orchestrate();
    const operator = await operate();
    await send(operator, { type: 'HALT' });
    const abort = new AbortController();
    const passing = run.gate({ signal: abort.signal });
    abort.abort(new Error('enough'));
    await expect(passing).rejects.toThrow('enough');
  });

  test('is closed before a HALT handler runs, and opens after a RESUME handler', async () => {
    const run = await orchestrate();
    const operator = await operate();
    const seen: unknown[] = [];
    run.onCommand('HALT', async ({ reason, by }) => {
      seen.push(['halt', reason, by, run.isHalted]);
      return { saved: true };
    });
    run.onCommand('RESUME', () => seen.push(['resume', run.isHalted]));
    await run.start();
    expect(await send(operator, { type: 'HALT', reason: 'lunch' })).toMatchObject({ status: 'applied', result: { saved: true } });
    expect(await send(operator, { type: 'RESUME' })).toMatchObject({ status: 'applied' });
    expect(seen).toEqual([
      ['halt', 'lunch', 'ana', true],
      ['resume', true],
    ]);
    expect(run.isHalted).toBe(false);
  });

  test('opens again when the HALT handler fails, as the status does', async () => {
    const run = await orchestrate();
    const operator = await operate();
    run.onCommand('HALT', () => {
      throw new Error('cannot stop now');
    });
    await run.start();
    expect(await send(operator, { type: 'HALT' })).toMatchObject({ success: false, status: 'failed', error: 'cannot stop now' });
    await run.gate();
  });

  test('follows what the server applied while nobody was attached', async () => {
    const first = await orchestrate();
    await first.start();
    await first.close();
    const operator = await operate();
    expect(await send(operator, { type: 'HALT', reason: 'night' })).toMatchObject({ acknowledged_by: 'server' });
    const run = await orchestrate();
    const halts: unknown[] = [];
    run.onCommand('HALT', ({ reason, by }) => halts.push([reason, by]));
    const passing = run.gate();
    expect(await isPending(passing)).toBe(true);
    expect(halts).toEqual([['night', 'ana']]);
    await send(operator, { type: 'RESUME' });
    await passing;
  });

  test('stays open when the server has not heard yet that a RESUME was done', async () => {
    const run = await orchestrate();
    const operator = await operate();
    const halts: unknown[] = [];
    run.onCommand('HALT', (command) => halts.push(command));
    const release = Promise.withResolvers<void>();
    run.onCommand('RESUME', () => release.promise);
    await run.start();
    await send(operator, { type: 'HALT' });
    const resumed = operator.send({ type: 'RESUME' }, { timeoutMs: 10_000 });
    await pause(100);
    await server.stop();
    release.resolve();
    await pause(50);
    await server.start();
    expect(await resumed).toMatchObject({ status: 'applied' });
    await run.gate();
    expect(halts.length).toBe(1);
    expect((await types('execution:')).at(-1)).toBe('execution:resumed');
  });

  test('waits while the server is away, and stays closed over its restart', async () => {
    const run = await orchestrate();
    const operator = await operate();
    await run.start();
    await server.stop();
    await until(() => run.connection.status !== 'live', 'the loss');
    const passing = run.gate();
    expect(await isPending(passing)).toBe(true);
    await server.start();
    await passing;
    await send(operator, { type: 'HALT' });
    await server.restart();
    await until(() => run.connection.status === 'live', 'the return');
    expect(await isPending(run.gate({ signal: AbortSignal.timeout(300) }))).toBe(true);
  });
});

describe('a session that is deleted', () => {
  const remove = () => fetch(`${server.url}/api/sessions/s`, { method: 'DELETE' });

  test('lets go on what is halted in it, also when the HALT is still under way', async () => {
    const run = await orchestrate();
    const operator = await operate();
    let deletions = 0;
    run.onDeleted(() => deletions++);
    await run.start();
    await send(operator, { type: 'HALT' });
    const passing = run.gate();
    await remove();
    await passing;
    await run.start();
    const isHalting = Promise.withResolvers<void>();
    const done = Promise.withResolvers<void>();
    run.onCommand('HALT', () => {
      isHalting.resolve();
      return done.promise;
    });
    const resumed: unknown[] = [];
    run.onCommand('RESUME', (command) => resumed.push(command));
    const halt = expect(operator.send({ type: 'HALT' })).rejects.toMatchObject({ code: 'NOT_FOUND' });
    await isHalting.promise;
    await remove();
    await halt;
    done.resolve();
    await run.gate();
    expect([resumed.length, deletions]).toEqual([1, 2]);
  });

  test('is there again with a question that waits for its answer', async () => {
    const run = await orchestrate();
    const operator = await operate();
    const decided = run.decide({ question: 'Go?', options: ['yes', 'no'], decisionId: 'd' });
    await expect.poll(() => types('decision:')).toEqual(['decision:point']);
    await remove();
    await expect.poll(() => types('decision:').catch(() => [])).toEqual(['decision:point']);
    await send(operator, { type: 'DECISION', decision_id: 'd', choice: 'yes' });
    expect(await decided).toMatchObject({ choice: 'yes', made_by: 'ana' });
  });
});

describe('commands', () => {
  test('reach their handler once, and its result or error comes back', async () => {
    const run = await orchestrate({ instanceId: 'one' });
    const operator = await operate();
    const got: unknown[] = [];
    run.onCommand('REDIRECT', (command) => {
      got.push(command);
      return { switched: true };
    });
    run.onCommand('ROLLBACK', () => {
      throw new Error('nothing to undo');
    });
    expect(await send(operator, { type: 'REDIRECT', target_skill: 'docs', command_id: 'r1' })).toMatchObject({
      status: 'applied',
      result: { switched: true },
    });
    expect(got).toEqual([{ command_id: 'r1', type: 'REDIRECT', session_id: 's', by: 'ana', target_skill: 'docs' }]);
    expect(await send(operator, { type: 'REDIRECT', target_skill: 'docs', command_id: 'r1' })).toMatchObject({ status: 'applied' });
    expect(got.length).toBe(1);
    expect(await send(operator, { type: 'ROLLBACK' })).toMatchObject({ success: false, status: 'failed', error: 'nothing to undo' });
  });

  test('without a handler fail with a sentence', async () => {
    await orchestrate({ instanceId: 'one' });
    const operator = await operate();
    expect(await send(operator, { type: 'INJECT', skill_name: 'x' })).toMatchObject({
      status: 'failed',
      error: 'no handler for INJECT in one',
    });
  });

  test('that waited for an orchestrator find a handler registered a little later', async () => {
    const operator = await operate();
    await (await orchestrate({ instanceId: 'early' })).close();
    expect(await operator.send({ type: 'REDIRECT', target_skill: 'docs', timeout_ms: 50 })).toMatchObject({ status: 'queued' });
    const run = await orchestrate();
    await run.start();
    const got: string[] = [];
    run.onCommand('REDIRECT', ({ target_skill }) => got.push(String(target_skill)));
    await until(() => got.length === 1, 'the command');
    await run.flush();
    expect(await types('command:')).toEqual(['command:queued', 'command:delivered', 'command:applied']);
  });

  test('under way during a restart are done once, and their end is told afterwards', async () => {
    const run = await orchestrate();
    const operator = await operate();
    let runs = 0;
    const release = Promise.withResolvers<void>();
    run.onCommand('REDIRECT', async () => {
      runs++;
      await release.promise;
      return 'done';
    });
    const sent = operator.send({ type: 'REDIRECT', target_skill: 'docs', command_id: 'r1' }, { timeoutMs: 15_000 });
    await until(() => runs === 1, 'the handler');
    await server.restart();
    await until(() => run.connection.status === 'live', 'the return');
    await pause(100);
    await server.stop();
    release.resolve();
    await pause(50);
    await server.start();
    expect(await sent).toMatchObject({ command_id: 'r1', status: 'applied', result: 'done' });
    expect(runs).toBe(1);
    expect(await types('command:')).toEqual(['command:queued', 'command:delivered', 'command:applied']);
  });

  test('that a former process of the same instance had taken fail instead of running twice', async () => {
    const former = await connectOrchestrator({ url: server.url, session: 's', instanceId: 'one' });
    const operator = await operate();
    former.onCommand('REDIRECT', () => new Promise(() => undefined));
    expect(await operator.send({ type: 'REDIRECT', target_skill: 'docs', command_id: 'r1', timeout_ms: 300 })).toMatchObject({
      status: 'delivered',
    });
    void former.close(undefined, { timeoutMs: 1 });
    const run = await orchestrate({ instanceId: 'one' });
    let runs = 0;
    run.onCommand('REDIRECT', () => runs++);
    expect(await send(operator, { type: 'REDIRECT', target_skill: 'docs', command_id: 'r1' })).toMatchObject({
      status: 'failed',
      error: 'the program was started again while it carried this out; it may have taken effect',
    });
    expect(runs).toBe(0);
  });

  test('are announced by their types', async () => {
    const run = await orchestrate();
    run.onCommand('INJECT', () => undefined);
    run.onCommand('REDIRECT', () => undefined);
    await until(() => run.state?.orchestrator?.capabilities.includes('REDIRECT') === true, 'the second announcement');
    expect(run.state?.orchestrator?.capabilities).toEqual(['HALT', 'RESUME', 'DECISION', 'INJECT', 'REDIRECT']);
    const told = (await server.history('s')).filter(({ type }) => type.startsWith('orchestrator:'));
    expect(told.map((event) => eventPhrase(event).text)).toEqual([
      expect.stringMatching(/^the program has connected/),
      expect.stringMatching(/^the program carries out HALT, RESUME, DECISION, INJECT, REDIRECT/),
    ]);
  });
});

describe('a newer orchestrator', () => {
  test('takes the session over; the older can publish no more', async () => {
    const older = await orchestrate({ instanceId: 'older' });
    const superseded: string[] = [];
    older.onSuperseded((error) => superseded.push(error.message));
    await older.start();
    const newer = await orchestrate({ instanceId: 'newer' });
    await until(() => superseded.length === 1, 'the news');
    expect(superseded).toEqual(['newer has taken over s']);
    await expect(older.emit('note:made', {})).rejects.toMatchObject({ code: 'SUPERSEDED' });
    await older.gate();
    expect(older.connection.status).toBe('closed');
    await newer.emit('note:made', {});
  });

  test('is respected by an older one that was away meanwhile', async () => {
    const older = await orchestrate({ instanceId: 'older' });
    const superseded: string[] = [];
    older.onSuperseded((error) => superseded.push(error.code));
    await server.stop();
    const late = older.emit('note:made', { from: 'older' });
    const starting = connectOrchestrator({ url: server.url, session: 's', instanceId: 'newer' });
    await server.start();
    const newer = await starting;
    open.push(newer);
    await pause(300);
    if (superseded.length === 0) {
      // The older one was faster; then the newer one has taken the session from it.
      await until(() => superseded.length === 1, 'the news');
    }
    await late.catch((error: unknown) => expect(error).toMatchObject({ code: 'SUPERSEDED' }));
    await newer.emit('note:made', { from: 'newer' });
  });
});

describe('a decision', () => {
  test('is made by an operator', async () => {
    const run = await orchestrate();
    const operator = await operate();
    const deciding = run.decide({ decisionId: 'd1', question: 'Migrate?', options: ['migrate', 'skip'] });
    await run.flush();
    expect(await send(operator, { type: 'DECISION', decision_id: 'd1', choice: 'skip', comment: 'later' })).toMatchObject({
      status: 'applied',
    });
    expect(await deciding).toEqual({ choice: 'skip', made_by: 'ana', comment: 'later' });
    expect(await types('decision:')).toEqual(['decision:point', 'decision:made']);
    expect(await run.decide({ decisionId: 'd1', question: 'Migrate?', options: ['migrate', 'skip'] })).toMatchObject({ choice: 'skip' });
  });

  test('is made by the server at its deadline', async () => {
    const run = await orchestrate();
    const decided = await run.decide({ question: 'Go?', options: ['yes', 'no'], default: 'no', timeoutMs: 100 });
    expect(decided).toEqual({ choice: 'no', made_by: 'timeout' });
    expect(await types('decision:')).toEqual(['decision:point', 'decision:made']);
  });

  test('of two at once gets its own answer, over a restart in between', async () => {
    const run = await orchestrate();
    const operator = await operate();
    const one = run.decide({ decisionId: 'd1', question: 'One?', options: ['a', 'b'] });
    const two = run.decide({ decisionId: 'd2', question: 'Two?', options: ['a', 'b'] });
    await run.flush();
    await send(operator, { type: 'DECISION', decision_id: 'd2', choice: 'b' });
    expect(await two).toMatchObject({ choice: 'b' });
    await server.restart();
    await operator.send({ type: 'DECISION', decision_id: 'd1', choice: 'a' }, { timeoutMs: 10_000 });
    expect(await one).toMatchObject({ choice: 'a', made_by: 'ana' });
  });

  test('made by the server while nobody was attached is found on the return', async () => {
    const run = await orchestrate();
    const deciding = run.decide({ decisionId: 'd1', question: 'One?', options: ['a', 'b'] });
    await run.close();
    await expect(deciding).rejects.toMatchObject({ code: 'UNREACHABLE' });
    const operator = await operate();
    await send(operator, { type: 'DECISION', decision_id: 'd1', choice: 'b' });
    const again = await orchestrate();
    expect(await again.decide({ decisionId: 'd1', question: 'One?', options: ['a', 'b'] })).toMatchObject({ choice: 'b', made_by: 'ana' });
  });

  test('takes its default at the deadline while the server is away, and says so later', async () => {
    const run = await orchestrate();
    await server.stop();
    await until(() => run.connection.status !== 'live', 'the loss');
    const decided = await run.decide({ question: 'Go?', options: ['yes', 'no'], default: 'yes', timeoutMs: 100 });
    expect(decided).toEqual({ choice: 'yes', made_by: 'timeout' });
    await server.start();
    await run.flush();
    const made = (await server.history('s')).filter((event) => event.type === 'decision:made');
    expect(made[0]?.data).toMatchObject({ choice: 'yes', made_by: 'timeout' });
  });

  test('is given up by its signal, and refused when it makes no sense', async () => {
    const run = await orchestrate();
    await expect(run.decide({ question: 'Go?', options: ['a'], signal: AbortSignal.timeout(50) })).rejects.toThrow(/timeout/);
    await expect(run.decide({ question: 'Go?', options: [] })).rejects.toMatchObject({ code: 'INVALID' });
    await expect(run.decide({ question: 'Go?', options: ['a'], default: 'b' })).rejects.toThrow('"b" is not an option');
  });
});

describe('without a server', () => {
  test('a program that may continue does so after a while, and its events arrive in the end', async () => {
    await server.stop();
    const run = await orchestrate({ onUnreachable: 'continue', unreachableMs: 200 });
    expect(run.connection.status).toBe('connecting');
    await run.gate();
    const started = run.start({ task: 'offline' });
    expect(await run.decide({ question: 'Go?', options: ['yes', 'no'], default: 'yes' })).toEqual({
      choice: 'yes',
      made_by: 'unreachable',
    });
    await expect(run.decide({ question: 'Go?', options: ['yes', 'no'] })).rejects.toMatchObject({ code: 'UNREACHABLE' });
    await server.start();
    await started;
    await run.flush();
    expect(await types()).toEqual(['orchestrator:attached', 'execution:started', 'decision:point', 'decision:made', 'decision:point']);
  });

  test('a HALT that was acknowledged stays in force', async () => {
    const run = await orchestrate({ onUnreachable: 'continue', unreachableMs: 100 });
    const operator = await operate();
    await send(operator, { type: 'HALT' });
    await server.stop();
    await pause(300);
    expect(await isPending(run.gate({ signal: AbortSignal.timeout(300) }))).toBe(true);
  });

  test('an unawaited event that is refused goes to onProblem and harms nobody', async () => {
    const run = await orchestrate();
    const problems: string[] = [];
    run.onProblem(({ error, event }) => problems.push(`${error.code} ${event?.type}`));
    void run.emit('skill:started', {} as { skill_name: string });
    void run.emit('command:applied', { command_id: 'c', command_type: 'HALT' });
    await run.emit('note:made', {});
    expect(problems).toEqual(['INVALID skill:started', 'INVALID command:applied']);
  });
});
