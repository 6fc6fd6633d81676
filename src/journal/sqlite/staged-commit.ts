import { ShannonDashError } from '../../core/protocol/errors.ts';
import type { SessionOrigin } from '../../core/protocol/session-state.ts';
import type { PendingAppend } from '../append-queue.ts';
import { checkExpectedSeq } from '../expected-seq.ts';
import { noteAppended, type AppendResult, type JournalChange, type SessionHead } from '../journal.ts';
import { checkRoomForSession, checkTakesEvents, stamp, type Stamped } from '../stamping.ts';
import type { SqliteDatabase } from './database/sqlite-database.ts';
import { findEvent } from './history-reader.ts';
import { journalFailure } from './journal-failure.ts';
import type { NewestEvents } from './newest-events.ts';
import { createdLine } from './recovery.ts';
import type { WriteBack } from './write-back.ts';

export interface StagingParts {
  database: SqliteDatabase;
  writes: WriteBack;
  sessions: Map<string, NewestEvents>;
}

/** One commit before it is written: what it brings about in memory, and how that is undone if it cannot be written. */
export class StagedCommit {
  /** For the listeners, once it is written. */
  readonly changes: JournalChange[] = [];
  /** Each answers one caller. */
  readonly answers: (() => void)[] = [];
  /** For the log. */
  readonly lines: string[] = [];
  readonly #parts: StagingParts;
  /** The sessions with new events, as they were. */
  readonly #before = new Map<NewestEvents, SessionHead>();
  readonly #created: NewestEvents[] = [];

  constructor(parts: StagingParts) {
    this.#parts = parts;
  }

  /** Takes an append in, or notes its refusal: what is wrong with one append refuses no other. */
  append({ sessionId, events, options, resolve, reject }: PendingAppend<AppendResult>): void {
    const { database, sessions } = this.#parts;
    const known = sessions.get(sessionId);
    const head = known?.head ?? { session_id: sessionId, epoch: database.epochOfNew, seq: 0 };
    let stamped;
    try {
      if (known?.refusal !== undefined) throw journalFailure('written', `session ${sessionId} takes no more events, for ${known.refusal}`);
      if (known !== undefined) checkTakesEvents(known.head);
      checkExpectedSeq(head, options.expectedSeq);
      if (known === undefined) checkRoomForSession(sessions.size);
      stamped = stamp(head, events, (id) => (known === undefined ? undefined : findEvent(known, id, database.events)));
    } catch (error) {
      // Nothing was written yet: what is wrong is wrong with this one.
      const refusal = error instanceof ShannonDashError ? error : journalFailure('read', error);
      this.answers.push(() => reject(refusal));
      return;
    }
    const session = known ?? this.create({ session_id: sessionId, created_at: new Date().toISOString() });
    const { seqs } = stamped;
    const { epoch } = session.head;
    this.#take(session, stamped);
    this.answers.push(() => resolve({ epoch, first_seq: seqs[0] ?? 0, last_seq: seqs.at(-1) ?? 0, seqs }));
  }

  /** Takes the events of a session in. */
  #take(session: NewestEvents, { fresh, freshById }: Stamped): void {
    if (fresh.length === 0) return;
    if (!this.#before.has(session)) {
      this.#before.set(session, session.head);
      session.head = { ...session.head };
    }
    this.#parts.writes.take(session, fresh);
    for (const [id, event] of freshById ?? []) session.waitingIds.set(id, event.seq);
    for (const { json } of fresh) this.lines.push(json);
    const { session_id, epoch } = session.head;
    noteAppended(this.changes, { kind: 'appended', session_id, epoch, events: fresh });
  }

  create(origin: SessionOrigin): NewestEvents {
    const head: SessionHead = { ...origin, epoch: this.#parts.database.epochOfNew, seq: 0, updated_at: origin.created_at };
    const session: NewestEvents = { key: undefined, head, waiting: [], waitingIds: new Map() };
    this.#parts.sessions.set(head.session_id, session);
    this.#parts.writes.take(session, []);
    this.#created.push(session);
    this.lines.push(createdLine(head));
    this.changes.push({ kind: 'created', head: { ...head } });
    return session;
  }

  /** The commit was not written: everything is as it was. */
  undo(): void {
    for (const [session, head] of this.#before) this.#parts.writes.takeBack(session, head);
    for (const session of this.#created) {
      this.#parts.sessions.delete(session.head.session_id);
      this.#parts.writes.forget(session);
    }
  }
}
