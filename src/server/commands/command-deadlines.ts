import type { CommandState, DecisionState } from '../../core/protocol/session-state.ts';
import { Deadlines } from '../deadlines.ts';

export interface CommandDeadlinesOptions {
  /** How long a command may wait to be delivered. */
  expiryMs: number;
  onExpired: (sessionId: string, commandId: string) => void;
  onUndecided: (sessionId: string, decisionId: string) => void;
}

const againMs = 5_000;

/**
 * Sets when a command expires that is not delivered, and when a decision takes its default. A new one has its whole time from
 * now on. One that was in the journal when the server started has the rest of its time by the calendar: no other clock outlives a process.
 */
export class CommandDeadlines {
  readonly #options: CommandDeadlinesOptions;
  readonly #deadlines = new Deadlines();
  /** Decisions whose time is over and that are open still, because an answer is on its way. */
  readonly #overdue = new Set<string>();

  constructor(options: CommandDeadlinesOptions) {
    this.#options = options;
  }

  get size(): number {
    return this.#deadlines.size;
  }

  /** Sets the deadlines of a session that was in the journal when the server started. */
  takeUp(sessionId: string, commands: readonly CommandState[], decisions: readonly DecisionState[]): void {
    const { expiryMs } = this.#options;
    for (const command of commands) this.followCommand(sessionId, command, left(command.created_at, expiryMs));
    for (const decision of decisions) {
      const lengthMs = lengthOf(decision);
      if (lengthMs !== undefined) this.followDecision(sessionId, decision, left(decision.asked_at, lengthMs));
    }
  }

  /** A command is new, or has taken a step. */
  followCommand(sessionId: string, { command_id, status }: CommandState, waitMs = this.#options.expiryMs): void {
    const key = `command ${sessionId}\n${command_id}`;
    if (status !== 'queued') this.#deadlines.cancel(key);
    else if (!this.#deadlines.has(key)) this.#deadlines.set(key, waitMs, () => this.#options.onExpired(sessionId, command_id));
  }

  /** A decision is new, or was made, or its default may be due once more. */
  followDecision(sessionId: string, decision: DecisionState, waitMs = lengthOf(decision)): void {
    const { decision_id, status } = decision;
    const key = `decision ${sessionId}\n${decision_id}`;
    if (status === 'made') {
      this.#deadlines.cancel(key);
      this.#overdue.delete(key);
    } else if (waitMs !== undefined && !this.#deadlines.has(key)) {
      this.#deadlines.set(key, this.#overdue.has(key) ? 0 : waitMs, () => {
        this.#overdue.add(key);
        this.#options.onUndecided(sessionId, decision_id);
      });
    }
  }

  /** Tries due work again that has failed, most likely because the disk fails. */
  tryAgain(sessionId: string, id: string, run: () => void): void {
    this.#deadlines.set(`again ${sessionId}\n${id}`, againMs, run);
  }

  /** Cancels the deadlines of a session that was deleted. */
  forget(sessionId: string): void {
    this.#deadlines.cancelBelow(sessionId);
    for (const key of this.#overdue) if (key.startsWith(`decision ${sessionId}\n`)) this.#overdue.delete(key);
  }

  close(): void {
    this.#deadlines.close();
  }
}

/** How long a decision waits for an answer; undefined where it stays open. */
function lengthOf({ asked_at, deadline }: DecisionState): number | undefined {
  return deadline === null ? undefined : Math.max(0, Date.parse(deadline) - Date.parse(asked_at));
}

/** The rest of a time that began at `since`. It is never more than the whole, also when the machine's clock was set back meanwhile. */
function left(since: string, lengthMs: number): number {
  return Math.min(lengthMs, Math.max(0, Date.parse(since) + lengthMs - Date.now()));
}
