import type { AgentHandle, Orchestrator } from './orchestrator-contract.ts';

/** What is said of an agent when it begins. */
export interface AgentOptions {
  role?: string | undefined;
  task?: string | undefined;
  skillName?: string | undefined;
}

/** Says that an agent begins; the handle says how far it is, and that it has ended. */
export function announceAgent(run: Pick<Orchestrator, 'emit'>, agentId: string, { skillName, ...data }: AgentOptions): AgentHandle {
  void run.emit('agent:spawned', { agent_id: agentId, ...data, ...(skillName === undefined ? {} : { skill_name: skillName }) });
  return {
    agentId,
    progress: (progress) => run.emit('agent:progress', { ...progress, agent_id: agentId }),
    completed: (end = {}) => run.emit('agent:completed', { success: true, ...end, agent_id: agentId }),
  };
}
