import { existsSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { expect, test } from 'vitest';
import { until } from '../cli/run-place.ts';
import { AgentScene } from './agent-scene.ts';
import { bash, colour, subAgent as sub } from './model/claude-code-calls.ts';
import type { Conversations, ToolCall } from './model/conversation.ts';

/** A call that lasts until the test makes a file. */
const lasting = (file: string) => bash(`until [ -e ${file} ]; do sleep 0.05; done`);
const question: ToolCall = {
  name: 'AskUserQuestion',
  input: {
    questions: [
      colour,
      {
        question: 'Which sizes?',
        header: 'Sizes',
        multiSelect: true,
        options: [
          { label: 'S', description: 'small' },
          { label: 'M', description: 'medium' },
        ],
      },
    ],
  },
};
const allowed = { args: ['--permission-mode', 'default', '--allowedTools', 'Bash,Agent,Write'] };
const asking = { args: ['--permission-mode', 'default'] };
const make = ({ home }: AgentScene, file: string) => writeFileSync(join(home.work, file), '');
const open = (conversations: Conversations, ...options: string[]) => AgentScene.open('claude-code', conversations, ...options);

/** What the model was told last in a conversation. */
const lastSaid = ({ model }: AgentScene, conversation = 'MAIN') => model.requestsOf(conversation).at(-1)?.said.join('\n');

/** The types of what was told of a session, and what tells one from another. */
async function told(scene: AgentScene): Promise<string[]> {
  return (await scene.events()).map(({ type, data }) => {
    const about = data['tool_id'] ?? data['path'] ?? data['text'] ?? data['reason'] ?? data['choice'] ?? '';
    return `${type} ${typeof about === 'string' ? about : ''}`.trim();
  });
}

test('start, prompt, parallel calls, a changed file and a failed call are seen; the session ends as the agent does', async () => {
  const scene = await open({
    MAIN: [
      { text: 'I will.', calls: [bash('echo one'), bash('echo two')] },
      { calls: [{ name: 'Write', input: { file_path: 'a.txt', content: 'x\ny\n' } }, bash('false')] },
      { text: 'All done.' },
    ],
  });
  expect(await scene.prompt('MAIN do the work', allowed).ended).toMatchObject({ code: 0 });
  const all = await told(scene);
  expect(all.filter((each) => !each.includes('toolu_0001'))).toEqual([
    'orchestrator:attached',
    'execution:started',
    'agent:waiting prompt',
    'execution:progress',
    'message:user MAIN do the work',
    'tool:started toolu_0002_0',
    'file:created a.txt',
    'tool:completed toolu_0002_0',
    'tool:started toolu_0002_1',
    'tool:failed toolu_0002_1',
    'message:assistant All done.',
    'agent:waiting idle',
    'execution:completed',
    'orchestrator:detached the session of the agent has ended',
  ]);
  // Both had begun before one had ended.
  expect(all.filter((each) => each.includes('toolu_0001')).toSorted()).toEqual([
    'tool:completed toolu_0001_0',
    'tool:completed toolu_0001_1',
    'tool:started toolu_0001_0',
    'tool:started toolu_0001_1',
  ]);
  const [session] = await scene.sessions();
  expect(session).toMatchObject({ status: 'completed', task: 'MAIN do the work', folder: 'work', branch: 'main', labels: ['claude-code'] });
});

test('a sub-agent in the background is an agent with calls of its own; the session works as long as it does', async () => {
  const scene = await open({
    MAIN: [{ calls: [sub('SUBA look')] }, { text: 'It looks.' }, { text: 'All done.' }],
    SUBA: [{ calls: [lasting('seen')] }, { text: 'Looked.' }],
  });
  const agent = scene.prompt('MAIN do the work', allowed);
  const inside = await scene.untilEvent('tool:started', ({ agent_id }) => agent_id !== undefined);
  await scene.untilEvent('message:assistant', ({ text }) => text === 'It looks.');
  expect(await scene.state()).toMatchObject({ status: 'running', waiting: null });
  make(scene, 'seen');
  expect(await agent.ended).toMatchObject({ code: 0 });
  const { agents, status } = await scene.state();
  expect(status).toBe('completed');
  expect(agents).toMatchObject([{ agent_id: inside.data['agent_id'], role: 'general-purpose', status: 'completed' }]);
  // The word of the task's end is no prompt of a person.
  expect((await scene.events('message:user')).map(({ data }) => data['text'])).toEqual(['MAIN do the work']);
});

test('HALT while a call runs is applied when the next call is held, and not before; RESUME lets it go', async () => {
  const scene = await open({ MAIN: [{ calls: [lasting('go')] }, { calls: [bash('echo after')] }, { text: 'All done.' }] });
  const agent = scene.prompt('MAIN do the work', allowed);
  await scene.untilEvent('tool:started');
  const halt = await scene.send('HALT', '--reason', 'lunch');
  await scene.untilRow(halt, 'delivered');
  make(scene, 'go');
  const row = await scene.untilRow(halt, 'applied');
  expect(row.result).toMatchObject({ state: 'held', in_flight: [] });
  const started = await scene.events('tool:started');
  expect(started).toHaveLength(2);
  // The row came no sooner than the hold.
  const applied = await scene.untilEvent('command:applied', ({ command_id }) => command_id === halt);
  expect(applied.seq).toBeGreaterThan(started[1]?.seq ?? Infinity);
  expect(await scene.state()).toMatchObject({ status: 'halted' });
  expect(await scene.events('tool:completed')).toHaveLength(1);
  const resume = await scene.send('RESUME');
  await scene.untilRow(resume, 'applied');
  expect(await agent.ended).toMatchObject({ code: 0 });
  expect(lastSaid(scene)).toContain('after');
  expect(await scene.state()).toMatchObject({ status: 'completed' });
});

test('HALT holds the sub-agent as well as the agent, and says so', async () => {
  const scene = await open({
    MAIN: [{ calls: [sub('SUBA look'), lasting('go')] }, { calls: [bash('echo main')] }, { text: 'All done.' }, { text: 'Bye.' }],
    SUBA: [{ calls: [lasting('go')] }, { calls: [bash('echo sub')] }, { text: 'Looked.' }],
  });
  const agent = scene.prompt('MAIN do the work', allowed);
  const inside = await scene.untilEvent('tool:started', ({ agent_id }) => agent_id !== undefined);
  await scene.untilEvent('tool:started', ({ tool_id }) => tool_id === 'toolu_0001_1');
  const halt = await scene.send('HALT');
  make(scene, 'go');
  const { result } = await scene.untilRow(halt, 'applied');
  const { held } = result as { held: string[] };
  expect(held.toSorted()).toEqual([String(inside.data['agent_id']), 'the agent'].toSorted());
  expect(scene.model.requestsOf('MAIN')).toHaveLength(2);
  await scene.untilRow(await scene.send('RESUME'), 'applied');
  expect(await agent.ended).toMatchObject({ code: 0 });
  expect(await scene.state()).toMatchObject({ status: 'completed' });
});

test('INJECT stands in the next request to the model, and is applied only then', async () => {
  const scene = await open({ MAIN: [{ calls: [lasting('go')] }, { text: 'All done.' }] });
  const agent = scene.prompt('MAIN do the work', allowed);
  await scene.untilEvent('tool:started');
  const inject = await scene.send('INJECT', '--skill', 'run-the-linter', '-p', 'level=2');
  await scene.untilRow(inject, 'delivered');
  expect(scene.model.requestsOf('MAIN')).toHaveLength(1);
  make(scene, 'go');
  await agent.ended;
  expect(scene.model.requestsOf('MAIN')[1]?.said.join('\n')).toContain('run-the-linter. Parameters: {"level":2}');
  expect(await scene.row(inject)).toMatchObject({ status: 'applied' });
});

test('REDIRECT denies the next call with the instructions, and the session goes on', async () => {
  const scene = await open({ MAIN: [{ calls: [lasting('go')] }, { calls: [bash('touch wrong')] }, { text: 'I turn round.' }] });
  const agent = scene.prompt('MAIN do the work', allowed);
  await scene.untilEvent('tool:started');
  const redirect = await scene.send('REDIRECT', '--skill', 'write-tests', '--instructions', 'begin with the parser');
  make(scene, 'go');
  await agent.ended;
  expect(scene.model.requestsOf('MAIN')[2]?.said.at(-1)).toMatch(
    /redirected it: the new goal is: write-tests. Instructions: begin with the parser/,
  );
  expect(await scene.row(redirect)).toMatchObject({ status: 'applied' });
  // The denied call never ran, and is not told as one that did.
  expect(await told(scene)).not.toContain('tool:completed toolu_0002_0');
});

test('REDIRECT of an agent that is about to stop keeps it from stopping', async () => {
  const scene = await open({ MAIN: [{ calls: [lasting('go')] }, { text: 'I think I am done.' }, { text: 'Now I am.' }] });
  const agent = scene.prompt('MAIN do the work', { args: ['--permission-mode', 'default', '--allowedTools', 'Bash'] });
  await scene.untilEvent('tool:started');
  const redirect = await scene.send('REDIRECT', '--skill', 'write-tests');
  make(scene, 'go');
  await agent.ended;
  expect(lastSaid(scene)).toContain('the new goal is: write-tests');
  expect(await scene.row(redirect)).toMatchObject({ status: 'applied' });
});

test('a permission is a decision: allowed it runs, denied the model reads why', async () => {
  const scene = await open({ MAIN: [{ calls: [bash('touch yes')] }, { calls: [bash('touch no')] }, { text: 'All done.' }] });
  const agent = scene.prompt('MAIN do the work', asking);
  const first = await scene.untilEvent('decision:point');
  expect(first.data).toMatchObject({ question: 'May Bash run? touch yes', context: { tool_id: 'toolu_0001_0' } });
  const allow = await scene.send('DECISION', '--decision', String(first.data['decision_id']), '--choice', 'allow');
  await scene.untilRow(allow, 'applied');
  const second = await scene.untilEvent('decision:point', ({ context }) => JSON.stringify(context).includes('touch no'));
  const deny = await scene.send('DECISION', '--decision', String(second.data['decision_id']), '--choice', 'deny', '--comment', 'not here');
  await scene.untilRow(deny, 'applied');
  await agent.ended;
  expect(lastSaid(scene)).toContain('not here');
  const { tools, decisions } = await scene.state();
  expect(decisions.map(({ choice }) => choice)).toEqual(['allow', 'deny']);
  expect(tools.map(({ tool_id, status }) => [tool_id, status])).toEqual([
    ['toolu_0001_0', 'completed'],
    ['toolu_0002_0', 'failed'],
  ]);
});

test('a question on the terminal is answered from afar; the choices stand in the next request', async () => {
  const scene = await open({ MAIN: [{ calls: [question] }, { text: 'All done.' }] });
  const agent = scene.onTerminal('--permission-mode', 'default', 'MAIN do the work');
  const colour = await scene.untilEvent('decision:point', ({ question }) => question === 'Which colour?');
  const sizes = await scene.untilEvent('decision:point', ({ question }) => question === 'Which sizes?');
  await until('the question on the screen', () => agent.screen.includes('Which colour?'));
  const one = await scene.send('DECISION', '--decision', String(colour.data['decision_id']), '--choice', 'Blue');
  const two = await scene.send('DECISION', '--decision', String(sizes.data['decision_id']), '--choice', 'S,M');
  await scene.untilRow(one, 'applied');
  await scene.untilRow(two, 'applied');
  await scene.untilEvent('message:assistant', ({ text }) => text === 'All done.');
  expect(scene.model.requestsOf('MAIN')[1]?.said.join('\n')).toContain('"Which colour?"="Blue", "Which sizes?"="S, M"');
});

test('a permission that the person at the terminal gives first is the answer; one from afar is refused', async () => {
  const scene = await open({ MAIN: [{ calls: [bash('touch yes')] }, { calls: [lasting('go')] }, { text: 'All done.' }] });
  const agent = scene.onTerminal('--permission-mode', 'default', '--allowedTools', 'Bash(until:*)', '--', 'MAIN do the work');
  const asked = await scene.untilEvent('decision:point');
  await until('the dialogue', () => agent.screen.includes('Do you want to proceed?'));
  agent.press('1');
  const made = await scene.untilEvent('decision:made');
  expect(made.data).toMatchObject({ decision_id: asked.data['decision_id'], made_by: 'terminal' });
  const late = await scene.answerLate(asked, 'deny');
  expect(late.code).not.toBe(0);
  expect(`${late.stdout}${late.stderr}`).toMatch(/answered|made/);
  make(scene, 'go');
  await scene.untilEvent('message:assistant', ({ text }) => text === 'All done.');
});

test('the server is killed while it holds a call: the agent goes on, and the ledger does not say that it was held', async () => {
  const scene = await open({
    MAIN: [{ calls: [lasting('go')] }, { calls: [bash('echo free')] }, { calls: [lasting('end')] }, { text: 'All done.' }],
  });
  const agent = scene.prompt('MAIN do the work', allowed);
  await scene.untilEvent('tool:started');
  const halt = await scene.send('HALT');
  make(scene, 'go');
  await scene.untilRow(halt, 'applied');
  const restart = await scene.killServer();
  // It waits for nobody, and does its call.
  await until('the next request', () => scene.model.requestsOf('MAIN').length === 3);
  await restart();
  expect(await scene.state()).toMatchObject({ status: 'halted' });
  make(scene, 'end');
  // What it says next takes the session up again: it is halted still, and idle.
  await agent.ended;
  const ledger = await scene.ledger();
  expect(ledger.map(({ command_type, status }) => [command_type, status])).toEqual([['HALT', 'applied']]);
  await scene.untilEvent('message:assistant', ({ text }) => text === 'All done.');
});

test('with --strict a call is refused while the server that held it is gone', async () => {
  const scene = await open({ MAIN: [{ calls: [lasting('go')] }, { calls: [bash('touch made')] }, { text: 'All done.' }] }, '--strict');
  const agent = scene.prompt('MAIN do the work', allowed);
  await scene.untilEvent('tool:started');
  const halt = await scene.send('HALT');
  make(scene, 'go');
  await scene.untilRow(halt, 'applied');
  const restart = await scene.killServer();
  expect(await agent.ended).toMatchObject({ code: 0 });
  expect(scene.model.requestsOf('MAIN')[2]?.said.join('\n')).toContain('blocking because onFailure is "block"');
  expect(existsSync(join(scene.home.work, 'made'))).toBe(false);
  await restart();
  expect((await scene.ledger()).map(({ command_type, status }) => [command_type, status])).toEqual([['HALT', 'applied']]);
});

test('a call that a person breaks off while it is held is not made, and the halt stays', async () => {
  const scene = await open({ MAIN: [{ calls: [lasting('go')] }, { calls: [bash('touch made')] }, { text: 'All done.' }] });
  const agent = scene.onTerminal('--permission-mode', 'default', '--allowedTools', 'Bash', '--', 'MAIN do the work');
  await scene.untilEvent('tool:started');
  const halt = await scene.send('HALT');
  make(scene, 'go');
  await scene.untilRow(halt, 'applied');
  agent.press('\x1b');
  await until('the end of the turn', () => agent.screen.includes('Interrupted'));
  await scene.untilRow(await scene.send('RESUME'), 'applied');
  expect(existsSync(join(scene.home.work, 'made'))).toBe(false);
  expect((await scene.state()).tools.filter(({ status }) => status === 'completed')).toHaveLength(1);
});

test('a plan is a decision: what is rejected is read by the model, what is approved begins', async () => {
  const plan: ToolCall = { name: 'ExitPlanMode', input: { plan: '# Plan\n\n1. Write the parser.' } };
  const scene = await open({ MAIN: [{ calls: [plan] }, { calls: [plan] }, { text: 'I begin.' }] });
  scene.onTerminal('--permission-mode', 'plan', '--', 'MAIN do the work');
  const first = await scene.untilEvent('decision:point');
  const reject = await scene.send(
    'DECISION',
    '--decision',
    String(first.data['decision_id']),
    '--choice',
    'reject',
    '--comment',
    'tests first',
  );
  await scene.untilRow(reject, 'applied');
  const second = await scene.untilEvent('decision:point', ({ decision_id }) => decision_id !== first.data['decision_id']);
  expect(lastSaid(scene)).toContain('tests first');
  const approve = await scene.send('DECISION', '--decision', String(second.data['decision_id']), '--choice', 'approve');
  await scene.untilRow(approve, 'applied');
  await scene.untilEvent('message:assistant', ({ text }) => text === 'I begin.');
  expect(lastSaid(scene)).toContain('approved');
});

test('an agent that is killed is lost or gone, and never completed; what it was told is not said to be applied', async () => {
  const scene = await open({ MAIN: [{ calls: [lasting('never')] }, { text: 'All done.' }] });
  const agent = scene.prompt('MAIN do the work', allowed);
  await scene.untilEvent('tool:started');
  const inject = await scene.send('INJECT', '--skill', 'lint');
  await scene.untilRow(inject, 'delivered');
  await agent.kill();
  const gone = await scene.untilEvent('orchestrator:detached');
  expect(gone.data).toMatchObject({ code: 'connection_lost' });
  expect(await scene.state()).not.toMatchObject({ status: 'completed' });
  expect(await scene.row(inject)).not.toMatchObject({ status: 'applied' });
});

test('a session that is resumed is the same session again', async () => {
  const scene = await open({ MAIN: [{ calls: [bash('echo one')] }, { text: 'First done.' }, { text: 'Second done.' }] });
  await scene.prompt('MAIN do the work', allowed).ended;
  const id = await scene.session();
  expect(await scene.state()).toMatchObject({ status: 'completed' });
  await scene.prompt('and more', { ...allowed, resume: id.replace('claude-code-', '') }).ended;
  expect((await scene.sessions()).map(({ session_id }) => session_id)).toEqual([id]);
  const events = await told(scene);
  expect(events.filter((each) => each === 'execution:started')).toHaveLength(2);
  expect(events).toContain('message:assistant Second done.');
  expect(await scene.state()).toMatchObject({ status: 'completed' });
});
