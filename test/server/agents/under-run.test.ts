import { expect, test } from 'vitest';
import { hookHeaders } from '../../../src/adapters/hook-headers.ts';
import { HookedAgent, isAnswered } from '../../helpers/hooked-agent.ts';
import { publish, startServer, type TestServer } from '../../helpers/start-server.ts';
import { attachOrchestrator } from '../../helpers/test-orchestrator.ts';

/** A session of `run`, and an agent that `run` has started. */
async function startUnderRun() {
  const server = await startServer();
  const run = await attachOrchestrator(server.url, { session_id: 'build', instance_id: 'run-1', capabilities: ['HALT', 'RESUME'] });
  await publish(server, 'build', { type: 'execution:started', data: { task: 'claude' } });
  return { server, run, agent: agentOf(server, 'one') };
}

function agentOf(server: TestServer, name: string): HookedAgent {
  const headers = { [hookHeaders.session]: 'build', [hookHeaders.run]: 'run-1' };
  return new HookedAgent(server, { name, session: 'build', headers });
}

test('an agent under run is in the session of run, attached under it; run begins and ends the session', async () => {
  const { agent } = await startUnderRun();
  await agent.say('SessionStart', { source: 'startup', model: 'claude-sonnet-4-5' });
  await agent.say('UserPromptSubmit', { prompt: 'build the shop' });
  await agent.say('SessionEnd', { reason: 'other' });
  const { status, task, orchestrator, delegate, model } = await agent.state();
  expect([status, task, orchestrator?.instance_id, delegate?.instance_id, model]).toEqual([
    'running',
    'claude',
    'run-1',
    'claude-code',
    'claude-sonnet-4-5',
  ]);
  expect((await agent.types()).filter((type) => type === 'execution:started' || type === 'execution:completed')).toHaveLength(1);
});

test('HALT is for run, which freezes the tree, and the hooks of the agent are held too; INJECT is for the agent', async () => {
  const { agent, run } = await startUnderRun();
  await agent.say('UserPromptSubmit', { prompt: 'build the shop' });
  expect(await agent.command('HALT')).toMatchObject({ status: 'applied', acknowledged_by: 'run-1' });
  const held = agent.call('t1');
  await agent.untilCalled('t1');
  expect(await isAnswered(held)).toBe(false);
  const injected = agent.command('INJECT', { skill_name: 'lint' });
  await agent.until(({ commands }) => commands.find(({ command_type }) => command_type === 'INJECT')?.delivered_to === 'claude-code');
  expect(await agent.command('RESUME')).toMatchObject({ status: 'applied', acknowledged_by: 'run-1' });
  expect(JSON.stringify(await held.answer)).toContain('lint');
  expect(await injected).toMatchObject({ status: 'applied', acknowledged_by: 'claude-code' });
  expect(run.executed.map(({ type }) => type)).toEqual(['HALT', 'RESUME']);
});

test('a further agent in the same session is an agent of it, with calls of its own', async () => {
  const { server, agent } = await startUnderRun();
  await agent.say('UserPromptSubmit', { prompt: 'build the shop' });
  const nested = agentOf(server, 'nested-session');
  await nested.say('UserPromptSubmit', { prompt: 'a part of it' });
  await nested.call('n1').answer;
  await agent.call('t1').answer;
  const { agents, tools } = await agent.state();
  expect(agents).toMatchObject([{ agent_id: 'claude-code-nested-s', role: 'claude-code', status: 'running' }]);
  expect(tools.map(({ tool_id, agent_id }) => [tool_id, agent_id])).toEqual([
    ['n1', 'claude-code-nested-s'],
    ['t1', null],
  ]);
  await nested.say('SessionEnd', { reason: 'other' });
  expect((await agent.state()).agents[0]?.status).toBe('completed');
});

test('a program under run that attaches itself keeps its place: the agent is seen, and steered through what the session says', async () => {
  const { server, agent } = await startUnderRun();
  await attachOrchestrator(server.url, { session_id: 'build', instance_id: 'sdk', capabilities: ['INJECT'], under: 'run-1' });
  await agent.say('UserPromptSubmit', { prompt: 'build the shop' });
  expect((await agent.state()).delegate?.instance_id).toBe('sdk');
  await agent.command('HALT');
  const held = agent.call('t1');
  await agent.untilCalled('t1');
  expect(await isAnswered(held)).toBe(false);
  await agent.command('RESUME');
  expect(await held.answer).toEqual({});
});
