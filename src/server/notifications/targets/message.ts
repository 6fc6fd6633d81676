import type { SessionEvent } from '../../../core/protocol/event.ts';
import type { DecisionState, SessionState } from '../../../core/protocol/session-state.ts';
import type { Notification } from '../../../view/notifications/notification.ts';

/** An event that a target is told of. */
export interface ToldEvent {
  event: SessionEvent;
  state: SessionState;
  epoch: string;
  /** Of a question. */
  decision?: DecisionState | undefined;
  /** Where `{"choice": "..."}` is posted to answer it; absent where the target is not to have it. */
  answerUrl?: string | undefined;
}

/** A notification on its way to a target. */
export interface Message {
  /** The same for each try to tell the same events. */
  id: string;
  notification: Notification;
  /** The first of the events. */
  events: readonly ToldEvent[];
  /** How many events were let go before, because the target took nothing for too long. */
  letGo: number;
}

/** The request that tells it. */
export interface TargetRequest {
  url: string;
  headers: Record<string, string>;
  body: string;
}

/** The lines of a notification, and how many events before it were let go. */
export function linesOf({ notification, letGo }: Message): string[] {
  return letGo === 0 ? notification.lines : [...notification.lines, `(${letGo} older events were let go: they waited too long)`];
}
