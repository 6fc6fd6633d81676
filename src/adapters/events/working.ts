import type { SessionState, AgentState } from '../../core/protocol/session-state.ts';
import type { ToolState } from '../../core/protocol/agent-activity.ts';

/** Reasons of `agent:waiting` after which an agent does nothing until it is prompted. With others a call of it is under way. */
const idleReasons: ReadonlySet<string | null> = new Set(['idle', 'prompt', 'error']);

/** Whether the session's own agent does nothing until it is prompted. */
export function isTurnOver(state: SessionState | undefined): boolean {
  return state === undefined || state.started_at === null || (state.waiting !== null && idleReasons.has(state.waiting.reason));
}

/** Whether anything of the session works: its own agent, or a sub-agent. */
export function worksOn(state: SessionState): boolean {
  return !isTurnOver(state) || runningAgents(state).length > 0;
}

/** The agents of the session that have not ended, without its own. */
export function runningAgents({ agents }: SessionState): AgentState[] {
  return agents.filter(({ status, waiting }) => status === 'running' && !(waiting !== null && idleReasons.has(waiting.reason)));
}

/** The calls that are under way; of one agent, where it is named. */
export function runningTools({ tools }: SessionState, agentId?: string | null): ToolState[] {
  return tools.filter((each) => each.status === 'running' && (agentId === undefined || each.agent_id === agentId));
}
