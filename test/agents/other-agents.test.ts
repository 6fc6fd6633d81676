import { existsSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { describe, expect, test } from 'vitest';
import { AgentScene } from './agent-scene.ts';
import type { RunnableAgent } from './agents/installed-agent.ts';
import type { ToolCall } from './model/conversation.ts';

/** How each agent's model calls a shell, and starts a sub-agent that works at once. */
const dialects: Readonly<Record<Exclude<RunnableAgent, 'claude-code'>, { shell: (command: string) => ToolCall; sub: ToolCall[] }>> = {
  codex: {
    // More than the ten seconds after which a command goes on without its call.
    shell: (cmd) => ({
      name: 'exec',
      namespace: 'functions',
      input: { input: `text(await tools.exec_command({cmd: ${JSON.stringify(cmd)}, yield_time_ms: 30000}))` },
    }),
    sub: [
      { namespace: 'collaboration', name: 'spawn_agent', input: { task_name: 'look', message: 'SUBA look around', fork_turns: 'none' } },
      { namespace: 'collaboration', name: 'wait_agent', input: { timeout_ms: 60_000 } },
    ],
  },
  gemini: {
    shell: (command) => ({ name: 'run_shell_command', input: { command, description: 'try' } }),
    sub: [{ name: 'invoke_agent', input: { agent_name: 'generalist', prompt: 'SUBA look around' } }],
  },
  opencode: {
    shell: (command) => ({ name: 'bash', input: { command, description: 'try' } }),
    sub: [{ name: 'task', input: { description: 'Look around', prompt: 'SUBA look around', subagent_type: 'general' } }],
  },
};

const make = ({ home }: AgentScene, file: string) => writeFileSync(join(home.work, file), '');
const lasting = (file: string) => `until [ -e ${file} ]; do sleep 0.05; done`;

/** Halts an agent while its first call lasts, and lets that call end: the next one is held. @returns the HALT's id */
async function halted(scene: AgentScene): Promise<string> {
  await scene.untilEvent('tool:started');
  const halt = await scene.send('HALT');
  await scene.untilRow(halt, 'delivered');
  make(scene, 'go');
  await scene.untilRow(halt, 'applied');
  return halt;
}

describe.each(Object.entries(dialects))('%s', (name, { shell, sub }) => {
  const agent = name as RunnableAgent;
  /** OpenCode does not say that it ends: it is gone. */
  const endsByItself = agent !== 'opencode';

  test('start, prompt, a call, an answer and the end are seen', async () => {
    const scene = await AgentScene.open(agent, { MAIN: [{ text: 'I will.', calls: [shell('echo one')] }, { text: 'All done.' }] });
    const { ended } = scene.prompt('MAIN do the work');
    expect(await ended).toMatchObject({ code: 0 });
    await scene.untilEvent('message:assistant', ({ text }) => String(text).includes('All done.'));
    const types = (await scene.events()).map(({ type }) => type);
    expect(types).toEqual(expect.arrayContaining(['execution:started', 'message:user', 'tool:started', 'tool:completed']));
    await scene.untilEvent('orchestrator:detached');
    const state = await scene.state();
    expect(state).toMatchObject({ status: endsByItself ? 'completed' : 'running', labels: [agent], folder: 'work', branch: 'main' });
    expect(state.task).toContain('MAIN do the work');
    expect(state.tools.map(({ status }) => status)).toEqual(['completed']);
  });

  test('two calls at once are two', async () => {
    const both = agent === 'codex' ? [shell('echo one; echo two')] : [shell('echo one'), shell('echo two')];
    const scene = await AgentScene.open(agent, { MAIN: [{ calls: both }, { text: 'All done.' }] });
    await scene.prompt('MAIN do the work').ended;
    await scene.untilEvent('message:assistant', ({ text }) => String(text).includes('All done.'));
    const { tools } = await scene.state();
    expect(tools.map(({ status }) => status)).toEqual(both.map(() => 'completed'));
  });

  test('a sub-agent works below the agent', async () => {
    const done =
      agent === 'gemini' ? { calls: [{ name: 'complete_task', input: { result: { response: 'Looked.' } } }] } : { text: 'Looked.' };
    const scene = await AgentScene.open(agent, {
      MAIN: [...sub.map((call) => ({ calls: [call] })), { text: 'All done.' }],
      SUBA: [{ calls: [shell('sleep 1; echo inside')] }, done],
    });
    await scene.prompt('MAIN do the work').ended;
    await scene.untilEvent('message:assistant', ({ text }) => String(text).includes('All done.'));
    const { agents, tools } = await scene.state();
    expect(tools.every(({ status }) => status === 'completed')).toBe(true);
    // Gemini CLI does not say whose a call is.
    expect(agents.map(({ status }) => status)).toEqual(agent === 'gemini' ? [] : ['completed']);
  });

  test('HALT holds the next call; INJECT stands in the next request; RESUME lets it go', async () => {
    const scene = await AgentScene.open(agent, {
      MAIN: [{ calls: [shell(lasting('go'))] }, { calls: [shell('echo after')] }, { text: 'All done.' }],
    });
    const { ended } = scene.prompt('MAIN do the work');
    await halted(scene);
    expect(await scene.events('tool:completed')).toHaveLength(1);
    expect(await scene.state()).toMatchObject({ status: 'halted' });
    const inject = await scene.send('INJECT', '--skill', 'run-the-linter');
    await scene.untilRow(inject, 'delivered');
    await scene.untilRow(await scene.send('RESUME'), 'applied');
    expect(await ended).toMatchObject({ code: 0 });
    expect(scene.model.requestsOf('MAIN').at(-1)?.said.join('\n')).toContain('run-the-linter');
    await scene.untilRow(inject, 'applied');
  });

  test('the server is killed while it holds a call: the agent goes on, and the ledger says no more than happened', async () => {
    const scene = await AgentScene.open(agent, {
      MAIN: [{ calls: [shell(lasting('go'))] }, { calls: [shell('touch after')] }, { text: 'All done.' }],
    });
    const { ended } = scene.prompt('MAIN do the work');
    const halt = await halted(scene);
    const restart = await scene.killServer();
    expect(await ended).toMatchObject({ code: 0 });
    expect(existsSync(join(scene.home.work, 'after'))).toBe(true);
    await restart();
    await scene.untilEvent('orchestrator:detached');
    expect(await scene.ledger()).toMatchObject([{ command_id: halt, status: 'applied' }]);
    // What the agent did without a server, nobody saw.
    expect(await scene.events('tool:completed')).toHaveLength(1);
    expect((await scene.state()).status).not.toBe('completed');
  });

  test('REDIRECT denies the next call with the instructions', async () => {
    const scene = await AgentScene.open(agent, {
      MAIN: [{ calls: [shell(lasting('go'))] }, { calls: [shell('touch wrong')] }, { text: 'I turn round.' }],
    });
    const { ended } = scene.prompt('MAIN do the work');
    await scene.untilEvent('tool:started');
    const redirect = await scene.send('REDIRECT', '--skill', 'write-tests');
    await scene.untilRow(redirect, 'delivered');
    make(scene, 'go');
    await ended;
    expect(scene.model.requestsOf('MAIN')[2]?.said.join('\n')).toContain('the new goal is: write-tests');
    await scene.untilRow(redirect, 'applied');
    expect((await scene.state()).tools.map(({ status }) => status)).not.toContain('running');
  });

  test('a session that is resumed is the same session again', async () => {
    const scene = await AgentScene.open(agent, { MAIN: [{ text: 'First done.' }, { text: 'Second done.' }] });
    await scene.prompt('MAIN do the work').ended;
    const id = await scene.session();
    await scene.prompt('MAIN and more', { resume: id.replace(`${agent}-`, '') }).ended;
    await scene.untilEvent('message:assistant', ({ text }) => String(text).includes('Second done.'));
    expect((await scene.sessions()).map(({ session_id }) => session_id)).toEqual([id]);
  });

  test('an agent that is killed is gone, and never completed', async () => {
    const scene = await AgentScene.open(agent, { MAIN: [{ calls: [shell(lasting('never'))] }, { text: 'All done.' }] });
    const started = scene.prompt('MAIN do the work');
    await scene.untilEvent('tool:started');
    await started.kill();
    expect((await scene.untilEvent('orchestrator:detached')).data).toMatchObject({ code: 'connection_lost' });
    expect(await scene.state()).not.toMatchObject({ status: 'completed' });
  });
});
