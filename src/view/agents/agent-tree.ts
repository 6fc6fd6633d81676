import type { AgentState } from '../../core/protocol/session-state.ts';

/** An agent and how deep it stands below the one that began it. */
export interface TreeAgent<Agent> {
  agent: Agent;
  depth: number;
}

/** No agent is indented deeper. */
const deepest = 6;

/**
 * Agents with those that they began below them, in the order that is given; a family stands where its first member would.
 * One whose parent is not known, or is one of its own descendants, stands by itself.
 */
export function agentTree<Agent extends Pick<AgentState, 'agent_id' | 'parent_agent_id'>>(agents: readonly Agent[]): TreeAgent<Agent>[] {
  if (agents.every(({ parent_agent_id }) => parent_agent_id === null)) return agents.map((agent) => ({ agent, depth: 0 }));
  const byId = new Map(agents.map((agent) => [agent.agent_id, agent]));
  const children = Map.groupBy(agents, ({ parent_agent_id }) => parent_agent_id ?? '');
  const tree: TreeAgent<Agent>[] = [];
  const placed = new Set<string>();
  const place = (agent: Agent, depth: number): void => {
    if (placed.has(agent.agent_id)) return;
    placed.add(agent.agent_id);
    tree.push({ agent, depth: Math.min(depth, deepest) });
    for (const child of children.get(agent.agent_id) ?? []) place(child, depth + 1);
  };
  for (const agent of agents) place(rootOf(agent, byId), 0);
  return tree;
}

function rootOf<Agent extends Pick<AgentState, 'agent_id' | 'parent_agent_id'>>(agent: Agent, byId: ReadonlyMap<string, Agent>): Agent {
  const seen = new Set([agent.agent_id]);
  let root = agent;
  for (;;) {
    const parent = root.parent_agent_id === null ? undefined : byId.get(root.parent_agent_id);
    if (parent === undefined || seen.has(parent.agent_id)) return root;
    seen.add(parent.agent_id);
    root = parent;
  }
}
