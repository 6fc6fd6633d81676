import { receivedAt } from '../../core/protocol/event.ts';
import type { SessionOrigin } from '../../core/protocol/session-state.ts';
import type { PendingAppend } from '../append-queue.ts';
import { checkExpectedSeq, isOvertaken } from '../expected-seq.ts';
import { noteAppended, type AppendResult, type JournalChange, type JournalEvent, type NewEvent } from '../journal.ts';
import { checkRoomForSession, seqOfServerMadeId, sessionExists, stamp, type Stamped, takesNoEvents } from '../stamping.ts';

/** Where a session stands, as far as this process knows. */
export interface BelievedHead {
  epoch: string;
  seq: number;
  /** Known once something was to be written to it: it takes nothing. */
  isImported?: boolean | undefined;
}

/** What this process believes of the database while it makes a commit. The commit is written only if all of it is so. */
export interface Beliefs {
  heads: ReadonlyMap<string, BelievedHead>;
  /** The events of each session that are known to have an id which one of the commit has too; undefined where there is none. */
  known: ReadonlyMap<string, ReadonlyMap<string, JournalEvent | undefined>>;
  epochOfNew: string;
  sessions: number;
}

/** What happens to one session in a commit. */
export interface StagedSession {
  session_id: string;
  /** Undefined: there is none. */
  believed: BelievedHead | undefined;
  epoch: string;
  seq: number;
  updated_at: string;
  origin: SessionOrigin;
  fresh: JournalEvent[];
  /** Those whose producer gave an id, by it. */
  byId: Map<string, JournalEvent>;
  /** Whether any of these ids may be in the journal already. */
  looks: boolean;
}

/** One commit before it is written: what it brings about if the database is as it is believed to be. */
export class StagedGroup {
  readonly sessions = new Map<string, StagedSession>();
  /** For the listeners, once it is written. */
  readonly changes: JournalChange[] = [];
  /** Each answers one caller, once it is written. */
  readonly answers: (() => void)[] = [];
  /** The appends that another one has overtaken. */
  readonly overtaken: string[] = [];
  /** The events whose ids the journal has made: they must be read before the commit can be made. */
  readonly unknownEvents: { session_id: string; id: string; seq: number }[] = [];
  readonly #beliefs: Beliefs;
  #created = 0;
  #chars = 0;

  constructor(beliefs: Beliefs) {
    this.#beliefs = beliefs;
  }

  /** What is to be written, by the ids of the sessions. These are ASCII, so that their order is that of the database too. */
  get sorted(): StagedSession[] {
    return [...this.sessions.values()].toSorted((a, b) => (a.session_id < b.session_id ? -1 : 1));
  }

  get isEmpty(): boolean {
    return ![...this.sessions.values()].some(({ believed, fresh }) => believed === undefined || fresh.length > 0);
  }

  /** Length of the JSON of all its events. */
  get chars(): number {
    return this.#chars;
  }

  /** Takes an append in, or notes its refusal: what is wrong with one append refuses no other. */
  append({ sessionId, events, options, resolve, reject }: PendingAppend<AppendResult>): void {
    if (this.#beliefs.heads.get(sessionId)?.isImported === true) {
      this.answers.push(() => reject(takesNoEvents(sessionId)));
      return;
    }
    const known = this.#session(sessionId);
    try {
      checkExpectedSeq({ session_id: sessionId, seq: known.seq }, options.expectedSeq);
      const isNew = known.believed === undefined && !this.sessions.has(sessionId);
      if (isNew) checkRoomForSession(this.#beliefs.sessions + this.#created);
      const stamped = stamp(known, events, (id) => this.#find(known, id));
      if (isNew) this.#create(known);
      this.#take(known, stamped, events);
      const { epoch } = known;
      const { seqs } = stamped;
      this.answers.push(() => resolve({ epoch, first_seq: seqs[0] ?? 0, last_seq: seqs.at(-1) ?? 0, seqs }));
    } catch (error) {
      if (isOvertaken(error)) this.overtaken.push(sessionId);
      this.answers.push(() => reject(error));
    }
  }

  /** Makes a session. @throws ShannonDashError CONFLICT, LIMIT_REACHED */
  create(origin: SessionOrigin): void {
    const known = this.#session(origin.session_id);
    if (known.believed !== undefined) throw sessionExists(origin.session_id);
    checkRoomForSession(this.#beliefs.sessions);
    Object.assign(known, { origin, updated_at: origin.created_at });
    this.#create(known);
  }

  #session(session_id: string): StagedSession {
    const staged = this.sessions.get(session_id);
    if (staged !== undefined) return staged;
    const believed = this.#beliefs.heads.get(session_id);
    const created_at = new Date().toISOString();
    const { epoch, seq } = believed ?? { epoch: this.#beliefs.epochOfNew, seq: 0 };
    const origin = { session_id, created_at };
    const session: StagedSession = {
      session_id,
      believed,
      epoch,
      seq,
      updated_at: created_at,
      origin,
      fresh: [],
      byId: new Map(),
      looks: false,
    };
    // One that is to be made is there only once its first append is taken.
    if (believed !== undefined) this.sessions.set(session_id, session);
    return session;
  }

  #create(session: StagedSession): void {
    this.sessions.set(session.session_id, session);
    this.#created++;
    const { origin, epoch, updated_at } = session;
    this.changes.push({ kind: 'created', head: { ...origin, epoch, seq: 0, updated_at } });
  }

  #take(session: StagedSession, { fresh, freshById }: Stamped, given: readonly NewEvent[]): void {
    const last = fresh.at(-1);
    if (last === undefined) return;
    session.seq = last.seq;
    session.updated_at = receivedAt(last.event);
    for (const event of fresh) {
      session.fresh.push(event);
      this.#chars += event.json.length;
    }
    for (const [id, event] of freshById ?? []) session.byId.set(id, event);
    if (session.believed !== undefined && given.some(({ id, isIdNew }) => id !== undefined && isIdNew !== true)) session.looks = true;
    const { session_id, epoch } = session;
    noteAppended(this.changes, { kind: 'appended', session_id, epoch, events: fresh });
  }

  #find(session: StagedSession, id: string): JournalEvent | undefined {
    const known = this.#beliefs.known.get(session.session_id);
    const staged = session.byId.get(id) ?? known?.get(id);
    if (staged !== undefined) return staged;
    const seq = seqOfServerMadeId(session.epoch, id);
    if (seq === undefined || seq > session.seq) return undefined;
    const before = session.believed?.seq ?? 0;
    if (seq > before) return session.fresh[seq - before - 1];
    if (known?.has(id) !== true) this.unknownEvents.push({ session_id: session.session_id, id, seq });
    return undefined;
  }
}
