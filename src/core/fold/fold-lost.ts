import type { SessionEvent } from '../protocol/event.ts';
import { textField } from './fold-values.ts';
import { isLive, type SessionState } from '../protocol/session-state.ts';

/** `execution:lost`: no event of the run came for a while, and no orchestrator is attached. Its clocks stop at its last event. */
export function foldLost(state: SessionState, { data, timestamp }: SessionEvent): Partial<SessionState> | undefined {
  if (!isLive(state.status)) return undefined;
  return { status: 'lost', lost: { since: timestamp, from: state.status }, ended_at: textField(data, 'last_seen') ?? timestamp };
}

/** A lost session of which something is heard again, as it was before. What ran in it runs again once it is heard of itself. */
export function foundAgain(state: SessionState): SessionState {
  return state.lost === null ? state : { ...state, status: state.lost.from, lost: null, ended_at: null };
}

/** An imported session that was live when it was recorded: nothing more will be heard of it here. */
export function lostWhereRecordingEnds(state: SessionState): SessionState {
  const { imported, seq, status, updated_at, orchestrator } = state;
  if (imported === null || seq < imported.seq || !isLive(status)) return state;
  return {
    ...state,
    status: 'lost',
    lost: { since: updated_at, from: status },
    ended_at: updated_at,
    orchestrator: orchestrator && { ...orchestrator, attached: false },
    delegate: null,
  };
}

/** Whether an event says that a run is still there: not what operators and the server write without it. */
export function isSignOfLife(type: string): boolean {
  return !type.startsWith('command:') && type !== 'orchestrator:detached' && type !== 'execution:lost' && type !== 'run:marked';
}

/** Marks as lost what still ran when the run ended or was lost: no event will tell its end. */
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
