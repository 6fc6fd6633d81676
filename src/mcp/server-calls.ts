import type { ListedSession } from '../core/http-answers.ts';
import type { CommandInput, CommandResult } from '../core/protocol/command.ts';
import type { SessionEvent } from '../core/protocol/event.ts';
import type { DecisionState, SessionState } from '../core/protocol/session-state.ts';

/** A piece of a session's history. */
export interface HistoryPiece {
  events: SessionEvent[];
  epoch: string;
  /** After which event the next piece begins: also what the filter left out is done with. */
  next: number;
  /** The first event that is left; absent where retention has taken none. */
  first_available?: number | undefined;
}

/**
 * What the tools ask of a server, as one caller. Over HTTP, or in the server itself.
 * Each throws ShannonDashError: NOT_FOUND, FORBIDDEN, UNREACHABLE and so on.
 */
export interface ServerCalls {
  sessions(): Promise<ListedSession[]>;
  session(session: string): Promise<SessionState & { epoch: string }>;
  /** @param types globs over the types of events; none: every type */
  history(session: string, range: { after: number; limit: number; types: readonly string[] }): Promise<HistoryPiece>;
  decision(session: string, decisionId: string): Promise<DecisionState>;
  publish(session: string, event: { type: string; data: Record<string, unknown>; id: string }): Promise<{ last_seq: number }>;
  command(command: CommandInput & { session_id: string }): Promise<CommandResult>;
  /**
   * Yields as soon as it follows the session, and each time that events of these types have come since the last time, until the signal
   * is aborted.
   */
  changes(session: string, types: readonly string[], signal: AbortSignal): AsyncIterable<void>;
}

/** Who asks. */
export interface Asking {
  calls: ServerCalls;
  /** The sessions that show the asking agent itself: it asks and reports in the first one. None where nobody has named it. */
  own: readonly string[];
  /** Whether the agent is known to be no session of this server. */
  isSupervisor: boolean;
  /** Whether it may publish to its own session: `ask`, `report`. */
  mayPublish: boolean;
  /** Whether it may command other sessions: `send_command`. */
  mayCommand: boolean;
}
