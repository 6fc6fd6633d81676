import { limits } from '../../../core/protocol/limits.ts';
import { timestampNow } from '../../../core/timestamp.ts';
import type { Cursor } from '../../../core/protocol/event.ts';
import type { Journal } from '../../../journal/journal.ts';
import type { GapReason, Reader, ReaderOfAll } from './reader.ts';
import type { SessionStore } from '../session-store.ts';
import type { StoredSession } from '../stored-session.ts';
import type { SessionMessage } from './watcher.ts';

/** The most events that are read for a watcher at a time, so that one that reads slowly costs little. */
const replayEvents = 500;

/** Brings a watcher from the place where it begins to where the journal is: a state or a cursor, then the events since. */
export class Joining {
  readonly #journal: Journal;
  readonly #store: SessionStore;
  readonly #onProblem: (error: unknown) => void;

  constructor(journal: Journal, store: SessionStore, onProblem: (error: unknown) => void) {
    this.#journal = journal;
    this.#store = store;
    this.#onProblem = onProblem;
  }

  stateMessage(sessionId: string, state = this.#store.get(sessionId)?.state): SessionMessage | undefined {
    const session = this.#store.get(sessionId);
    if (session === undefined || state === undefined) return undefined;
    const { epoch } = session.head;
    return { name: 'session:state', payload: { session: state, epoch, seq: state.seq, timestamp: timestampNow() } };
  }

  gapMessage(sessionId: string, requested: Cursor, reason: GapReason): SessionMessage {
    const head = this.#store.get(sessionId)?.head;
    const first_available = head === undefined ? 0 : (head.cut ?? 0) + 1;
    const epoch = head?.epoch ?? this.#journal.epoch;
    return {
      name: 'session:gap',
      payload: { session_id: sessionId, requested, first_available, epoch, reason, timestamp: timestampNow() },
    };
  }

  /** Resolves once what a reader begins with is written, and goes on from there. What cannot be read cuts it: it would wait for ever. */
  follow<Begun>({ watcher }: Reader, begun: Promise<Begun>, goOn: (begun: Begun) => Promise<void>, close: () => void): Promise<void> {
    begun.then(goOn).catch((error: unknown) => {
      this.#onProblem(error);
      close();
      watcher.cut();
    });
    return begun.then(
      () => undefined,
      () => undefined,
    );
  }

  /** Tells the state as it is now, however long that takes; gives the place in the history where it stands. */
  async beginWithState(sessionId: string, reader: Reader): Promise<number> {
    const session = this.#store.get(sessionId);
    let seq = 0;
    if (session === undefined) reader.isLive = true;
    else {
      const now = session.state;
      await reader.watcher.tellPaced(async () => {
        const state = now ?? (await this.#store.load(sessionId));
        // Deleted meanwhile, or created anew: the reader was told.
        if (reader.isClosed || reader.isLive || this.#store.get(sessionId) !== session) return undefined;
        seq = state?.seq ?? 0;
        return this.stateMessage(sessionId, state);
      });
    }
    return seq;
  }

  /** Tells the states as they are now, however long that takes: every event from now on follows the state of its session. */
  async joinAll(reader: ReaderOfAll): Promise<void> {
    const begun = this.#store.recent(limits.joinStates, reader.reaches).map((session) => ({ session, now: session.state }));
    for (const { session, now } of begun) if (!(await this.#tellState(reader, session, now)) || reader.isClosed) return;
  }

  /** Tells a reader of all sessions the state of one; what comes after that is missed. @returns whether the reader is there still */
  #tellState(reader: ReaderOfAll, session: StoredSession, now = session.state): Promise<boolean> {
    const { session_id } = session.head;
    return reader.watcher.tellPaced(async () => {
      const state = now ?? (await this.#store.load(session_id));
      if (reader.isClosed || state === undefined || this.#store.get(session_id) !== session) return undefined;
      if (state.seq < session.head.seq) reader.missed.set(session_id, state.seq + 1);
      else reader.missed.delete(session_id);
      return this.stateMessage(session_id, state);
    });
  }

  /** Sends what came while it joined, session by session, until nothing is left. */
  async catchUpAll(reader: ReaderOfAll): Promise<void> {
    while (!reader.isClosed) {
      if (reader.missed.size > 0) await reader.watcher.drained();
      const [missed] = reader.missed;
      if (missed === undefined) {
        reader.isLive = true;
        return;
      }
      const [sessionId, first] = missed;
      reader.missed.delete(sessionId);
      const session = this.#store.get(sessionId);
      const through = session?.head.seq ?? 0;
      const isSame = () => !reader.isClosed && this.#store.get(sessionId) === session;
      for (let after: number | undefined = first - 1; after < through && isSame();) {
        after = await this.#replay(sessionId, reader, { after, through });
        if (after === undefined) {
          if (session !== undefined) await this.#tellState(reader, session);
          break;
        }
      }
    }
  }

  async catchUp(sessionId: string, reader: Reader, after: number): Promise<void> {
    let at = after;
    while (!reader.isClosed && !reader.isLive) {
      const through = this.#store.get(sessionId)?.head.seq ?? 0;
      if (at >= through) reader.isLive = true;
      else at = (await this.#replay(sessionId, reader, { after: at, through })) ?? (await this.beginWithState(sessionId, reader));
    }
  }

  /**
   * Sends a piece of the history; gives the place through which it went. Where retention has taken what comes next, the reader is told,
   * and its state is to follow: undefined.
   */
  async #replay(sessionId: string, reader: Reader, { after, through }: { after: number; through: number }): Promise<number | undefined> {
    let at = through;
    let isGone = false;
    const isThere = await reader.watcher.replay(async () => {
      if (reader.isClosed) return [];
      const range = { after, through, limit: replayEvents, maxChars: limits.pieceBytes, filter: reader.filter };
      const events = await this.#journal.read(sessionId, range);
      at = events.at(-1)?.seq ?? through;
      // Some of it may have been taken while it was read.
      isGone = after < (this.#store.get(sessionId)?.head.cut ?? 0);
      // Deleted meanwhile and created anew: the reader was told.
      return reader.isClosed || reader.isLive || isGone ? [] : events;
    });
    const epoch = this.#store.get(sessionId)?.head.epoch;
    if (isThere && isGone && epoch !== undefined && !reader.isClosed && !reader.isLive) {
      reader.watcher.tell(this.gapMessage(sessionId, { epoch, seq: after }, 'retention'));
      return undefined;
    }
    if (!isThere) reader.isClosed = true;
    await reader.watcher.drained();
    return at;
  }
}
