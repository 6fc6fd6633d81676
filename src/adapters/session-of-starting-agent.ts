import { agentSessionId } from './agent-session-id.ts';

/**
 * The session of the coding agent that started a program, as far as the program's environment says. Claude Code says it (2.1.332); of the
 * others none is known to.
 */
export function sessionOfStartingAgent(environment: Readonly<Record<string, string | undefined>>): string | undefined {
  return agentSessionId('claude-code', environment['CLAUDE_CODE_SESSION_ID'] ?? '');
}
