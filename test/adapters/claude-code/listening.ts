import { claudeCodeAdapter } from '../../../src/adapters/claude-code/claude-code-adapter.ts';
import { eventsOf } from '../../../src/adapters/events/session-events.ts';
import type { Told } from '../../../src/adapters/events/told.ts';
import { fold } from '../../../src/core/fold/fold.ts';
import { initialState, type SessionState } from '../../../src/core/protocol/session-state.ts';
import { CallNames } from '../../../src/server/agents/call-names.ts';
import { timeOf } from '../../core/session-events.ts';

/** What payloads of hooks, one after the other, become: the events, and the state that they make. */
export function listenTo(
  payloads: readonly Record<string, unknown>[],
  { isOwnSession = true, self = null }: { isOwnSession?: boolean; self?: string | null } = {},
): { told: Told[]; state: SessionState } {
  const calls = new CallNames();
  const told: Told[] = [];
  let state = initialState({ session_id: 's', created_at: timeOf(0) });
  for (const payload of payloads) {
    const signal = calls.named(claudeCodeAdapter.parse(payload), claudeCodeAdapter);
    const callId = ('tool' in signal ? signal.tool.id : null) ?? 'unnamed';
    const listening = { agent: 'claude-code', self, isOwnSession, callId, holdMs: 60_000, branch: null };
    for (const event of eventsOf(signal, { ...listening, state: state.seq === 0 ? undefined : state })) {
      told.push(event);
      const seq = state.seq + 1;
      state = fold(state, { session_id: 's', seq, id: `e${seq}`, timestamp: timeOf(seq), type: event.type, data: event.data });
    }
  }
  return { told, state };
}
