import { afterEach, beforeEach, expect, test, vi } from 'vitest';
import { connectOperator } from '../../src/client/operator.ts';
import { connectOrchestrator } from '../../src/client/orchestrator/orchestrator.ts';
import type { Orchestrator } from '../../src/client/orchestrator/orchestrator-contract.ts';
import { connectWatcher } from '../../src/client/watcher/watcher.ts';
import { pause, startServer, until, type RestartableServer } from './restartable-server.ts';

let server: RestartableServer;
let supervisor: Orchestrator;
let program: Orchestrator;
const open: { close(): Promise<void> }[] = [];

/** A supervisor as `run` is one, and a program under it. */
beforeEach(async () => {
  server = await startServer();
  supervisor = await connectOrchestrator({ url: server.url, session: 's', instanceId: 'supervisor' });
  supervisor.onCommand('ROLLBACK', () => 'by the supervisor');
  vi.stubEnv('SHANNON_DASH_URL', server.url);
  vi.stubEnv('SHANNON_DASH_SESSION', 's');
  vi.stubEnv('SHANNON_DASH_RUN', 'supervisor');
  program = await connectOrchestrator({ instanceId: 'program' });
  open.push(supervisor, program);
});

afterEach(async () => {
  vi.unstubAllEnvs();
  await Promise.all(open.splice(0).map((each) => each.close()));
  await server.remove();
});

test('a supervised program takes the commands that it has handlers for, its supervisor the others', async () => {
  const operator = await connectOperator();
  open.push(operator);
  program.onCommand('REDIRECT', ({ target_skill }) => `now ${target_skill}`);
  await pause(200);
  expect(await operator.send({ type: 'REDIRECT', target_skill: 'docs' })).toMatchObject({ acknowledged_by: 'program', result: 'now docs' });
  expect(await operator.send({ type: 'ROLLBACK' })).toMatchObject({ acknowledged_by: 'supervisor', result: 'by the supervisor' });
  expect(await operator.send({ type: 'HALT' })).toMatchObject({ acknowledged_by: 'supervisor' });
  expect(supervisor.isHalted).toBe(true);
  expect(program.isHalted).toBe(false);
  expect(await operator.send({ type: 'RESUME' })).toMatchObject({ acknowledged_by: 'supervisor' });
  const deciding = program.decide({ decisionId: 'd', question: 'Go?', options: ['yes', 'no'] });
  await program.flush();
  expect(await operator.send({ type: 'DECISION', decision_id: 'd', choice: 'no' })).toMatchObject({ acknowledged_by: 'program' });
  expect(await deciding).toMatchObject({ choice: 'no' });
});

test('both come back after a restart of the server', async () => {
  const superseded: string[] = [];
  supervisor.onSuperseded(() => superseded.push('supervisor'));
  program.onSuperseded(() => superseded.push('program'));
  await server.restart();
  await Promise.all([supervisor.emit('note:made', { by: 'supervisor' }), program.emit('note:made', { by: 'program' })]);
  expect(superseded).toEqual([]);
  const operator = await connectOperator();
  open.push(operator);
  expect(await operator.send({ type: 'HALT' })).toMatchObject({ acknowledged_by: 'supervisor' });
});

test('a checkpoint waits for the snapshot that the supervisor takes', async () => {
  vi.stubEnv('SHANNON_DASH_CHECKPOINTS', 'git');
  const watcher = await connectWatcher({ session: 's', eventTypes: ['checkpoint:created'] });
  open.push(watcher);
  watcher.onUpdate((update) => {
    if (update.kind !== 'events') return;
    for (const { data } of update.events) {
      const isSaved = data['label'] !== 'bad';
      void supervisor.emit(isSaved ? 'checkpoint:saved' : 'checkpoint:failed', {
        checkpoint_id: String(data['checkpoint_id']),
        error: 'no git here',
      });
    }
  });
  const id = await program.checkpoint({ label: 'good' });
  const events = await server.history('s');
  expect(events.findLast((event) => event.type === 'checkpoint:saved')?.data['checkpoint_id']).toBe(id);
  await expect(program.checkpoint({ label: 'bad', checkpointId: 'c2' })).rejects.toThrow('checkpoint c2: no git here');
  const late = program.checkpoint({ label: 'good' });
  await server.restart();
  await late;
  await until(() => program.connection.status === 'live', 'the return');
});
