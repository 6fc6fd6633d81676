import { describe, expect, test } from 'vitest';
import { agentSessionId } from '../../src/adapters/agent-session-id.ts';
import { codingAgents } from '../../src/adapters/coding-agents.ts';
import { isSessionId } from '../../src/core/ids.ts';

describe('the id of the session of an agent', () => {
  test('is the name of the agent, and its own id whole', () => {
    expect(agentSessionId('claude-code', '6f0c5a1e-9d1b-4f6e-8f5e-2b8f0a3c1d7e')).toBe('claude-code-6f0c5a1e-9d1b-4f6e-8f5e-2b8f0a3c1d7e');
    expect(agentSessionId('opencode', 'ses_4f2a')).toBe('opencode-ses_4f2a');
  });

  test('differs between agents, and is one that a session can have', () => {
    const ids = codingAgents.map((agent) => agentSessionId(agent, 'a'));
    expect(new Set(ids).size).toBe(codingAgents.length);
    expect(ids.every(isSessionId)).toBe(true);
  });

  test.each([[''], ['a/b'], ['ö'], ['a b'], ['x'.repeat(200)]])('is none for %j', (sessionId) => {
    expect(agentSessionId('codex', sessionId)).toBeUndefined();
  });
});
