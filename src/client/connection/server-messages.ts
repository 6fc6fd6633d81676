import type { CommandExecution } from '../../core/protocol/command.ts';
import type {
  ConnectedMessage,
  EventsMessage,
  SessionGapMessage,
  SessionStateMessage,
  SubscribedMessage,
} from '../../core/protocol/messages.ts';

/** What a server sends unasked, by the name of the message: protocol, section 4. */
export interface ServerMessages {
  connected: ConnectedMessage;
  subscribed: SubscribedMessage;
  events: EventsMessage;
  'session:state': SessionStateMessage;
  'session:gap': SessionGapMessage;
  'session:created': { session_id: string; timestamp: string };
  'session:deleted': { session_id: string; timestamp: string };
  'command:execute': CommandExecution;
  'orchestrator:superseded': { session_id: string; instance_id: string; timestamp: string };
  'server:shutdown': { timestamp: string };
}
