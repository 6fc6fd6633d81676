import type { Orchestrator, SkillContext, SkillOptions } from './orchestrator-contract.ts';
import { emitWithValue } from './emit-with-value.ts';

/** Runs a function as a skill. Its events are not waited for: a server that is away must not hold it up. */
export async function runSkill<Result>(
  run: Pick<Orchestrator, 'emit'>,
  name: string,
  work: (context: SkillContext) => Result | Promise<Result>,
  { skillId = name, parameters, agentId, signal }: SkillOptions,
): Promise<Result> {
  const skill = { skill_name: name, skill_id: skillId, ...(agentId === undefined ? {} : { agent_id: agentId }) };
  const startedAt = performance.now();
  const seconds = () => Math.round(performance.now() - startedAt) / 1_000;
  void run.emit('skill:started', { ...skill, ...(parameters === undefined ? {} : { parameters }) });
  try {
    const result = await work({
      signal,
      progress: (progress, message) => void run.emit('skill:progress', { ...skill, progress, message }),
    });
    void emitWithValue(run, 'skill:completed', { ...skill, duration: seconds() }, { result });
    return result;
  } catch (error) {
    void run.emit('skill:failed', { ...skill, duration: seconds(), error: error instanceof Error ? error.message : String(error) });
    throw error;
  }
}
