import type { CommandState, DecisionState } from '../core/session-state.ts';
import { Deadlines } from './deadlines.ts';

export interface CommandDeadlinesOptions {
  /** How long a command may wait to be delivered. */
  expiryMs: number;
  onExpired: (sessionId: string, commandId: string) => void;
  onUndecided: (sessionId: string, decisionId: string) => void;
}

const againMs = 5_000;

/** When commands expire that nobody takes, and decisions take their default. */
export class CommandDeadlines {
  readonly #options: CommandDeadlinesOptions;
  readonly #deadlines = new Deadlines();

  constructor(options: CommandDeadlinesOptions) {
    this.#options = options;
  }

  /** A command is new, or has taken a step. */
  followCommand(sessionId: string, { command_id, status, created_at }: CommandState): void {
    const key = `command ${sessionId}\n${command_id}`;
    if (status !== 'queued') this.#deadlines.cancel(key);
    else if (!this.#deadlines.has(key)) {
      this.#deadlines.set(key, Date.parse(created_at) + this.#options.expiryMs, () => this.#options.onExpired(sessionId, command_id));
    }
  }

  /** A decision is new, or was made, or its default may be due once more. */
  followDecision(sessionId: string, { decision_id, status, deadline }: DecisionState): void {
    const key = `decision ${sessionId}\n${decision_id}`;
    if (status === 'made') this.#deadlines.cancel(key);
    else if (deadline !== null && !this.#deadlines.has(key)) {
      this.#deadlines.set(key, Date.parse(deadline), () => this.#options.onUndecided(sessionId, decision_id));
    }
  }

  /** What was due could not be done, most likely because the disk fails. */
  tryAgain(sessionId: string, id: string, run: () => void): void {
    this.#deadlines.set(`again ${sessionId}\n${id}`, Date.now() + againMs, run);
  }

  /** The session is deleted: nothing in it is due any more. */
  forget(sessionId: string): void {
    this.#deadlines.cancelBelow(sessionId);
  }

  close(): void {
    this.#deadlines.close();
  }
}
