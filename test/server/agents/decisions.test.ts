import { describe, expect, test } from 'vitest';
import { HookedAgent, isAnswered } from '../../helpers/hooked-agent.ts';
import { startServer } from '../../helpers/start-server.ts';

const questions = [
  {
    question: 'Which color?',
    header: 'Color',
    multiSelect: false,
    options: [
      { label: 'Red', description: 'warm' },
      { label: 'Blue, dark', description: 'cold' },
    ],
  },
  {
    question: 'Which parts?',
    header: 'Parts',
    multiSelect: true,
    options: [
      { label: 'Core', description: 'c' },
      { label: 'View', description: 'v' },
      { label: 'Docs', description: 'd' },
    ],
  },
];
const rule = {
  type: 'addRules',
  rules: [{ toolName: 'Bash', ruleContent: 'npm test:*' }],
  behavior: 'allow',
  destination: 'localSettings',
};
const permission = { tool_name: 'Bash', tool_input: { command: 'npm test' }, permission_suggestions: [rule] };

async function startAgent() {
  const server = await startServer();
  const agent = new HookedAgent(server);
  await agent.say('UserPromptSubmit', { prompt: 'build the shop' });
  return { server, agent };
}

/** The agent calls a tool that needs permission, and asks for it. */
async function askPermission(agent: HookedAgent) {
  await agent.call('t1').answer;
  const hook = agent.fire('PermissionRequest', permission);
  const { decisions } = await agent.until((state) => state.decisions.length === 1);
  return { hook, id: decisions[0]?.decision_id ?? '', decision: decisions[0] };
}

function decide(agent: HookedAgent, decision_id: string, choice: string, comment?: string) {
  return agent.command('DECISION', { decision_id, choice, ...(comment === undefined ? {} : { comment }) });
}

describe('a question', () => {
  async function ask(agent: HookedAgent) {
    const tool = { tool_name: 'AskUserQuestion', tool_input: { questions } };
    await agent.call('q1', tool).answer;
    const hook = agent.fire('PermissionRequest', tool);
    const { decisions } = await agent.until((state) => state.decisions.length === 2);
    return { hook, decisions, ids: decisions.map(({ decision_id }) => decision_id) };
  }

  test('is a decision each, and the agent has all answers at once, several of one too', async () => {
    const { agent } = await startAgent();
    const { hook, decisions, ids } = await ask(agent);
    expect(decisions.map(({ options, multiple }) => [options.map(({ id }) => id), multiple])).toEqual([
      [['Red', 'option-2', 'other', 'terminal'], false],
      [['Core', 'View', 'Docs', 'other', 'terminal'], true],
    ]);
    const first = decide(agent, ids[0] ?? '', 'option-2');
    await agent.until(({ commands }) => commands[0]?.status === 'delivered');
    expect(await isAnswered(hook)).toBe(false);
    const second = await decide(agent, ids[1] ?? '', 'Core, Docs');
    expect(await hook.answer).toMatchObject({
      hookSpecificOutput: {
        decision: { behavior: 'allow', updatedInput: { answers: { 'Which color?': 'Blue, dark', 'Which parts?': 'Core, Docs' } } },
      },
    });
    expect([(await first).status, second.status]).toEqual(['applied', 'applied']);
    expect((await agent.state()).decisions.map(({ status, choice }) => [status, choice])).toEqual([
      ['made', 'option-2'],
      ['made', 'Core, Docs'],
    ]);
  });

  test('takes an answer in words, which need to be there', async () => {
    const { agent } = await startAgent();
    const { hook, ids } = await ask(agent);
    expect(await decide(agent, ids[0] ?? '', 'other')).toMatchObject({
      status: 'failed',
      error: expect.stringContaining('--comment') as string,
    });
    expect(await decide(agent, ids[0] ?? '', 'Green')).toMatchObject({ status: 'rejected' });
    void decide(agent, ids[0] ?? '', 'other', 'none of them');
    void decide(agent, ids[1] ?? '', 'View,other', 'the tests');
    expect(await hook.answer).toMatchObject({
      hookSpecificOutput: {
        decision: { updatedInput: { answers: { 'Which color?': 'none of them', 'Which parts?': 'View, the tests' } } },
      },
    });
  });

  test('that is left to the terminal is answered with nothing', async () => {
    const { agent } = await startAgent();
    const { hook, ids } = await ask(agent);
    await Promise.all(ids.map((id) => decide(agent, id, 'terminal')));
    expect(await hook.answer).toEqual({});
  });
});

describe('a permission', () => {
  test('names its call, and takes once, always and not', async () => {
    for (const [choice, expected] of [
      ['allow', { behavior: 'allow' }],
      ['always', { behavior: 'allow', updatedPermissions: [rule] }],
      ['deny', { behavior: 'deny', message: 'too early' }],
    ] as const) {
      const { agent } = await startAgent();
      const { hook, id, decision } = await askPermission(agent);
      expect(decision).toMatchObject({
        question: 'May Bash run? npm test',
        default: 'terminal',
        context: { hook: 'permission', tool_id: 't1' },
      });
      expect(await decide(agent, id, choice, 'too early')).toMatchObject({ status: 'applied' });
      expect(await hook.answer).toEqual({ hookSpecificOutput: { hookEventName: 'PermissionRequest', decision: expected } });
      if (choice === 'deny') await agent.until(({ tools }) => tools[0]?.status === 'failed');
    }
  });

  test('that is allowed while the session is halted waits until it is resumed', async () => {
    const { agent } = await startAgent();
    const { hook, id } = await askPermission(agent);
    expect(await agent.command('HALT')).toMatchObject({ status: 'applied', result: { state: 'held' } });
    const allowed = decide(agent, id, 'allow');
    await agent.until(({ commands }) => commands[1]?.status === 'delivered');
    expect(await isAnswered(hook)).toBe(false);
    await agent.command('RESUME');
    expect(await hook.answer).toMatchObject({ hookSpecificOutput: { decision: { behavior: 'allow' } } });
    expect(await allowed).toMatchObject({ status: 'applied' });
  });
});

test('a plan is approved, or goes back with what is to change', async () => {
  const { agent } = await startAgent();
  const plan = { tool_name: 'ExitPlanMode', tool_input: { plan: '1. build it' } };
  await agent.call('p1', plan).answer;
  const hook = agent.fire('PermissionRequest', plan);
  const { decisions } = await agent.until((state) => state.decisions.length === 1);
  expect(decisions[0]?.question).toBe('Approve this plan?\n\n1. build it');
  await decide(agent, decisions[0]?.decision_id ?? '', 'reject', 'tests first');
  expect(await hook.answer).toMatchObject({ hookSpecificOutput: { decision: { behavior: 'deny', message: 'tests first' } } });
});

test('a decision that a program of the agent asks for itself is made at once', async () => {
  const { agent, server } = await startAgent();
  const question = { type: 'decision:point', data: { decision_id: 'd', question: 'Go?', options: ['yes', 'no'] } };
  await fetch(`${server.url}/api/sessions/${agent.session}/events`, {
    method: 'POST',
    headers: { 'content-type': 'application/json' },
    body: JSON.stringify(question),
  });
  expect(await decide(agent, 'd', 'yes')).toMatchObject({ status: 'applied' });
  expect((await agent.state()).decisions[0]).toMatchObject({ status: 'made', choice: 'yes' });
});
