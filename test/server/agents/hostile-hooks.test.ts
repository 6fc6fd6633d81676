import { describe, expect, test } from 'vitest';
import { agentLimits } from '../../../src/core/protocol/limits.ts';
import { HookedAgent } from '../../helpers/hooked-agent.ts';
import { startServer } from '../../helpers/start-server.ts';

const asking = { tool_name: 'AskUserQuestion', tool_use_id: 'q' };

describe('a hook that says more than one session takes', () => {
  test('as thousands of questions, is left to the prompt of the agent at once: nobody could answer it here', async () => {
    const agent = new HookedAgent(await startServer());
    const questions = Array.from({ length: 3_000 }, (_, index) => ({ question: `${index}?`, options: [{ label: 'yes' }] }));
    expect(await agent.say('PermissionRequest', { ...asking, tool_input: { questions } })).toEqual({});
    expect((await agent.state()).decisions ?? []).toEqual([]);
  });

  test('as thousands of questions to a halted agent, is held, and let go by RESUME', async () => {
    const agent = new HookedAgent(await startServer());
    await agent.say('UserPromptSubmit', { prompt: 'build' });
    const halt = agent.command('HALT');
    await agent.until(({ status }) => status === 'halting');
    const questions = Array.from({ length: 3_000 }, (_, index) => ({ question: `${index}?`, options: [{ label: 'yes' }] }));
    const held = agent.fire('PermissionRequest', { ...asking, tool_input: { questions } });
    expect(await halt).toMatchObject({ status: 'applied', result: { held: ['the agent'] } });
    expect(await agent.command('RESUME')).toMatchObject({ result: { released: 1 } });
    expect(await held.answer).toEqual({});
  });
});

test('a session that is just being heard makes no room for others: its call is held where commands reach it', async () => {
  const server = await startServer();
  const agents = Array.from({ length: agentLimits.attended + 20 }, (_, index) => new HookedAgent(server, { name: `n${index}` }));
  const calls = agents.map((agent) => agent.fire('PermissionRequest', { tool_name: 'Bash', tool_use_id: 't', tool_input: {} }));
  const refused = calls.map(({ answer }) =>
    answer.then(
      () => 'answered',
      () => 'refused',
    ),
  );
  // Those that found no room are refused at once; each of the others is attached, and can be answered.
  const isOver = new Set<number>();
  refused.forEach((each, index) => void each.then((how) => how === 'refused' && isOver.add(index)));
  await expect.poll(() => isOver.size, { timeout: 20_000, interval: 50 }).toBe(20);
  for (const [index, agent] of agents.entries()) {
    // Of a thousand some are enough.
    if (isOver.has(index) || index % 97 !== 0) continue;
    await agent.until(({ decisions }) => decisions?.length === 1);
    await agent.command('DECISION', { decision_id: 'permission-t-1', choice: 'deny' });
    expect(await calls[index]!.answer).toMatchObject({ hookSpecificOutput: {} });
  }
  for (const call of calls) call.giveUp();
});
