import { ShannonDashError } from '../../core/protocol/errors.ts';
import { receivedAt } from '../../core/protocol/event.ts';
import { fold, foldVersion } from '../../core/fold/fold.ts';
import { limits } from '../../core/protocol/limits.ts';
import { initialState, type SessionOrigin, type SessionState } from '../../core/protocol/session-state.ts';
import type { Journal, JournalChange, SessionHead, Snapshot } from '../../journal/journal.ts';
import { nextTurn } from '../turns.ts';

/** Events folded beyond the last snapshot before a new one is saved: the most that a load has to fold. */
const snapshotEvents = 5_000;
const loadEvents = 1_000;
const loadChars = 8 * 1024 * 1024;

/** What of a session stays in memory always. */
export interface StoredSession {
  head: SessionHead;
  /** The fold at `head.seq`; undefined while it is not in memory. */
  state: SessionState | undefined;
  /** The last state's short form, kept when the state is let go. */
  brief: SessionBrief;
  snapshotSeq: number;
  loading: Promise<SessionState> | undefined;
}

/** The part of a state that lists of sessions show. */
export type SessionBrief = Pick<SessionState, 'status' | 'current_skill' | 'progress' | 'orchestrator' | 'skill_usage' | 'updated_at'> & {
  open_decisions: number;
};

/** Folds every session of a journal and keeps the recently used states in memory, bounded. */
export class SessionStore {
  readonly #journal: Journal;
  readonly #sessions = new Map<string, StoredSession>();
  /** Sessions whose state is in memory, the least recently used first. */
  readonly #folded = new Set<string>();
  readonly #onProblem: (error: unknown) => void;

  constructor(journal: Journal, onProblem: (error: unknown) => void) {
    this.#journal = journal;
    this.#onProblem = onProblem;
  }

  /** Takes up all sessions. None is folded yet: each is when it is loaded. */
  async open(): Promise<void> {
    for (const head of await this.#journal.sessions()) this.#add(head, undefined);
  }

  get size(): number {
    return this.#sessions.size;
  }

  get(sessionId: string): StoredSession | undefined {
    return this.#sessions.get(sessionId);
  }

  all(): IterableIterator<StoredSession> {
    return this.#sessions.values();
  }

  /** The sessions used last whose state is in memory, at most so many, the newest last. */
  recent(count: number): StoredSession[] {
    return [...this.#folded].slice(-count).flatMap((sessionId) => this.#sessions.get(sessionId) ?? []);
  }

  /**
   * The fold at the newest event, read from the journal if it is not in memory; undefined for an unknown session.
   * @throws ShannonDashError JOURNAL_FAILED its history cannot be read
   */
  async load(sessionId: string): Promise<SessionState | undefined> {
    const session = this.#sessions.get(sessionId);
    if (session === undefined) return undefined;
    if (session.state !== undefined) return session.state;
    session.loading ??= this.#fold(session).finally(() => {
      session.loading = undefined;
    });
    return session.loading;
  }

  /** The fold at an earlier event. */
  async at(sessionId: string, seq: number): Promise<SessionState | undefined> {
    const session = this.#sessions.get(sessionId);
    if (session === undefined) return undefined;
    if (session.state !== undefined && seq >= session.state.seq) return session.state;
    return this.#foldThrough(session, await this.#start(session, seq), seq);
  }

  /** Takes a change of the journal in. */
  apply(change: JournalChange): void {
    if (change.kind === 'created') {
      this.#add(change.head, initialState(change.head));
      return;
    }
    if (change.kind === 'deleted') {
      this.#sessions.delete(change.session_id);
      this.#folded.delete(change.session_id);
      return;
    }
    const session = this.#sessions.get(change.session_id);
    const last = change.events.at(-1);
    if (session === undefined || last === undefined) return;
    session.head.seq = last.seq;
    session.head.updated_at = receivedAt(last.event);
    if (session.state === undefined) {
      void this.load(change.session_id).catch(this.#onProblem);
      return;
    }
    let state = session.state;
    for (const { event } of change.events) state = fold(state, event);
    this.#keep(session, state);
    if (state.seq - session.snapshotSeq >= snapshotEvents) void this.#saveSnapshot(session, state);
  }

  /** Saves a snapshot of everything in memory. */
  async close(): Promise<void> {
    for (const session of this.#sessions.values()) {
      if (session.state !== undefined && session.state.seq > session.snapshotSeq) await this.#saveSnapshot(session, session.state);
    }
  }

  #add(head: SessionHead, state: SessionState | undefined): void {
    const session: StoredSession = {
      head: { ...head },
      state: undefined,
      brief: briefOf(initialState(head)),
      snapshotSeq: 0,
      loading: undefined,
    };
    this.#sessions.set(head.session_id, session);
    if (state !== undefined) this.#keep(session, state);
  }

