import { describe, expect, test } from 'vitest';
import { HookedAgent, isAnswered } from '../../helpers/hooked-agent.ts';
import { startServer } from '../../helpers/start-server.ts';

async function startAgent() {
  const server = await startServer();
  const agent = new HookedAgent(server);
  await agent.say('UserPromptSubmit', { prompt: 'build the shop' });
  return { server, agent };
}

test('RESUME takes a HALT back that waits for a call to end', async () => {
  const { agent } = await startAgent();
  await agent.call('t1').answer;
  expect(await agent.command('HALT', { timeout_ms: 50 })).toMatchObject({ status: 'delivered' });
  expect(await agent.command('RESUME')).toMatchObject({ status: 'applied', result: { released: 0 } });
  const { status, halt, commands } = await agent.state();
  expect([status, halt]).toEqual(['running', null]);
  expect(commands[0]).toMatchObject({
    command_type: 'HALT',
    status: 'failed',
    error: expect.stringContaining('taken back by RESUME') as string,
  });
});

describe('HALT', () => {
  test('is delivered while a call is under way, and applied once the next one is held; RESUME lets it go on', async () => {
    const { agent } = await startAgent();
    await agent.call('t1').answer;
    const early = await agent.command('HALT', { reason: 'lunch', timeout_ms: 100 });
    expect(early).toMatchObject({ status: 'delivered', attached: true });
    expect((await agent.state()).status).toBe('halting');
    await agent.done('t1');
    const held = agent.call('t2');
    const state = await agent.until(({ status }) => status === 'halted');
    expect(state.commands[0]).toMatchObject({
      status: 'applied',
      acknowledged_by: 'claude-code',
      result: { state: 'held', held: ['the agent'], in_flight: [] },
    });
    expect(await isAnswered(held)).toBe(false);
    expect(await agent.command('RESUME')).toMatchObject({ status: 'applied', result: { released: 1 } });
    expect(await held.answer).toEqual({});
    expect((await agent.state()).status).toBe('running');
  });

  test('names what is still in flight beside the call that is held', async () => {
    const { agent } = await startAgent();
    await agent.call('long').answer;
    const halt = agent.command('HALT');
    await agent.until(({ status }) => status === 'halting');
    agent.call('next', { tool_input: { command: 'npm run lint' } });
    expect(await halt).toMatchObject({
      status: 'applied',
      result: { state: 'held', in_flight: [{ tool_name: 'Bash', tool_id: 'long', agent_id: null }] },
    });
  });

  test('of an idle agent is applied at once, and holds its next prompt', async () => {
    const { agent } = await startAgent();
    await agent.say('Stop', { background_tasks: [] });
    expect(await agent.command('HALT')).toMatchObject({ status: 'applied', result: { state: 'idle', held: [] } });
    const prompt = agent.fire('UserPromptSubmit', { prompt: 'and now?' });
    await agent.until(({ messages }) => messages.user === 2);
    expect(await isAnswered(prompt)).toBe(false);
    await agent.command('RESUME');
    expect(await prompt.answer).toEqual({});
  });

  test('with only tasks in the background left names them', async () => {
    const { agent } = await startAgent();
    await agent.say('Stop', { background_tasks: [{ id: 'b1', type: 'shell', status: 'running', description: 'npm run dev' }] });
    expect(await agent.command('HALT')).toMatchObject({ status: 'applied', result: { state: 'idle', background: ['npm run dev'] } });
  });

  test('is refused by the answers to what is held when the server stops, so that the agent stays at the gate', async () => {
    const { server, agent } = await startAgent();
    const halt = agent.command('HALT', { reason: 'look' });
    await agent.until(({ status }) => status === 'halting');
    const held = agent.call('t1');
    await halt;
    await server.close();
    expect(JSON.stringify(await held.answer)).toMatch(/"permissionDecision":"deny".*halted it: look.*make the same call again/);
  });
});

describe('a hook that can be held no longer', () => {
  async function startShort() {
    const agent = new HookedAgent(await startServer({ hookHoldMs: 300 }));
    await agent.say('UserPromptSubmit', { prompt: 'build the shop' });
    return agent;
  }

  test('is denied where the session is halted: the model is told to make the call again, and the next one is held as well', async () => {
    const agent = await startShort();
    const halt = agent.command('HALT', { reason: 'lunch' });
    await agent.until(({ status }) => status === 'halting');
    const first = agent.call('t1');
    await halt;
    expect(JSON.stringify(await first.answer)).toMatch(/"deny".*\(http\) has halted it: lunch.*make the same call again, which waits/);
    const again = agent.call('t2');
    await agent.untilCalled('t2');
    await agent.command('RESUME');
    expect(await again.answer).toEqual({});
  });

  test('refuses a prompt while the session is halted', async () => {
    const agent = await startShort();
    await agent.say('Stop', { background_tasks: [] });
    await agent.command('HALT');
    expect(await agent.say('UserPromptSubmit', { prompt: 'go' })).toMatchObject({
      decision: 'block',
      reason: expect.stringContaining('halted') as string,
    });
  });

  test("leaves a permission to the agent's own prompt", async () => {
    const agent = await startShort();
    expect(await agent.say('PermissionRequest', { tool_name: 'Bash', tool_input: { command: 'ls' } })).toEqual({});
    const { decisions } = await agent.until((state) => state.decisions[0]?.status === 'made');
    expect(decisions[0]).toMatchObject({ choice: 'terminal', made_by: 'timeout' });
  });
});

