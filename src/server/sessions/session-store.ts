import { ShannonDashError } from '../../core/protocol/errors.ts';
import { receivedAt } from '../../core/protocol/event.ts';
import { fold, foldAll, foldVersion } from '../../core/fold/fold.ts';
import { limits } from '../../core/protocol/limits.ts';
import { initialState, type SessionOrigin, type SessionState } from '../../core/protocol/session-state.ts';
import type { Journal, JournalChange, JournalEvent, SessionHead, Snapshot } from '../../journal/journal.ts';
import { nextTurn } from '../turns.ts';
import { briefOf, briefStateOf, type SessionBrief } from './session-brief.ts';

/** Events folded beyond the last snapshot before a new one is saved: the most that a load has to fold. */
const snapshotEvents = 5_000;
/** A state with fewer events beyond its last snapshot is let go without a new one: to fold those again costs less. */
const letGoSnapshotEvents = 200;
const loadEvents = 1_000;
const loadChars = 8 * 1024 * 1024;

/** What of a session stays in memory always. */
export interface StoredSession {
  head: SessionHead;
  /** The fold at `head.seq`; undefined while it is not in memory. */
  state: SessionState | undefined;
  /** What the session's brief follows from while its state is not in memory. It stands at its first event until the session is folded once. */
  briefState: SessionState;
  snapshotSeq: number;
  loading: Promise<SessionState> | undefined;
}

/**
 * Folds the sessions of a journal and keeps the recently used states in memory, bounded. A state that is not in memory is
 * folded again when somebody asks for it; until then only the session's brief follows its events.
 */
export class SessionStore {
  readonly #journal: Journal;
  readonly #sessions = new Map<string, StoredSession>();
  /** Sessions whose state is in memory, the least recently used first. */
  readonly #folded = new Set<string>();
  /** Every session, the one that changed last at the end. */
  readonly #changed = new Set<string>();
  readonly #onProblem: (error: unknown) => void;

  constructor(journal: Journal, onProblem: (error: unknown) => void) {
    this.#journal = journal;
    this.#onProblem = onProblem;
  }

  /** Takes up the heads of all sessions. Each is folded when it is loaded. */
  async open(): Promise<void> {
    const heads = await this.#journal.sessions();
    for (const head of heads) this.#add(head);
    for (const { session_id } of heads.toSorted(byChange)) this.#noteChange(session_id);
  }

  get size(): number {
    return this.#sessions.size;
  }

  get(sessionId: string): StoredSession | undefined {
    return this.#sessions.get(sessionId);
  }

  /** The orchestrators of the fold at the newest event, as far as memory has them: a promise where the journal is read first. */
  attachments(sessionId: string): SessionState | undefined | Promise<SessionState | undefined> {
    const session = this.#sessions.get(sessionId);
    if (session === undefined) return undefined;
    const { head, state, briefState } = session;
    return state ?? (briefState.seq === head.seq ? briefState : this.load(sessionId));
  }

  all(): IterableIterator<StoredSession> {
    return this.#sessions.values();
  }

