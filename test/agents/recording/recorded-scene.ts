import type { Conversations } from '../model/conversation.ts';
import type { HookAnswer } from '../hooks/hook-recorder.ts';

/** What is done on an agent's terminal: each step waits for a text on the screen, or for a hook, and then presses keys. */
export interface Step {
  until: { screen: string } | { hook: string; times?: number };
  press?: string;
}

/** A scene whose hooks are recorded. */
export interface RecordedScene {
  conversations: Conversations;
  /** Arguments beside those that every scene has. */
  args?: readonly string[];
  /** What a hook is answered; nothing where this says nothing. */
  answer?: (payload: Record<string, unknown>) => HookAnswer | undefined;
  /** Where the scene needs a person, what that person does; then the agent is ended. Otherwise it ends by itself. */
  steps?: readonly Step[];
}
