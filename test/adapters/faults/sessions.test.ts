import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { join } from 'node:path';
import { expect, onTestFinished, test } from 'vitest';
import { hookHeaders } from '../../../src/adapters/hook-headers.ts';
import { HookedAgent, isAnswered } from '../../helpers/hooked-agent.ts';
import { startServerProcess } from '../../helpers/server-process.ts';
import { startServer } from '../../helpers/start-server.ts';
import { temporaryFolder } from '../../helpers/temporary-folder.ts';

const idle = { background_tasks: [] };

test('1: a session that was resumed outside is taken up by its first hook, whichever that is, and is idle after its turn', async () => {
  const agent = new HookedAgent(await startServer());
  await agent.call('t1').answer;
  const { status, orchestrator, tools, folder, labels } = await agent.state();
  expect([status, orchestrator?.attached, tools[0]?.status, folder, labels]).toEqual(['running', true, 'running', 'shop', ['claude-code']]);
  await agent.done('t1');
  await agent.say('Stop', idle);
  expect((await agent.state()).waiting).toMatchObject({ reason: 'idle', inferred: false });
});

test('1: a session that has ended and is resumed is the same session again', async () => {
  const agent = new HookedAgent(await startServer());
  await agent.say('UserPromptSubmit', { prompt: 'build the shop' });
  await agent.say('Stop', idle);
  await agent.say('SessionEnd', { reason: 'other' });
  expect((await agent.until(({ orchestrator }) => orchestrator?.attached === false)).status).toBe('completed');
  await agent.say('SessionStart', { source: 'resume', model: 'claude-sonnet-4-5' });
  const { status, orchestrator, task, model } = await agent.state();
  expect([status, orchestrator?.attached, task, model]).toEqual(['running', true, 'build the shop', 'claude-sonnet-4-5']);
});

test('2: a row is never idle while a tool runs: sessions that hook at the same time are each folded from their own events', async () => {
  const server = await startServer();
  const agents = ['one', 'two', 'three'].map((name) => new HookedAgent(server, { name }));
  await Promise.all(
    agents.flatMap((agent) => [agent.say('UserPromptSubmit', { prompt: agent.session }), agent.call('a').answer, agent.call('b').answer]),
  );
  await agents[0]?.done('a');
  await agents[1]?.done('a');
  await agents[1]?.done('b');
  await agents[1]?.say('Stop', idle);
  const states = await Promise.all(agents.map((agent) => agent.state()));
  expect(states.map(({ tools }) => tools.filter(({ status }) => status === 'running').length)).toEqual([1, 0, 2]);
  expect(states.map(({ waiting }) => waiting?.reason ?? null)).toEqual([null, 'idle', null]);
  expect(states.map(({ task }) => task)).toEqual(agents.map(({ session }) => session));
});

test('3: a turn that ends without a word is ended by what says that the prompt is idle, and that is marked as inferred', async () => {
  const agent = new HookedAgent(await startServer());
  await agent.say('UserPromptSubmit', { prompt: 'build' });
  await agent.say('SubagentStart', { agent_id: 'sub', agent_type: 'general-purpose' });
  const held = agent.call('t1');
  await held.answer;
  await agent.say('Notification', { notification_type: 'idle_prompt', message: 'Claude is waiting for your input' });
  const { waiting, tools, agents, status } = await agent.state();
  expect(waiting).toMatchObject({ reason: 'idle', inferred: true });
  expect([status, tools[0]?.status, agents[0]?.status]).toEqual(['running', 'lost', 'completed']);
  await agent.say('Notification', { notification_type: 'idle_prompt', message: 'Claude is waiting for your input' });
  expect((await agent.types()).filter((type) => type === 'agent:waiting')).toHaveLength(1);
});

test('4: tasks in the background keep a session running when its turn ends, without flapping', async () => {
  const agent = new HookedAgent(await startServer());
  const background_tasks = [{ id: 'b1', type: 'shell', status: 'running', description: 'npm run dev' }];
  await agent.say('UserPromptSubmit', { prompt: 'start it' });
  await agent.say('Stop', { background_tasks });
  expect(await agent.state()).toMatchObject({
    status: 'running',
    waiting: null,
    message: 'its turn is over; 1 in the background: npm run dev',
  });
  await agent.say('UserPromptSubmit', { prompt: '<task-notification>\n<task-id>b1</task-id>' });
  await agent.say('Stop', idle);
  const { status, waiting, messages } = await agent.state();
  expect([status, waiting?.reason, messages.user]).toEqual(['running', 'idle', 1]);
});

