import { limits } from '../../core/protocol/limits.ts';
import type { LostSessions } from './lost-sessions.ts';

/** A connection that publishes. As long as it is there, the sessions that it has published to are not lost. */
export class Producer {
  readonly #lost: LostSessions;
  readonly #sessions = new Set<string>();

  constructor(lost: LostSessions) {
    this.#lost = lost;
  }

  /** The connection publishes to a session. */
  enter(sessionId: string): void {
    if (this.#sessions.has(sessionId) || this.#sessions.size >= limits.producedSessions) return;
    this.#sessions.add(sessionId);
    this.#lost.enter(sessionId);
  }

  /** The connection has ended. */
  close(): void {
    for (const sessionId of this.#sessions) this.#lost.leave(sessionId);
    this.#sessions.clear();
  }
}
