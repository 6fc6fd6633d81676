import { execFileSync } from 'node:child_process';
import { mkdirSync } from 'node:fs';
import { join } from 'node:path';
import { onTestFinished } from 'vitest';
import { until } from '../../cli/run-place.ts';
import { temporaryFolder } from '../../helpers/temporary-folder.ts';
import { AgentOnTerminal } from '../agents/agent-on-terminal.ts';
import { drivenAgents } from '../agents/driven-agents.ts';
import type { AgentHome } from '../agents/driven-agent.ts';
import { installedAgent, type RunnableAgent } from '../agents/installed-agent.ts';
import { StartedAgent } from '../agents/started-agent.ts';
import { HookRecorder } from '../hooks/hook-recorder.ts';
import { ScriptedModel } from '../model/scripted-model.ts';
import { cleaned } from './cleaned.ts';
import type { RecordedScene, Step } from './recorded-scene.ts';

/** Plays a scene; gives what the agent's hooks said, in order, fit to be kept. */
export async function recorded(name: RunnableAgent, scene: RecordedScene): Promise<Record<string, unknown>[]> {
  const driven = drivenAgents[name];
  const folder = await temporaryFolder();
  const model = await ScriptedModel.start(driven.api, scene.conversations);
  const hooks = await HookRecorder.start(scene.answer);
  onTestFinished(async () => void (await Promise.all([model.close(), hooks.close()])));
  const home: AgentHome = { home: join(folder, 'home'), work: join(folder, 'work'), modelUrl: model.url };
  for (const each of [home.home, home.work]) mkdirSync(each);
  execFileSync('git', ['init', '-q', '-b', 'main'], { cwd: home.work });
  const env = await driven.configure(home);
  await driven.hook(home, hooks.url);
  const command = await installedAgent(name);
  const prompt = 'MAIN do the work';
  if (scene.steps === undefined) {
    const agent = new StartedAgent([...command, ...(scene.args ?? []), ...driven.once(prompt)], home, env);
    onTestFinished(() => agent.kill());
    const { code } = await agent.ended;
    if (code !== 0) throw new Error(`${name} ended with ${code}: ${agent.stderr}\n${agent.stdout}`);
  } else {
    const agent = new AgentOnTerminal([...command, ...(scene.args ?? []), ...driven.onTerminal(prompt)], home, env);
    onTestFinished(() => agent.kill());
    for (const step of scene.steps) await take(step, agent, hooks);
    await agent.kill();
  }
  return cleaned(
    hooks.recorded.map(({ payload }) => payload),
    home,
  );
}

async function take({ until: wanted, press }: Step, agent: AgentOnTerminal, hooks: HookRecorder): Promise<void> {
  const isSo =
    'screen' in wanted
      ? () => agent.screen.includes(wanted.screen)
      : () => hooks.recorded.filter(({ payload }) => eventOf(payload) === wanted.hook).length >= (wanted.times ?? 1);
  await until(JSON.stringify(wanted), isSo).catch((error: Error) => {
    throw new Error(`${error.message}\n${hooks.recorded.map(({ payload }) => eventOf(payload)).join(' ')}\n${agent.screen}`);
  });
  if (press !== undefined) agent.press(press);
}

/** The name of the event that a payload tells of. */
export function eventOf(payload: Record<string, unknown>): string {
  return String(payload['hook_event_name'] ?? payload['event']);
}
