import { isSessionId } from '../core/ids.ts';
import type { CodingAgent } from './coding-agents.ts';

/**
 * The id of the session that shows an agent's own session. Hooks, streams and telemetry of one agent all find the same session by it.
 * @param sessionId what the agent calls its session, as a UUID
 * @returns as `claude-code-6f0c5a1e-…`; undefined where the agent's id has characters, or a length, that an id of a session cannot have
 */
export function agentSessionId(agent: CodingAgent, sessionId: string): string | undefined {
  const id = `${agent}-${sessionId}`;
  return sessionId !== '' && isSessionId(id) ? id : undefined;
}
