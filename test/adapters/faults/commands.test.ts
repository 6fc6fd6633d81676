import { expect, test } from 'vitest';
import { adapters } from '../../../src/adapters/adapters.ts';
import { HookedAgent, isAnswered } from '../../helpers/hooked-agent.ts';
import { startServer } from '../../helpers/start-server.ts';

const permission = { tool_name: 'Bash', tool_input: { command: 'npm publish' } };

async function startAgent() {
  const agent = new HookedAgent(await startServer());
  await agent.say('UserPromptSubmit', { prompt: 'build the shop' });
  return agent;
}

async function askPermission(agent: HookedAgent) {
  await agent.call('t1', permission).answer;
  const hook = agent.fire('PermissionRequest', permission);
  const { decisions } = await agent.until((state) => state.decisions.length === 1);
  const [decision] = decisions;
  if (decision === undefined) throw new Error('no decision');
  return { hook, decision, id: decision.decision_id };
}

test('7: HALT lists what it has stopped, and what goes on', async () => {
  const agent = await startAgent();
  await agent.call('build').answer;
  await agent.say('SubagentStart', { agent_id: 'sub', agent_type: 'general-purpose' });
  const halt = agent.command('HALT');
  await agent.until(({ status }) => status === 'halting');
  agent.call('own');
  await agent.untilCalled('own');
  expect((await agent.state()).status).toBe('halting');
  agent.call('subs', { agent_id: 'sub' });
  const { result } = await halt;
  expect(result).toMatchObject({ state: 'held', in_flight: [{ tool_id: 'build', tool_name: 'Bash' }] });
  expect((result as { held: string[] }).held.toSorted()).toEqual(['sub', 'the agent']);
});

test('8: sub-agents are held by HALT too, and a question for permission names the agent that asks', async () => {
  const agent = await startAgent();
  await agent.call('a1', { tool_name: 'Agent', tool_input: { description: 'd', prompt: 'p' } }).answer;
  for (const agent_id of ['sub1', 'sub2']) await agent.say('SubagentStart', { agent_id, agent_type: 'general-purpose' });
  await agent.call('s1', { agent_id: 'sub1', ...permission }).answer;
  const asks = agent.fire('PermissionRequest', { agent_id: 'sub1', ...permission });
  await agent.until(({ decisions }) => decisions[0]?.agent_id === 'sub1');
  const halt = agent.command('HALT');
  await agent.until(({ status }) => status === 'halting');
  const held = agent.call('s2', { agent_id: 'sub2' });
  expect(await halt).toMatchObject({ status: 'applied', result: { state: 'held', in_flight: [] } });
  expect([await isAnswered(asks), await isAnswered(held)]).toEqual([false, false]);
});

test('10: a command without effect ends as failed with its reason, and never silently', async () => {
  const agent = await startAgent();
  expect(await agent.command('STOP')).toMatchObject({ success: false, status: 'failed', error: expect.stringMatching(/\w+/) as string });
  expect(await agent.command('ROLLBACK')).toMatchObject({
    success: false,
    status: 'failed',
    error: expect.stringMatching(/\w+/) as string,
  });
  expect(await agent.command('RESUME')).toMatchObject({ success: false, status: 'rejected' });
});

test('15 and 16: the terminal and an operator race; the first answer wins, and the other one is told', async () => {
  const first = await startAgent();
  const { id: won, hook } = await askPermission(first);
  expect(await first.command('DECISION', { decision_id: won, choice: 'allow' })).toMatchObject({ status: 'applied' });
  expect(await hook.answer).toMatchObject({ hookSpecificOutput: { decision: { behavior: 'allow' } } });

  const second = await startAgent();
  const { id, hook: given } = await askPermission(second);
  given.giveUp();
  await second.until(({ decisions }) => decisions[0]?.status === 'made');
  expect(await second.command('DECISION', { decision_id: id, choice: 'allow' })).toMatchObject({
    status: 'rejected',
    error: `Decision ${id} was already made: "terminal" by terminal`,
  });

  const third = await startAgent();
  const asked = await askPermission(third);
  await third.done('t1', permission);
  expect(await asked.hook.answer).toEqual({});
  expect((await third.state()).decisions[0]).toMatchObject({ choice: 'allow', made_by: 'terminal' });
});

test('17: an agent waits longer for each hook than the server holds it; a late answer is refused with a reason', async () => {
  for (const adapter of Object.values(adapters)) {
    for (const { holdMs, mostMs } of Object.values(adapter.events)) expect(mostMs === undefined || holdMs < mostMs).toBe(true);
  }
  const agent = await startAgent();
  const { id, hook } = await askPermission(agent);
  hook.giveUp();
  await agent.until(({ decisions }) => decisions[0]?.status === 'made');
  expect(await agent.command('DECISION', { decision_id: id, choice: 'deny' })).toMatchObject({ status: 'rejected', code: 'CONFLICT' });
});

test("18: a question has a deadline before its hook's, and a default that leaves it to the agent's own prompt", async () => {
  const agent = await startAgent();
  const { decision, hook, id } = await askPermission(agent);
  const waitMs = Date.parse(decision.deadline ?? '') - Date.parse(decision.asked_at);
  expect(decision.default).toBe('terminal');
  expect(waitMs).toBeGreaterThan(0);
  expect(waitMs).toBeLessThan(adapters['claude-code']?.events['PermissionRequest']?.holdMs ?? 0);
  // As the server writes it when the deadline has come.
  await agent.publish({ type: 'decision:made', data: { decision_id: id, choice: 'terminal', made_by: 'timeout' } });
  expect(await hook.answer).toEqual({});
});

test('19: what a stray key would choose is never what lets something happen', async () => {
  const agent = await startAgent();
  const { decision } = await askPermission(agent);
  expect(decision.options[0]?.id).toBe('deny');
  expect(decision.options.every(({ recommended }) => !recommended)).toBe(true);
});
