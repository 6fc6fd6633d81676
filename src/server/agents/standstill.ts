import type { Adapter } from '../../adapters/adapter.ts';
import { isTurnOver, runningAgents, runningTools } from '../../adapters/events/working.ts';
import type { Signal } from '../../adapters/signal.ts';
import type { ToolState } from '../../core/protocol/agent-activity.ts';
import type { SessionState } from '../../core/protocol/session-state.ts';

/** A hook that is held: whose, and of which call. */
export interface HeldCall {
  /** Null: the session's own agent. */
  agentId: string | null;
  toolId: string | null;
}

/** What a HALT has reached. */
export interface Standstill {
  /** `held`: every agent that works waits at a hook. `idle`: none works. */
  state: 'held' | 'idle';
  held: string[];
  /** Calls that began before, and go on until they end. */
  in_flight: { tool_name: string; tool_id: string; agent_id: string | null; since: string | null }[];
  /** What works without an agent, as the agent last told. */
  background: string[];
}

/**
 * What a HALT has reached; undefined while an agent works that is not held: it thinks, or a call of it is under way.
 * @param background descriptions of the tasks that go on in the background
 * @param hasEndedTurn whether the session's own agent has ended its turn and left only those behind
 */
export function standstillOf(
  state: SessionState,
  held: readonly HeldCall[],
  {
    agentTools,
    background,
    hasEndedTurn,
  }: { agentTools: Adapter['abilities']['agentTools']; background: readonly string[]; hasEndedTurn: boolean },
): Standstill | undefined {
  const heldAgents = new Set(held.map(({ agentId }) => agentId));
  const heldCalls = new Set(held.map(({ toolId }) => toolId));
  const agents = runningAgents(state).map(({ agent_id }) => agent_id);
  const isHeld = (agentId: string | null) => heldAgents.has(agentId);
  // An agent that waits for its sub-agents stands still with them.
  const waits = (call: ToolState) => agentTools.includes(call.tool_name) && agents.length > 0;
  const own = runningTools(state, null);
  const isOwnStill = hasEndedTurn || isTurnOver(state) || isHeld(null) || (own.length > 0 && own.every(waits));
  if (!isOwnStill || !agents.every(isHeld)) return undefined;
  const flying = runningTools(state).filter((call) => !heldCalls.has(call.tool_id) && !(call.agent_id === null && waits(call)));
  const names = [...heldAgents].map((agentId) => agentId ?? 'the agent');
  return {
    state: held.length === 0 ? 'idle' : 'held',
    held: names,
    in_flight: flying.map(({ tool_name, tool_id, agent_id, started_at }) => ({ tool_name, tool_id, agent_id, since: started_at })),
    background: [...background],
  };
}

/** What works without an agent after a signal of the session's own agent. */
export function backgroundAfter(signal: Signal, before: string[] | undefined): string[] | undefined {
  if (signal.kind === 'turn-ended') return (signal.background ?? []).map(({ description, type }) => description || type);
  return signal.kind === 'prompt' || signal.kind === 'tool-starting' || signal.kind === 'session-started' ? undefined : before;
}
