/** The coding agents that shannon-dash understands, by the names that users type. */
export const codingAgents = ['claude-code', 'codex', 'gemini', 'cursor', 'opencode'] as const;

export type CodingAgent = (typeof codingAgents)[number];

/** Whether a text names an agent that is known here. Nothing else is loaded with this: who asks it answers at a press of a key. */
export function isCodingAgent(name: string): name is CodingAgent {
  return (codingAgents as readonly string[]).includes(name);
}