describe('REDIRECT', () => {
  test('denies the next call with the instructions, and no other', async () => {
    const { agent } = await startAgent();
    await agent.call('t1').answer;
    const sent = agent.command('REDIRECT', { target_path: 'docs/', instructions: 'leave the code alone' });
    await agent.until(({ commands }) => commands[0]?.status === 'delivered');
    expect(await agent.done('t1')).toEqual({});
    const answer = JSON.stringify(await agent.call('t2').answer);
    expect(answer).toMatch(/"permissionDecision":"deny".*docs\/.*leave the code alone/);
    expect(await sent).toMatchObject({ status: 'applied' });
    expect(await agent.call('t3').answer).toEqual({});
    const { tools, redirect } = await agent.state();
    expect(tools.find(({ tool_id }) => tool_id === 't2')).toMatchObject({
      status: 'failed',
      error: expect.stringMatching(/^denied: /) as string,
    });
    expect(redirect).toMatchObject({ target_path: 'docs/' });
  });

  test('keeps the turn from ending until it was taken, once', async () => {
    const { agent } = await startAgent();
    const sent = agent.command('REDIRECT', { target_skill: 'lint' });
    await agent.until(({ commands }) => commands[0]?.status === 'delivered');
    expect(await agent.say('Stop', { background_tasks: [] })).toMatchObject({
      decision: 'block',
      reason: expect.stringContaining('lint') as string,
    });
    expect(await sent).toMatchObject({ status: 'applied', result: 'it was told instead of ending its turn' });
    expect((await agent.state()).waiting).toBeNull();
    expect(await agent.say('Stop', { background_tasks: [], stop_hook_active: true })).toEqual({});
    expect((await agent.state()).waiting).toMatchObject({ reason: 'idle' });
  });
});

describe('INJECT', () => {
  test('goes out with the next answer that takes it, and is applied only then', async () => {
    const { agent } = await startAgent();
    await agent.call('t1').answer;
    const sent = agent.command('INJECT', { skill_name: 'run the linter', parameters: { path: 'src' } });
    await agent.until(({ commands }) => commands[0]?.status === 'delivered');
    const answer = JSON.stringify(await agent.done('t1'));
    expect(answer).toMatch(/additionalContext.*run the linter.*src/);
    expect(await sent).toMatchObject({ status: 'applied', result: 'it was told at PostToolUse' });
    expect(await agent.call('t2').answer).toEqual({});
  });

  test('that the agent did not take waits for the next chance', async () => {
    const { agent } = await startAgent();
    await agent.command('HALT', { timeout_ms: 50 });
    const held = agent.call('t1');
    await agent.until(({ status }) => status === 'halted');
    const sent = agent.command('INJECT', { skill_name: 'lint' });
    held.giveUp();
    await agent.command('RESUME');
    expect(JSON.stringify(await agent.call('t2').answer)).toContain('lint');
    expect(await sent).toMatchObject({ status: 'applied' });
  });
});

test('what a hook cannot do is said at once, with the reason', async () => {
  const { agent } = await startAgent();
  expect(await agent.command('ROLLBACK')).toMatchObject({
    status: 'failed',
    error: expect.stringContaining('--checkpoints git') as string,
  });
  expect(await agent.command('STOP')).toMatchObject({ status: 'failed', error: expect.stringContaining('HALT holds it') as string });
});

test('what was not carried out when the session ends is failed', async () => {
  const { agent } = await startAgent();
  await agent.say('Stop', { background_tasks: [] });
  await agent.command('INJECT', { skill_name: 'lint', timeout_ms: 50 });
  await agent.say('SessionEnd', { reason: 'prompt_input_exit' });
  const { status, commands, orchestrator } = await agent.until((state) => state.commands[0]?.status === 'failed');
  expect([status, orchestrator?.attached, commands[0]?.error]).toEqual([
    'completed',
    false,
    'The run ended (completed) before this was carried out',
  ]);
});

test('a session that is deleted lets go of what it held, and the next hook begins it anew', async () => {
  const { agent, server } = await startAgent();
  const halt = agent.command('HALT');
  await agent.until(({ status }) => status === 'halting');
  const held = agent.call('t1');
  await halt;
  await fetch(`${server.url}/api/sessions/${agent.session}`, { method: 'DELETE' });
  expect(await held.answer).toEqual({});
  expect(await agent.call('t2').answer).toEqual({});
  expect(await agent.state()).toMatchObject({
    status: 'running',
    halt: null,
    orchestrator: { attached: true },
    tools: [{ tool_id: 't2' }],
  });
});
