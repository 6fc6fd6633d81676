import { limits } from '../../../core/protocol/limits.ts';
import type { Journal, SessionHead } from '../../../journal/journal.ts';
import { UnderWay } from '../../under-way.ts';
import type { AppendedChange } from './changes.ts';
import { isOneHistory } from './reader.ts';

/** The most events that are read at a time, so that other work is held up little. */
const readEvents = 500;
/** Where the journal could not tell, it is asked again after so long. */
const againMs = 1_000;
/** For more sessions than so many, all heads are read at once. */
const fewSessions = 20;

export interface MissedSessionsOptions {
  journal: Journal;
  /** Where a session stands as far as it was taken in. */
  known: (sessionId: string) => { head: SessionHead; isBehind: boolean } | undefined;
  /** Takes in where a session stands; undefined when it is gone. */
  take: (sessionId: string, head: SessionHead | undefined) => void;
  /** Takes in the next events of a session, where few were missed, as if the feed had told them. */
  takeNext: (change: AppendedChange) => void;
  onProblem: (error: unknown) => void;
}

interface Asked {
  /** Another change was missed since the journal was asked. */
  isStale: boolean;
  done: Promise<void>;
}

/** The sessions of which the feed of the journal has missed changes, until the journal has told where they stand. */
export class MissedSessions {
  readonly #options: MissedSessionsOptions;
  readonly #asked = new Map<string, Asked>();
  readonly #again = new Map<string, NodeJS.Timeout>();
  readonly #asking = new UnderWay();
  #isClosed = false;

  constructor(options: MissedSessionsOptions) {
    this.#options = options;
  }

  /** Changes of the session were missed. As long as the journal is being asked, none is taken from the feed. */
  note(sessionId: string): void {
    const asked = this.#asked.get(sessionId);
    if (asked === undefined) this.ask(sessionId).catch(this.#options.onProblem);
    else asked.isStale = true;
  }

  /** Resolves once it was taken in where the session stands. @throws ShannonDashError JOURNAL_FAILED; it is asked again later */
  ask(sessionId: string, look = () => this.#options.journal.head(sessionId)): Promise<void> {
    const before = this.#asked.get(sessionId);
    if (before !== undefined) return before.done;
    const asked: Asked = { isStale: false, done: Promise.resolve() };
    this.#asked.set(sessionId, asked);
    asked.done = this.#asking.add(this.#take(sessionId, asked, look));
    return asked.done;
  }

  /** The same, where the journal has more of it than was taken in. */
  async refresh(sessionId: string): Promise<void> {
    const head = await this.#options.journal.head(sessionId);
    const known = this.#options.known(sessionId);
    if (known?.isBehind !== true && isOneHistory(known?.head, head) && (head?.seq ?? 0) <= (known?.head.seq ?? 0)) return;
    const asked = this.#asked.get(sessionId);
    // It may have been asked before that was there.
    if (asked !== undefined) asked.isStale = true;
    await (asked?.done ?? this.ask(sessionId));
  }

  /** The same of many. */
  async askAll(sessionIds: readonly string[]): Promise<void> {
    if (sessionIds.length <= fewSessions) {
      await Promise.all(sessionIds.map((sessionId) => this.ask(sessionId)));
      return;
    }
    const heads = this.#options.journal.sessions().then((each) => new Map(each.map((head) => [head.session_id, head])));
    await Promise.all(sessionIds.map((sessionId) => this.ask(sessionId, async () => (await heads).get(sessionId))));
  }

  /** Whether the journal is being asked where a session stands. */
  has(sessionId: string): boolean {
    return this.#asked.has(sessionId);
  }

  async close(): Promise<void> {
    this.#isClosed = true;
    await this.#asking.settled();
    for (const timer of this.#again.values()) clearTimeout(timer);
    this.#again.clear();
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

  async #take(sessionId: string, asked: Asked, look: () => Promise<SessionHead | undefined>): Promise<void> {
    const { journal, take, takeNext } = this.#options;
    try {
      for (let lookNow = look; ; lookNow = () => journal.head(sessionId)) {
        asked.isStale = false;
        const next = await this.#readNext(sessionId);
        const head = await lookNow();
        // What was read before that is of the history that the head names, where that is the one that was known.
        if (next === undefined || !this.#follows(next, head)) take(sessionId, head);
        else takeNext(next);
        // What was written between the two looks is read the next time.
        const now = this.#options.known(sessionId);
        const isTaken = now === undefined || now.isBehind || now.head.seq >= (head?.seq ?? 0);
        if ((isTaken && !asked.isStale) || this.#isClosed) return;
      }
    } catch (error) {
      clearTimeout(this.#again.get(sessionId));
      const again = setTimeout(() => {
        this.#again.delete(sessionId);
        this.note(sessionId);
      }, againMs);
      this.#again.set(sessionId, again.unref());
      throw error;
    } finally {
      this.#asked.delete(sessionId);
    }
  }

  /** The next events of a session that is followed; undefined where there are none, or many. */
  async #readNext(sessionId: string): Promise<AppendedChange | undefined> {
    const { journal, known } = this.#options;
    const session = known(sessionId);
    if (session === undefined || session.isBehind) return undefined;
    const { epoch, seq: after } = session.head;
    const events = await journal.read(sessionId, { after, limit: readEvents, maxChars: limits.pieceBytes });
    const chars = events.reduce((sum, { json }) => sum + json.length, 0);
    const isAll = events.length > 0 && events.length < readEvents && chars < limits.pieceBytes;
    return isAll ? { kind: 'appended', session_id: sessionId, epoch, events } : undefined;
  }

  #follows({ session_id, epoch, events }: AppendedChange, now: SessionHead | undefined): boolean {
    const head = this.#options.known(session_id)?.head;
    return head?.epoch === epoch && isOneHistory(head, now) && events.every(({ seq }, at) => seq === head.seq + at + 1);
  }
}
