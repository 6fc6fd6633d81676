import { limits } from '../../core/protocol/limits.ts';
import { isSignOfLife } from '../../core/fold/fold-lost.ts';
import { isLive } from '../../core/protocol/session-state.ts';
import { timestampNow } from '../../core/timestamp.ts';
import type { Journal } from '../../journal/journal.ts';
import type { Hub } from './watching/hub.ts';
import type { SessionStore } from './session-store.ts';
import { brief, type StoredSession } from './stored-session.ts';

export interface LostSessionsOptions {
  journal: Journal;
  store: SessionStore;
  hub: Hub;
  /** A session is lost when it has been silent for so long. */
  afterMs?: number | undefined;
  onProblem: (error: unknown) => void;
}

/** After a start of the server, a session has at least so long to be heard of again: its producers need a moment to reconnect. */
const graceMs = 60_000;
const longestSweepMs = 15_000;

/**
 * Finds the sessions whose program has ended without saying so: no orchestrator is attached, no connection that has published to
 * them is open, and they have been silent for a while. For each it appends an event, so that every list and watcher knows.
 */
export class LostSessions {
  readonly #options: LostSessionsOptions;
  readonly #afterMs: number;
  /** When each live session was last heard of, by the monotonic clock. */
  readonly #heardAtMs = new Map<string, number>();
  /** How many open connections have published to a session. */
  readonly #producers = new Map<string, number>();
  /** The sessions whose program has come to this server. */
  readonly #heardHere = new Set<string>();
  /** The sessions that have fallen to this server, until another one writes to them. */
  readonly #inCare = new Set<string>();
  #timer: NodeJS.Timeout | undefined;

  constructor(options: LostSessionsOptions) {
    this.#options = options;
    this.#afterMs = options.afterMs ?? limits.lostAfterMs;
    options.hub.interest.add((sessionId) => this.#producers.has(sessionId) || this.#inCare.has(sessionId));
    options.hub.onChange((change) => {
      if (change.kind === 'deleted') {
        this.#heardAtMs.delete(change.session_id);
        this.#heardHere.delete(change.session_id);
      }
      if (change.kind === 'deleted' || change.kind === 'written') this.#inCare.delete(change.session_id);
      // Something has happened in it, and nobody knows whether its program was heard of.
      if (change.kind === 'caughtUp') this.#heardAtMs.set(change.session_id, performance.now());
      if (change.kind !== 'appended' || !change.events.some(({ type }) => isSignOfLife(type))) return;
      this.#heardAtMs.set(change.session_id, performance.now());
    });
  }

  /** Begins to look. The silence of the sessions in the journal is counted by the calendar until now. */
  open(): void {
    const graceOrLess = Math.min(graceMs, this.#afterMs);
    for (const session of this.#options.store.all()) {
      const silentMs = Date.now() - Date.parse(session.head.updated_at);
      // Never more than that, also when the machine's clock was changed meanwhile.
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

  /** The session has fallen to this server, as whoever wrote to it last is gone. */
  noteInCare(sessionId: string): void {
    this.#inCare.add(sessionId);
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

  /** How many open connections have published to the session. */
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
    const isJudged = (sessionId: string) => isAlone || this.#heardHere.has(sessionId) || this.#inCare.has(sessionId);
    const judged = [...store.all()].filter(({ head }) => isJudged(head.session_id));
    const due = judged.filter((session) => this.#isDue(session));
    if (due.length === 0) return;
    // An event that waits for its commit may be a sign of life of one of these.
    journal.flush();
    for (const session of due) {
      // It has gone on at another server: what is known of it is judged the next time.
      if (session.isBehind) store.load(session.head.session_id).catch(this.#options.onProblem);
      else if (this.#isDue(session)) this.#giveUp(session);
    }
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
    // A session that was only created may wait for its program without a limit.
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

/** Made of the last event before it, so that it is written once, whichever server notices. */
function lostEventId(seq: number): string {
  return `execution:lost:${seq}`;
}
