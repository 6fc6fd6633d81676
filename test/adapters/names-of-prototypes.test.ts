import { describe, expect, test } from 'vitest';
import { adapters } from '../../src/adapters/adapters.ts';

describe.each(['claude-code', 'codex', 'gemini'] as const)('%s', (agent) => {
  test.each(['constructor', '__proto__', 'toString', 'hasOwnProperty'])('a session that begins as "%s" is a new one', (source) => {
    const signal = adapters[agent].parse({ session_id: 's', hook_event_name: 'SessionStart', source });
    expect(signal).toMatchObject({ kind: 'session-started', how: 'new' });
  });
});
