import type { SessionEvent } from '../protocol/event.ts';
import type { SessionState } from '../protocol/session-state.ts';
import { textField } from './fold-values.ts';

/** `message:user` and `message:assistant`: how many there were, and the last of each. */
export function foldMessage(state: SessionState, { type, data, timestamp }: SessionEvent): Partial<SessionState> {
  const said = { text: textField(data, 'text') ?? '', agent_id: textField(data, 'agent_id'), at: timestamp };
  const { messages } = state;
  return {
    messages:
      type === 'message:user'
        ? { ...messages, user: messages.user + 1, last_user: said }
        : { ...messages, assistant: messages.assistant + 1, last_assistant: said },
  };
}