  /** The sessions that changed last, at most so many of those that count, the newest last. */
  recent(count: number, counts: (sessionId: string) => boolean = () => true): StoredSession[] {
    return [...this.#changed]
      .filter(counts)
      .slice(-count)
      .flatMap((sessionId) => this.#sessions.get(sessionId) ?? []);
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
      this.#keep(this.#add(change.head), initialState(change.head));
      this.#noteChange(change.head.session_id);
      return;
    }
    if (change.kind === 'deleted') {
      this.#sessions.delete(change.session_id);
      this.#folded.delete(change.session_id);
      this.#changed.delete(change.session_id);
      return;
    }
    if (change.kind === 'behind') return;
    const session = this.#sessions.get(change.session_id);
    if (session !== undefined) this.#append(session, change.events);
  }

  /** A session has gone on, and the feed has not told its events: it is folded again from the journal. */
  advance({ session_id, seq, updated_at }: SessionHead): void {
    const session = this.#sessions.get(session_id);
    if (session === undefined || seq <= session.head.seq) return;
    Object.assign(session.head, { seq, updated_at });
    this.#noteChange(session_id);
    if (session.state !== undefined) {
      this.#folded.delete(session_id);
      this.#letGo(session, session.state);
    }
    void this.load(session_id).catch(this.#onProblem);
  }

  /** Saves a snapshot of everything in memory. */
  async close(): Promise<void> {
    for (const session of this.#sessions.values()) {
      if (session.state !== undefined && session.state.seq > session.snapshotSeq) await this.#saveSnapshot(session, session.state);
    }
  }

  #add(head: SessionHead): StoredSession {
    const session: StoredSession = {
      head: { ...head },
      state: undefined,
      briefState: initialState({ session_id: head.session_id, created_at: head.created_at }),
      snapshotSeq: 0,
      loading: undefined,
    };
    this.#sessions.set(head.session_id, session);
    return session;
  }

  #append(session: StoredSession, events: readonly JournalEvent[]): void {
    const [first] = events;
    const last = events.at(-1);
    if (first === undefined || last === undefined) return;
    const { head, state, briefState } = session;
    if (first.seq !== head.seq + 1) {
      this.advance({ ...head, seq: last.seq, updated_at: receivedAt(last.event) });
      return;
    }
    head.seq = last.seq;
    head.updated_at = receivedAt(last.event);
    this.#noteChange(head.session_id);
    const added = events.map(({ event }) => event);
    if (state !== undefined) {
      const next = foldAll(state, added);
      this.#keep(session, next);
      if (next.seq - session.snapshotSeq >= snapshotEvents) void this.#saveSnapshot(session, next);
      return;
    }
    const hasBrief = briefState.seq === first.seq - 1;
    if (hasBrief) session.briefState = briefStateOf(foldAll(briefState, added));
    if (!hasBrief || head.seq - session.snapshotSeq >= snapshotEvents) void this.load(head.session_id).catch(this.#onProblem);
  }

  #noteChange(sessionId: string): void {
    this.#changed.delete(sessionId);
    this.#changed.add(sessionId);
  }

  #keep(session: StoredSession, state: SessionState): void {
    session.state = state;
    this.#folded.delete(session.head.session_id);
    this.#folded.add(session.head.session_id);
    if (this.#folded.size <= limits.foldedSessions) return;
    const [oldest = ''] = this.#folded;
    this.#folded.delete(oldest);
    const letGo = this.#sessions.get(oldest);
    if (letGo?.state !== undefined) this.#letGo(letGo, letGo.state);
  }

  #letGo(session: StoredSession, state: SessionState): void {
    session.briefState = briefStateOf(state);
    session.state = undefined;
    if (state.seq - session.snapshotSeq >= letGoSnapshotEvents) void this.#saveSnapshot(session, state);
  }

  async #fold(session: StoredSession): Promise<SessionState> {
    let state = await this.#start(session, Infinity);
    session.snapshotSeq = state.seq;
    // New events may arrive while reading: go on until nothing is left, then keep the state in the same turn.
    do {
      state = await this.#foldThrough(session, state, session.head.seq);
    } while (state.seq < session.head.seq && this.#sessions.get(session.head.session_id) === session);
    if (this.#sessions.get(session.head.session_id) !== session) return state;
    this.#keep(session, state);
    if (state.seq - session.snapshotSeq >= snapshotEvents) void this.#saveSnapshot(session, state);
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
      for (const { event } of events) {
        if (event.seq !== state.seq + 1) {
          throw new ShannonDashError(
            'JOURNAL_FAILED',
            `The journal gives event ${event.seq} of ${session.head.session_id} behind event ${state.seq}`,
          );
        }
        state = fold(state, event);
      }
    }
    return state;
  }

  async #saveSnapshot(session: StoredSession, state: SessionState): Promise<void> {
    session.snapshotSeq = state.seq;
    try {
      await this.#journal.saveSnapshot(session.head, { seq: state.seq, version: foldVersion, json: JSON.stringify(state) });
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

/** The short form of a session: what lists show of it. */
export function brief({ state, briefState }: StoredSession): SessionBrief {
  return briefOf(state ?? briefState);
}

function byChange(a: SessionHead, b: SessionHead): number {
  return a.updated_at < b.updated_at ? -1 : Number(a.updated_at > b.updated_at);
}

function originOf({ session_id, created_at, skills, metadata }: SessionHead): SessionOrigin {
  return { session_id, created_at, skills, metadata };
}
