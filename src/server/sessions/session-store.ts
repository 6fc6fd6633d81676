import { receivedAt } from '../../core/protocol/event.ts';
import { foldAll } from '../../core/fold/fold.ts';
import { limits } from '../../core/protocol/limits.ts';
import { initialState, type SessionState } from '../../core/protocol/session-state.ts';
import type { Journal, JournalChange, JournalEvent, SessionHead } from '../../journal/journal.ts';
import { UnderWay } from '../under-way.ts';
import { foldHistory, goneThrough, snapshotEvents, untilWhole } from './history-fold.ts';
import { keptState, snapshotOf, stateBefore } from './kept-states.ts';
import { briefStateOf } from './session-brief.ts';
import type { StoredSession } from './stored-session.ts';

/** A state with fewer events beyond its last snapshot is let go without a new one: to fold those again costs less. */
const letGoSnapshotEvents = 200;

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
  readonly #underWay = new UnderWay();
  #isStopping = false;
  #catchUp: (sessionId: string) => Promise<void> = () => Promise.resolve();

  constructor(journal: Journal, onProblem: (error: unknown) => void) {
    this.#journal = journal;
    this.#onProblem = onProblem;
  }

  /** Takes up the heads of all sessions. Each is folded when it is loaded. */
  async open(): Promise<void> {
    const heads = await this.#journal.sessions();
    for (const head of heads) this.#add(head);
    this.sortByChange();
  }

  /** Orders the sessions by their last events. */
  sortByChange(): void {
    const heads = [...this.#sessions.values()].map(({ head }) => head);
    for (const { session_id } of heads.toSorted(byChange)) this.#noteChange(session_id);
  }

  /** @param catchUp brings a session that is behind to where the journal has it */
  catchUpBy(catchUp: (sessionId: string) => Promise<void>): void {
    this.#catchUp = catchUp;
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
    const { head, state, briefState, isBehind } = session;
    if (isBehind) return this.load(sessionId);
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
    if (this.#sessions.get(sessionId)?.isBehind === true) await this.#bringUp(sessionId);
    const session = this.#sessions.get(sessionId);
    if (session === undefined) return undefined;
    if (session.state !== undefined) return session.state;
    session.loading ??= this.#underWay.add(
      untilWhole(() => this.#fold(session)).finally(() => {
        session.loading = undefined;
      }),
    );
    return session.loading;
  }

  /**
   * The fold at an earlier event.
   * @throws ShannonDashError GONE retention has taken the events before
   */
  async at(sessionId: string, seq: number): Promise<SessionState | undefined> {
    if (this.#sessions.get(sessionId)?.isBehind === true) await this.#bringUp(sessionId);
    const session = this.#sessions.get(sessionId);
    if (session === undefined) return undefined;
    if (session.state !== undefined && seq >= session.state.seq) return session.state;
    return untilWhole(async () => {
      const from = seq < (session.head.cut ?? 0) ? undefined : await this.#kept(session, seq);
      if (from === undefined || seq < from.seq) throw goneThrough(session.head);
      return this.#foldThrough(session, from, seq);
    });
  }

  /** Takes a change of the journal in. */
  apply(change: JournalChange): void {
    if (change.kind === 'created') {
      const session = this.#add(change.head);
      this.#noteChange(change.head.session_id);
      // One that was imported has its events already: its state is read.
      if (change.head.seq === 0) this.#keep(session, stateBefore(change.head));
      return;
    }
    if (change.kind === 'deleted') {
      this.#sessions.delete(change.session_id);
      this.#folded.delete(change.session_id);
      this.#changed.delete(change.session_id);
      return;
    }
    if (change.kind === 'behind') return;
    if (change.kind === 'cut') {
      const cut = this.#sessions.get(change.session_id);
      if (cut?.head.epoch === change.epoch) cut.head.cut = change.through;
      return;
    }
    const session = this.#sessions.get(change.session_id);
    if (session !== undefined) this.#append(session, change.events);
  }

  /** Another server has written to a session that nobody here has to do with: what is new is read when somebody asks for it. */
  putOff(sessionId: string): void {
    const session = this.#sessions.get(sessionId);
    if (session === undefined) return;
    session.isBehind = true;
    this.#forgetState(session);
  }

  /** Resolves once a session is there with an event that this server has written, which the feed may have told behind what it missed. */
  async reach(sessionId: string, seq: number): Promise<void> {
    if ((this.#sessions.get(sessionId)?.head.seq ?? seq) < seq) await this.#catchUp(sessionId);
  }

  /** A session is where the journal has it. */
  noteCurrent(sessionId: string): void {
    const session = this.#sessions.get(sessionId);
    if (session !== undefined) session.isBehind = false;
  }

  /** A session has gone on, and the feed has not told its events: it is folded again from the journal when it is loaded. */
  advance({ session_id, seq, updated_at, cut }: SessionHead): void {
    const session = this.#sessions.get(session_id);
    if (session === undefined || seq <= session.head.seq) return;
    Object.assign(session.head, { seq, updated_at, cut });
    session.isBehind = false;
    this.#noteChange(session_id);
    this.#forgetState(session);
  }

  /** Loads a session without anybody who waits for it. */
  loadSoon(sessionId: string): void {
    this.load(sessionId).catch(this.#onProblem);
  }

  /** The server stops: folds that take long are given up. What they have saved on the way, the next server goes on from. */
  stop(): void {
    this.#isStopping = true;
  }

  /** Saves a snapshot of everything in memory. */
  async close(): Promise<void> {
    this.stop();
    await this.#underWay.settled();
    for (const session of this.#sessions.values()) {
      if (session.state !== undefined && session.state.seq > session.snapshotSeq) await this.#saveSnapshot(session, session.state);
    }
  }

  async #bringUp(sessionId: string): Promise<void> {
    await this.#catchUp(sessionId);
    // It was made anew meanwhile.
    if (this.#sessions.get(sessionId)?.isBehind === true) await this.#catchUp(sessionId);
  }

  #add(head: SessionHead): StoredSession {
    const session: StoredSession = {
      head: { ...head },
      state: undefined,
      briefState: initialState({ session_id: head.session_id, created_at: head.created_at }),
      snapshotSeq: 0,
      loading: undefined,
      isBehind: false,
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
      this.loadSoon(head.session_id);
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
    if (!hasBrief || head.seq - session.snapshotSeq >= snapshotEvents) this.loadSoon(head.session_id);
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

  #forgetState(session: StoredSession): void {
    if (session.state === undefined) return;
    this.#folded.delete(session.head.session_id);
    this.#letGo(session, session.state);
  }

  #letGo(session: StoredSession, state: SessionState): void {
    session.briefState = briefStateOf(state);
    session.state = undefined;
    if (state.seq - session.snapshotSeq >= letGoSnapshotEvents) void this.#saveSnapshot(session, state);
  }

  async #fold(session: StoredSession): Promise<SessionState> {
    let state = await this.#kept(session, Infinity);
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

  #kept({ head }: StoredSession, through: number): Promise<SessionState> {
    return keptState(head, through, { journal: this.#journal, onProblem: this.#onProblem });
  }

  #foldThrough(session: StoredSession, from: SessionState, through: number): Promise<SessionState> {
    return foldHistory(from, through, {
      journal: this.#journal,
      head: session.head,
      isThere: () => this.#sessions.get(session.head.session_id) === session,
      isStopping: () => this.#isStopping,
      save: (state) => this.#saveSnapshot(session, state),
    });
  }

  #saveSnapshot(session: StoredSession, state: SessionState): Promise<void> {
    session.snapshotSeq = Math.max(session.snapshotSeq, state.seq);
    return this.#underWay.add(this.#journal.saveSnapshot(session.head, snapshotOf(state)).catch(this.#onProblem));
  }
}

function byChange(a: SessionHead, b: SessionHead): number {
  return a.updated_at < b.updated_at ? -1 : Number(a.updated_at > b.updated_at);
}
