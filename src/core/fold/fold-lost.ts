import type { SessionEvent } from '../protocol/event.ts';
import { textField } from './fold-values.ts';
import { isLive, type SessionState } from '../protocol/session-state.ts';

/** `execution:lost`: nothing has been heard of the run for a while, and nobody is attached. Its clocks stop where it was heard last. */
export function foldLost(state: SessionState, { data, timestamp }: SessionEvent): Partial<SessionState> | undefined {
  if (!isLive(state.status)) return undefined;
  return { status: 'lost', lost: { since: timestamp, from: state.status }, ended_at: textField(data, 'last_seen') ?? timestamp };
}

/** A lost session of which something is heard again, as it was before. What ran in it runs again once it is heard of itself. */
export function foundAgain(state: SessionState): SessionState {
  return state.lost === null ? state : { ...state, status: state.lost.from, lost: null, ended_at: null };
}

/** Whether an event says that a run is still there: not what operators and the server write without it. */
export function isSignOfLife(type: string): boolean {
  return !type.startsWith('command:') && type !== 'orchestrator:detached' && type !== 'execution:lost';
}

/** What still ran when its run ended or was lost, and whose end nobody has told: it runs no more. */
export function withNothingRunning(
  state: SessionState,
  ended_at: string,
): Pick<SessionState, 'skills' | 'tools' | 'agents' | 'validations' | 'current_skill' | 'waiting'> {
  const settled = <Item extends { status: string }>(items: Item[]): Item[] =>
    items.some(({ status }) => status === 'running')
      ? items.map((item) => (item.status === 'running' ? { ...item, status: 'lost', ended_at } : item))
      : items;
  return {
    skills: settled(state.skills),
    tools: settled(state.tools),
    agents: withoutWaitingAgents(settled(state.agents)),
    waiting: null,
    validations: settled(state.validations),
    current_skill: null,
  };
}

function withoutWaitingAgents(agents: SessionState['agents']): SessionState['agents'] {
  return agents.some((agent) => agent.waiting !== null) ? agents.map((agent) => ({ ...agent, waiting: null })) : agents;
}
