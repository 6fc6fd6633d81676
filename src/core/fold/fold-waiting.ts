import type { SessionEvent } from '../protocol/event.ts';
import type { SessionState } from '../protocol/session-state.ts';
import { foldAgent } from './fold-agent.ts';
import { numberOf, textField } from './fold-values.ts';

/** `agent:waiting`: the agent is idle and asks for attention. Without an id it is the session's own agent. */
export function foldWaiting(state: SessionState, event: SessionEvent): Partial<SessionState> | undefined {
  const { data, timestamp } = event;
  const inferred = data['inferred'] === true;
  const waiting = { reason: textField(data, 'reason'), message: textField(data, 'message'), since: timestamp, inferred };
  const agentId = textField(data, 'agent_id');
  if (agentId === null) return { waiting };
  const { agents = state.agents, ...others } = foldAgent(state, event) ?? {};
  const at = agents.findLastIndex((each) => each.agent_id === agentId);
  const agent = agents[at];
  return agent === undefined ? others : { ...others, agents: agents.with(at, { ...agent, waiting }) };
}

/** What an agent does only when it no longer waits. */
const work: ReadonlySet<string> = new Set([
  'message:user',
  'message:assistant',
  'tool:started',
  'tool:completed',
  'tool:failed',
  'skill:started',
  'skill:progress',
  'agent:spawned',
  'agent:progress',
  'agent:completed',
  'execution:started',
  'execution:progress',
  'execution:resumed',
]);

/** The state in which the agent of this event no longer waits. It is the same state where that agent did not wait. */
export function withoutWaiting(state: SessionState, { type, data }: SessionEvent): SessionState {
  if (!work.has(type) || isOnlyPlace(type, data)) return state;
  const agentId = textField(data, 'agent_id');
  if (agentId === null) return state.waiting === null ? state : { ...state, waiting: null };
  const at = state.agents.findLastIndex((each) => each.agent_id === agentId);
  const agent = state.agents[at];
  return agent === undefined || agent.waiting === null ? state : { ...state, agents: state.agents.with(at, { ...agent, waiting: null }) };
}

/** Whether an event says no more than that the model, the folder or the branch has changed, as it can while the agent waits. */
function isOnlyPlace(type: string, data: SessionEvent['data']): boolean {
  if (type !== 'execution:progress' || textField(data, 'message') !== null || numberOf(data, 'progress') !== null) return false;
  return ['model', 'folder', 'branch'].some((field) => textField(data, field) !== null);
}
