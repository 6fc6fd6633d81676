import { limits } from '../../core/protocol/limits.ts';
import { isSignOfLife } from '../../core/fold/fold-lost.ts';
import { isLive } from '../../core/protocol/session-state.ts';
import { timestampNow } from '../../core/timestamp.ts';
import type { Journal } from '../../journal/journal.ts';
import type { Hub } from './hub.ts';
import { brief, type SessionStore, type StoredSession } from './session-store.ts';

export interface LostSessionsOptions {
  journal: Journal;
  store: SessionStore;
  hub: Hub;
  /** How long nothing is heard of a session before it is lost. */
  afterMs?: number | undefined;
  onProblem: (error: unknown) => void;
}

/** What a former server left has at least so long to be heard of again: its producers need a moment to come back. */
const graceMs = 60_000;
const longestSweepMs = 15_000;

/**
 * Sessions whose program has gone without a word: nobody is attached, no connection that has published to them is left, and
 * nothing was heard of them for a while. Each is told as an event, so that every list and every watcher knows of it.
 */
export class LostSessions {
  readonly #options: LostSessionsOptions;
  readonly #afterMs: number;
  /** When each live session was last heard of, by the clock that only goes forward. */
  readonly #heardAtMs = new Map<string, number>();
  /** How many connections that have published to a session are there. */
  readonly #producers = new Map<string, number>();
  /** The sessions whose program has come to this server. */
  readonly #heardHere = new Set<string>();
  #timer: NodeJS.Timeout | undefined;

  constructor(options: LostSessionsOptions) {
    this.#options = options;
    this.#afterMs = options.afterMs ?? limits.lostAfterMs;
    options.hub.onChange((change) => {
      if (change.kind === 'deleted') {
        this.#heardAtMs.delete(change.session_id);
        this.#heardHere.delete(change.session_id);
      }
      if (change.kind !== 'appended' || !change.events.some(({ type }) => isSignOfLife(type))) return;
      this.#heardAtMs.set(change.session_id, performance.now());
    });
  }

  /** Takes up the sessions that a former server left, by the calendar, and looks after all from now on. */
  open(): void {
    const graceOrLess = Math.min(graceMs, this.#afterMs);
    for (const session of this.#options.store.all()) {
      const silentMs = Date.now() - Date.parse(session.head.updated_at);
      // Also where the clock was set meanwhile.
      const countedMs = Math.min(Math.max(0, silentMs || 0), this.#afterMs - graceOrLess);
      this.#heardAtMs.set(session.head.session_id, performance.now() - countedMs);
    }
    this.#timer = setInterval(() => this.#look(), Math.min(longestSweepMs, Math.max(10, this.#afterMs / 10)));
    this.#timer.unref();
  }

  /** A program publishes to the session, or attaches to it, by way of this server. */
  noteHeardHere(sessionId: string): void {
    // A name whose event is refused stands here for nothing: there are never more than there may be sessions.
    if (this.#heardHere.size < limits.sessions) this.#heardHere.add(sessionId);
  }

  /** A connection has published to the session. */
  enter(sessionId: string): void {
    this.#producers.set(sessionId, this.producersOf(sessionId) + 1);
  }

  /** A connection that has published to the session has ended. */
  leave(sessionId: string): void {
    const left = this.producersOf(sessionId) - 1;
    if (left > 0) this.#producers.set(sessionId, left);
    else this.#producers.delete(sessionId);
  }

  /** How many connections that have published to the session are there. */
  producersOf(sessionId: string): number {
    return this.#producers.get(sessionId) ?? 0;
  }

  close(): void {
    clearInterval(this.#timer);
  }

  #look(): void {
    const { journal, store } = this.#options;
    for (const sessionId of this.#heardHere) if (store.get(sessionId) === undefined) this.#heardHere.delete(sessionId);
    // Another server may have a connection to the program of a session that has never come to this one.
    const isAlone = journal.servers().size <= 1;
    const judged = [...store.all()].filter(({ head }) => isAlone || this.#heardHere.has(head.session_id));
    const due = judged.filter((session) => this.#isDue(session));
    if (due.length === 0) return;
    // What waits for its commit may be a sign of life of just these.
    journal.flush();
    for (const session of due) if (this.#isDue(session)) this.#giveUp(session);
  }

  #isDue(session: StoredSession): boolean {
    const { session_id } = session.head;
    const { status, orchestrator } = brief(session);
    if (!isLive(status)) {
      this.#heardAtMs.delete(session_id);
      return false;
    }
    const heardAtMs = this.#heardAtMs.get(session_id);
    const isThere = orchestrator?.attached === true || this.#producers.has(session_id);
    if (isThere || heardAtMs === undefined) {
      this.#heardAtMs.set(session_id, performance.now());
      return false;
    }
    // One that nobody has begun yet may wait for its program as long as it likes.
    if (status === 'created' && orchestrator === null) return false;
    return performance.now() - heardAtMs >= this.#afterMs;
  }

  #giveUp(session: StoredSession): void {
    const { session_id, seq } = session.head;
    this.#heardAtMs.set(session_id, performance.now());
    const reason = `nothing was heard of it for ${Math.round(this.#afterMs / 1_000)} s, and nobody is attached`;
    const data = { reason, last_seen: brief(session).updated_at };
    this.#options.journal
      .append(session_id, [{ type: 'execution:lost', id: lostEventId(seq), data, timestamp: timestampNow() }])
      .catch(this.#options.onProblem);
  }
}

/** Made of the last event before it, so that it happens once, whoever notices. */
function lostEventId(seq: number): string {
  return `execution:lost:${seq}`;
}