  #keep(session: StoredSession, state: SessionState): void {
    session.state = state;
    this.#folded.delete(session.head.session_id);
    this.#folded.add(session.head.session_id);
    if (this.#folded.size <= limits.foldedSessions) return;
    const [oldest] = this.#folded;
    const let_go = oldest === undefined ? undefined : this.#sessions.get(oldest);
    if (oldest !== undefined) this.#folded.delete(oldest);
    if (let_go?.state === undefined) return;
    let_go.brief = briefOf(let_go.state);
    if (let_go.state.seq > let_go.snapshotSeq) void this.#saveSnapshot(let_go, let_go.state);
    let_go.state = undefined;
  }

  async #fold(session: StoredSession): Promise<SessionState> {
    let state = await this.#start(session, Infinity);
    session.snapshotSeq = state.seq;
    // New events may arrive while reading: go on until nothing is left, then keep the state in the same turn.
    do {
      state = await this.#foldThrough(session, state, session.head.seq);
    } while (state.seq < session.head.seq && this.#sessions.get(session.head.session_id) === session);
    this.#keep(session, state);
    return state;
  }

  async #start(session: StoredSession, through: number): Promise<SessionState> {
    const initial = initialState(originOf(session.head));
    const snapshot = await this.#journal.loadSnapshot(session.head.session_id);
    if (snapshot === undefined || snapshot.version !== foldVersion || snapshot.seq > Math.min(through, session.head.seq)) return initial;
    const state = stateOf(snapshot, initial);
    if (state !== undefined) return state;
    this.#onProblem(new Error(`The snapshot of ${session.head.session_id} is no state: its history is folded anew`));
    return initial;
  }

  async #foldThrough(session: StoredSession, from: SessionState, through: number): Promise<SessionState> {
    let state = from;
    while (state.seq < through) {
      // A long history is read and folded by and by.
      if (state !== from) await nextTurn();
      const events = await this.#journal.read(session.head.session_id, {
        after: state.seq,
        limit: loadEvents,
        maxChars: loadChars,
        through,
      });
      if (events.length === 0) {
        // Deleted meanwhile, or asked for beyond its newest event; else the journal breaks its word, and asking again changes nothing.
        if (this.#sessions.get(session.head.session_id) !== session || state.seq >= session.head.seq) break;
        const { session_id, seq } = session.head;
        throw new ShannonDashError('JOURNAL_FAILED', `The journal has the events of ${session_id} through ${state.seq} only, of ${seq}`);
      }
      for (const { event } of events) state = fold(state, event);
    }
    return state;
  }

  async #saveSnapshot(session: StoredSession, state: SessionState): Promise<void> {
    session.snapshotSeq = state.seq;
    try {
      await this.#journal.saveSnapshot(session.head.session_id, { seq: state.seq, version: foldVersion, json: JSON.stringify(state) });
    } catch (error) {
      this.#onProblem(error);
    }
  }
}

/** The state in a snapshot; undefined if it is none, or has not the parts that a state has now. */
function stateOf({ seq, json }: Snapshot, initial: SessionState): SessionState | undefined {
  let state: unknown;
  try {
    state = JSON.parse(json);
  } catch {
    return undefined;
  }
  if (typeof state !== 'object' || state === null) return undefined;
  const found = state as Record<string, unknown>;
  const isLike = ([key, value]: [string, unknown]) =>
    value === null || (typeof found[key] === typeof value && Array.isArray(found[key]) === Array.isArray(value));
  const isState = found['seq'] === seq && found['session_id'] === initial.session_id && Object.entries(initial).every(isLike);
  return isState ? (state as SessionState) : undefined;
}

/** The short form of a session, from its state if that is in memory. */
export function brief(session: StoredSession): SessionBrief {
  return session.state === undefined ? session.brief : briefOf(session.state);
}

function briefOf(state: SessionState): SessionBrief {
  const { status, current_skill, progress, orchestrator, skill_usage, updated_at } = state;
  const open_decisions = state.decisions.filter((decision) => decision.status === 'open').length;
  return { status, current_skill, progress, orchestrator, skill_usage, updated_at, open_decisions };
}

function originOf({ session_id, created_at, skills, metadata }: SessionHead): SessionOrigin {
  return { session_id, created_at, skills, metadata };
}
