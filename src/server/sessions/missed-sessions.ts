import type { Journal, SessionHead } from '../../journal/journal.ts';

export interface MissedSessionsOptions {
  journal: Journal;
  /** Takes in where a session stands; undefined when it is gone. */
  take: (sessionId: string, head: SessionHead | undefined) => void;
  onProblem: (error: unknown) => void;
}

/** The sessions of which the feed of the journal has missed changes, until the journal has told where they stand. */
export class MissedSessions {
  readonly #options: MissedSessionsOptions;
  /** For each: whether another change was missed since the journal was asked. */
  readonly #asked = new Map<string, boolean>();

  constructor(options: MissedSessionsOptions) {
    this.#options = options;
  }

  /** As long as the journal is being asked, new events of the session are not taken from the feed. */
  has(sessionId: string): boolean {
    return this.#asked.has(sessionId);
  }

  /** Changes of the session were missed. */
  note(sessionId: string): void {
    const isAsked = this.#asked.has(sessionId);
    this.#asked.set(sessionId, isAsked);
    if (!isAsked) this.#ask(sessionId).catch(this.#options.onProblem);
  }

  async #ask(sessionId: string): Promise<void> {
    const { journal, take } = this.#options;
    try {
      do {
        this.#asked.set(sessionId, false);
        take(sessionId, await journal.head(sessionId));
      } while (this.#asked.get(sessionId) === true);
    } finally {
      this.#asked.delete(sessionId);
    }
  }
}