test('5: a turn that ends while sub-agents work is not the end: nothing is idle or completed before the last of them', async () => {
  const agent = new HookedAgent(await startServer());
  await agent.say('UserPromptSubmit', { prompt: 'both parts' });
  for (const agent_id of ['sub1', 'sub2']) await agent.say('SubagentStart', { agent_id, agent_type: 'general-purpose' });
  await agent.say('Stop');
  expect(await agent.state()).toMatchObject({ status: 'running', waiting: null });
  await agent.say('SubagentStop', { agent_id: 'sub1', last_assistant_message: 'one is done' });
  await agent.say('Stop');
  expect((await agent.state()).waiting).toBeNull();
  await agent.say('SubagentStop', { agent_id: 'sub2' });
  await agent.say('Stop');
  expect((await agent.state()).waiting).toMatchObject({ reason: 'idle' });
  await agent.say('SessionEnd', { reason: 'other' });
  expect(await agent.state()).toMatchObject({ status: 'completed', agents: [{ status: 'completed' }, { status: 'completed' }] });
});

test('5: a session that is closed while it works has failed, and is not said to be completed', async () => {
  const agent = new HookedAgent(await startServer());
  await agent.say('UserPromptSubmit', { prompt: 'build' });
  await agent.say('SessionEnd', { reason: 'prompt_input_exit' });
  expect(await agent.state()).toMatchObject({ status: 'failed', error: 'It was ended (prompt_input_exit) while it worked' });
});

test('6: an agent whose process is gone is told of at once, and lost after a while; it is never said to have stopped', async () => {
  const server = await startServer({ lostAfterMs: 300 });
  const process = spawn('sleep', ['1000']);
  onTestFinished(() => void process.kill('SIGKILL'));
  const agent = new HookedAgent(server, { headers: { [hookHeaders.pid]: String(process.pid) } });
  await agent.say('UserPromptSubmit', { prompt: 'build' });
  await agent.call('t1').answer;
  process.kill('SIGKILL');
  await once(process, 'exit');
  const lost = await agent.until(({ status }) => status === 'lost');
  const [detached] = (await agent.events()).filter(({ type }) => type === 'orchestrator:detached');
  expect(detached?.data).toMatchObject({ code: 'connection_lost', reason: "the agent's process has ended" });
  expect([lost.tools[0]?.status, lost.orchestrator?.attached]).toEqual(['lost', false]);
  expect(await agent.types()).not.toContain('execution:completed');
});

test('12: the work of sub-agents is seen, each with its calls; a limit that ends a turn is shown', async () => {
  const agent = new HookedAgent(await startServer());
  await agent.say('UserPromptSubmit', { prompt: 'both parts' });
  await agent.call('a1', { tool_name: 'Agent', tool_input: { description: 'first part', prompt: 'do', subagent_type: 'general-purpose' } })
    .answer;
  await agent.say('SubagentStart', { agent_id: 'sub', agent_type: 'general-purpose' });
  await agent.call('s1', { agent_id: 'sub' }).answer;
  await agent.done('s1', { agent_id: 'sub', duration_ms: 1_500 });
  await agent.say('StopFailure', { error: 'rate_limit', error_details: 'limit reached' });
  const { agents, tools, waiting } = await agent.state();
  expect(agents).toMatchObject([{ agent_id: 'sub', role: 'general-purpose', task: 'first part', status: 'running' }]);
  expect(tools.find(({ tool_id }) => tool_id === 's1')).toMatchObject({ agent_id: 'sub', status: 'completed', duration_ms: 1_500 });
  expect(waiting).toMatchObject({ reason: 'error', message: 'rate_limit: limit reached' });
});

test('13: an agent runs on without a server, and its next hook takes the session up again, halted as it was', async () => {
  const journal = join(await temporaryFolder(), 'journal.sqlite');
  const first = await startServerProcess(journal);
  const before = new HookedAgent(first);
  await before.say('UserPromptSubmit', { prompt: 'build' });
  await before.call('t1').answer;
  const asked = before.fire('PermissionRequest', { tool_name: 'Bash', tool_input: { command: 'npm test' } });
  await before.until(({ decisions }) => decisions.length === 1);
  void before.command('HALT').catch(() => undefined);
  await before.until(({ status }) => status === 'halted');
  const held = before.call('t2');
  await before.untilCalled('t2');
  await first.end('SIGKILL');
  await expect(held.answer).rejects.toThrow();
  await expect(asked.answer).rejects.toThrow();

  const second = await startServerProcess(journal);
  const after = new HookedAgent(second);
  const next = after.call('t3');
  await after.untilCalled('t3');
  expect(await isAnswered(next)).toBe(false);
  const { status, orchestrator, decisions } = await after.state();
  expect([status, orchestrator?.attached]).toEqual(['halted', true]);
  expect(decisions[0]).toMatchObject({ status: 'made', choice: 'terminal', made_by: 'server' });
  expect(await after.command('RESUME')).toMatchObject({ status: 'applied', acknowledged_by: 'claude-code' });
  expect(await next.answer).toEqual({});
});
