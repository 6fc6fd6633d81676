import { limits } from '../../../core/protocol/limits.ts';
import type { Journal, JournalChange, SessionHead } from '../../../journal/journal.ts';

/** The most events that are read at a time, so that other work is held up little. */
const readEvents = 500;

export type AppendedChange = Extract<JournalChange, { kind: 'appended' }>;

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

  /** Changes of the session were missed. As long as the journal is being asked, none is taken from the feed. */
  note(sessionId: string): void {
    const isAsked = this.#asked.has(sessionId);
    this.#asked.set(sessionId, isAsked);
    if (!isAsked) this.#ask(sessionId).catch(this.#options.onProblem);
  }

  /**
   * Whether events are the next ones of their session.
   * @param head where the session stands as far as the feed was taken in
   * @param seqs where each session stands after what is to be delivered
   */
  follows({ session_id, epoch, events }: AppendedChange, head: SessionHead | undefined, seqs: Map<string, number>): boolean {
    if (head?.epoch !== epoch || this.#asked.has(session_id)) return false;
    const isNext = events[0]?.seq === (seqs.get(session_id) ?? head.seq) + 1;
    if (isNext) seqs.set(session_id, events.at(-1)?.seq ?? head.seq);
    return isNext;
  }

  /** Reads what the feed has missed, piece by piece. */
  async *read({ session_id, epoch, seq: through }: SessionHead, from: number): AsyncGenerator<AppendedChange, undefined> {
    for (let after = from; after < through;) {
      const range = { after, through, limit: readEvents, maxChars: limits.pieceBytes };
      const events = await this.#options.journal.read(session_id, range);
      const last = events.at(-1);
      if (last === undefined) return;
      after = last.seq;
      yield { kind: 'appended', session_id, epoch, events };
    }
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
