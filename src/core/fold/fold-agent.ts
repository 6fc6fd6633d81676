import type { SessionEvent } from '../protocol/event.ts';
import type { AgentState, SessionState } from '../protocol/session-state.ts';
import { lengthMs, numberOf, percentOf, textField, withItem } from './fold-values.ts';

/** `agent:*`: what each agent is and does. */
export function foldAgent(state: SessionState, { type, data, timestamp }: SessionEvent): Partial<SessionState> | undefined {
  const agentId = textField(data, 'agent_id');
  if (agentId === null) return undefined;
  const at = state.agents.findLastIndex((each) => each.agent_id === agentId);
  const known = state.agents[at];
  const completed = type === 'agent:completed';
  const startedAt = type === 'agent:spawned' ? timestamp : (known?.started_at ?? timestamp);
  const agent: AgentState = {
    agent_id: agentId,
    parent_agent_id: textField(data, 'parent_agent_id') ?? known?.parent_agent_id ?? null,
    role: textField(data, 'role') ?? known?.role ?? null,
    task: textField(data, 'task') ?? known?.task ?? null,
    skill_name: textField(data, 'skill_name') ?? known?.skill_name ?? null,
    status: completed
      ? data['success'] === false
        ? 'failed'
        : 'completed'
      : type === 'agent:spawned'
        ? 'running'
        : known === undefined || known.status === 'lost'
          ? 'running'
          : known.status,
    progress: percentOf(data, 'progress') ?? (completed ? 100 : (known?.progress ?? null)),
    message: textField(data, 'message') ?? known?.message ?? null,
    waiting: known?.waiting ?? null,
    tokens: numberOf(data, 'tokens') ?? known?.tokens ?? null,
    cost_usd: numberOf(data, 'cost_usd') ?? known?.cost_usd ?? null,
    started_at: startedAt,
    updated_at: timestamp,
    ended_at: completed ? timestamp : type === 'agent:spawned' || known?.status === 'lost' ? null : (known?.ended_at ?? null),
    duration_ms: completed ? lengthMs(data, startedAt, timestamp) : type === 'agent:spawned' ? null : (known?.duration_ms ?? null),
  };
  return withItem(state, 'agents', at, agent, (each) => each.status !== 'running');
}
